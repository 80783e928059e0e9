// The service as a whole, for its administrators: accounts, settings, backups, audit log.
import type { ComponentType } from 'react';
import '../../text/service';
import { AuditLog } from '../../components/AuditLog';
import { Icon, type IconName } from '../../components/Icon';
import { AddressLink } from '../../components/PageLink';
import { readRoute } from '../../routes';
import { usePlace } from '../../state/location';
import { type PlainKey, t } from '../../text';
import { Accounts } from './Accounts';
import { Backups } from './Backups';
import { ServiceSettings } from './ServiceSettings';

const PARTS: { name: string; title: PlainKey; icon: IconName; component: ComponentType }[] = [
  { name: 'accounts', title: 'service.accounts', icon: 'people', component: Accounts },
  { name: 'settings', title: 'service.settings', icon: 'edit', component: ServiceSettings },
  { name: 'backups', title: 'backups.title', icon: 'folder', component: Backups },
  { name: 'audit', title: 'audit.title', icon: 'timeline', component: () => <AuditLog slug={null} /> },
];

export default function Service() {
  const { path } = usePlace();
  const part = PARTS.find((one) => one.name === readRoute(path).part) ?? PARTS[0]!;
  return (
    <div className="stack">
      <nav className="tabs" aria-label={t('service.parts')}>
        {PARTS.map((one) => <AddressLink key={one.name} address={`/service/${one.name}`} className="tab" current={one === part}><Icon name={one.icon} size={16} />{t(one.title)}</AddressLink>)}
      </nav>
      <part.component />
    </div>
  );
}
