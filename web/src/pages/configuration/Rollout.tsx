// How far the newest revision has come among the clients: widen it to all, or go back to the one before.
import { useEffect, useState } from 'react';
import type { Revision, Rollout as RolloutState } from '../../client';
import { readRevisions, rollBack, widenRollout } from '../../client/configuration';
import { ErrorNote } from '../../components/Notice';
import { Icon } from '../../components/Icon';
import { ProgressBar } from '../../components/ProgressBar';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';

/** Asked again this often until every client that should have it has it. */
const POLL_MS = 2_000;

export function Rollout({ rollout, onChange }: { rollout: RolloutState; onChange: () => void }) {
  const project = useProject();
  const work = useWork();
  const wanted = Math.ceil((rollout.clients * rollout.percent) / 100);
  const open = rollout.clients_on_new < wanted;
  useEffect(() => {
    if (!open) return;
    const timer = setTimeout(onChange, POLL_MS);
    return () => clearTimeout(timer);
  }, [open, rollout]);
  if (!open && rollout.percent === 100 && rollout.previous === null) return null;
  const act = (what: () => Promise<unknown>) => void work.run(what).then(onChange);
  const share = rollout.clients === 0 ? 1 : rollout.clients_on_new / rollout.clients;
  return (
    <section className="panel rollout" aria-label={t('rollout.title')}>
      <div className="grow stack-tight">
        <div className="row row-wrap"><strong>{t('rollout.revision', { revision: rollout.revision, percent: rollout.percent })}</strong><span className="muted" data-rollout={rollout.clients_on_new}>{t('rollout.clients', { count: rollout.clients_on_new, clients: rollout.clients })}</span></div>
        <ProgressBar label={t('rollout.title')} share={share} />
        {work.error && <ErrorNote error={work.error} />}
      </div>
      {rollout.percent < 100 && <button type="button" className="button button-primary" disabled={work.busy} onClick={() => act(() => widenRollout(project.slug, 100))}>{t('rollout.widen')}</button>}
      {rollout.previous !== null && (
        <button type="button" className="button button-bad" disabled={work.busy} onClick={() => act(() => rollBack(project.slug, rollout.previous!, t('rollout.back.note', { revision: rollout.revision })))}>
          <Icon name="refresh" size={16} />{t('rollout.back', { revision: rollout.previous })}
        </button>
      )}
    </section>
  );
}

/** The revision that every client obeys, once its roll-out is over: one press still goes back to the one that it replaced. */
export function Standing({ published, onChange }: { published: Revision; onChange: () => void }) {
  const project = useProject();
  const work = useWork();
  const [before, setBefore] = useState<number | null>(null);
  useEffect(() => {
    void readRevisions(project.slug).then(({ revisions }) => setBefore(revisions.find((one) => one.state === 'superseded')?.revision ?? null), () => setBefore(null));
  }, [project.slug, published.revision]);
  if (before === null) return null;
  return (
    <section className="panel rollout" aria-label={t('rollout.title')}>
      <div className="grow stack-tight">
        <strong>{t('rollout.revision', { revision: published.revision, percent: 100 })}</strong>
        {work.error && <ErrorNote error={work.error} />}
      </div>
      <button type="button" className="button button-bad" disabled={work.busy} onClick={() => void work.run(() => rollBack(project.slug, before, t('rollout.back.note', { revision: published.revision }))).then(onChange)}>
        <Icon name="refresh" size={16} />{t('rollout.back', { revision: before })}
      </button>
    </section>
  );
}
