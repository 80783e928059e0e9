// The last step: the key and the install lines, and a note that turns green by itself when the first client is there.
import type { NewAppKey, Project } from '../../client';
import { CopyBox } from '../../components/Copy';
import { Icon } from '../../components/Icon';
import { AddressLink } from '../../components/PageLink';
import { pagePath } from '../../routes';
import { useLive } from '../../state/live';
import { t } from '../../text';
import { InstallLines } from '../people/InstallLines';

export function Install({ project, made }: { project: Project; made: NewAppKey }) {
  const live = useLive(project.slug);
  const arrived = [...live.changed.values()];
  const last = arrived.at(-1);
  return (
    <section className="panel" aria-label={t('new.step.install')}>
      <div className="panel-head"><h2>{t('new.step.install')}</h2></div>
      <div className="panel-body stack">
        <div className={`new-wait ${last ? 'new-here' : ''}`} role="status" data-arrived={arrived.length}>
          {last ? <Icon name="check" size={28} /> : <span className="new-pulse" aria-hidden="true" />}
          <div>
            <strong>{last ? t('new.arrived', { count: arrived.length }) : t('new.waiting')}</strong>
            <div>{last ? t('new.arrived.text', { name: last.name, state: t(`client.state.${last.state}`) }) : t('new.waiting.text')}</div>
          </div>
          <span className="grow" />
          {last && <AddressLink address={pagePath(project.slug, 'clients')} className="button button-primary">{t('new.toClients')}</AddressLink>}
        </div>
        <div className="note note-warm" role="note"><Icon name="warning" /><span>{t('keys.once')}</span></div>
        <CopyBox title={t('keys.key')} text={made.key} />
        <InstallLines install={made.install} />
      </div>
    </section>
  );
}
