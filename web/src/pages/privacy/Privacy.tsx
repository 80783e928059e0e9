// Privacy of a project: what protects people, requests that take two people, erasure and own data, and the documents to sign.
import type { ComponentType } from 'react';
import '../../text/service';
import { Icon, type IconName } from '../../components/Icon';
import { PageLink } from '../../components/PageLink';
import { readRoute } from '../../routes';
import { usePlace } from '../../state/location';
import { may, type Need } from '../../state/permissions';
import { useProject } from '../../state/project';
import { type PlainKey, t } from '../../text';
import { Documents } from './Documents';
import { Erasures } from './Erasures';
import { Protection } from './Protection';
import { Requests } from './Requests';

const PARTS: { name: string; title: PlainKey; icon: IconName; needs: Need; component: ComponentType }[] = [
  { name: 'protection', title: 'privacy.protection', icon: 'shield', needs: 'oversight', component: Protection },
  { name: 'requests', title: 'privacy.requests', icon: 'people', needs: 'identities', component: Requests },
  { name: 'erasures', title: 'privacy.erasures', icon: 'close', needs: 'lead', component: Erasures },
  { name: 'documents', title: 'privacy.documents', icon: 'text', needs: 'oversight', component: Documents },
];

export default function Privacy() {
  const project = useProject();
  const { path } = usePlace();
  const parts = PARTS.filter((one) => may(one.needs, project));
  const part = parts.find((one) => one.name === readRoute(path).part) ?? parts[0]!;
  return (
    <div className="stack">
      <nav className="tabs" aria-label={t('privacy.parts')}>
        {parts.map((one) => <PageLink key={one.name} page="privacy" part={one.name} className="tab" current={one === part}><Icon name={one.icon} size={16} />{t(one.title)}</PageLink>)}
      </nav>
      <part.component />
    </div>
  );
}
