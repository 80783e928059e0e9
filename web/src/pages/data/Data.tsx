// The page for working with the tables themselves: what is in them, SQL, the jobs that build them, their runs, and exports.
import { type ComponentType, lazy, Suspense } from 'react';
import { Icon, type IconName } from '../../components/Icon';
import { Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { readRoute } from '../../routes';
import { usePlace } from '../../state/location';
import { type PlainKey, t } from '../../text';
import './data.css';

const PARTS: { name: string; title: PlainKey; icon: IconName; component: ComponentType }[] = [
  { name: 'tables', title: 'data.tables', icon: 'table', component: lazy(() => import('./Tables')) },
  { name: 'sql', title: 'data.sql', icon: 'play', component: lazy(() => import('./Sql')) },
  { name: 'jobs', title: 'data.jobs', icon: 'refresh', component: lazy(() => import('./Jobs')) },
  { name: 'runs', title: 'data.runs', icon: 'timeline', component: lazy(() => import('./Runs')) },
  { name: 'exports', title: 'data.exports', icon: 'download', component: lazy(() => import('./Exports')) },
];

export default function Data() {
  const { path } = usePlace();
  const part = PARTS.find((one) => one.name === readRoute(path).part) ?? PARTS[0]!;
  return (
    <div className="stack">
      <nav className="tabs" aria-label={t('data.label')}>
        {PARTS.map((one) => (
          <PageLink key={one.name} page="data" part={one.name} className="tab" current={one === part}><Icon name={one.icon} size={16} />{t(one.title)}</PageLink>
        ))}
      </nav>
      <Suspense fallback={<Waiting height={360} />} key={part.name}><part.component /></Suspense>
    </div>
  );
}
