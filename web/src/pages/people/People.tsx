// Who looks at a project (members), how clients get in (app keys), and who is asked to take part (invitations).
import type { ComponentType } from 'react';
import '../../text/service';
import { Icon, type IconName } from '../../components/Icon';
import { PageLink } from '../../components/PageLink';
import { readRoute } from '../../routes';
import { usePlace } from '../../state/location';
import { type PlainKey, t } from '../../text';
import { AppKeys } from './AppKeys';
import { Invitations } from './Invitations';
import { Members } from './Members';

const PARTS: { name: string; title: PlainKey; icon: IconName; component: ComponentType }[] = [
  { name: 'members', title: 'people.members', icon: 'people', component: Members },
  { name: 'keys', title: 'people.keys', icon: 'key', component: AppKeys },
  { name: 'invitations', title: 'people.invitations', icon: 'bell', component: Invitations },
];

export default function People() {
  const { path } = usePlace();
  const part = PARTS.find((one) => one.name === readRoute(path).part) ?? PARTS[0]!;
  return (
    <div className="stack">
      <nav className="tabs" aria-label={t('people.label')}>
        {PARTS.map((one) => (
          <PageLink key={one.name} page="people" part={one.name} className="tab" current={one === part}><Icon name={one.icon} size={16} />{t(one.title)}</PageLink>
        ))}
      </nav>
      <part.component />
    </div>
  );
}
