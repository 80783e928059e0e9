// Every revision that was published, with who, when, why, and what it changed. A lead can take an old one up again.
import { useState } from 'react';
import type { Revision, Rollout } from '../../client';
import { configurationPath, rollBack } from '../../client/configuration';
import { Confirm } from '../../components/Confirm';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { formatTime } from '../../format';
import { saveFile } from '../../format/save';
import { useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { t } from '../../text';
import { ChangeList } from './Changes';
import { Diff } from './Diff';

const SIGNS: Record<Revision['state'], { sign: string; className: string }> = {
  active: { sign: '✓', className: 'tag-good' }, rolling_out: { sign: '…', className: 'tag-accent' }, superseded: { sign: '–', className: '' }, rolled_back: { sign: '↩', className: 'tag-warm' },
};

interface RevisionsProps { rollout?: Rollout | null; onChange?: () => void }

export function Revisions({ rollout, onChange }: RevisionsProps) {
  const project = useProject();
  const { query } = usePlace();
  const { answer, error, again } = useAnswer(configurationPath.revisions(project.slug));
  const [back, setBack] = useState<Revision | null>(null);
  const newest = answer?.revisions[0]?.revision ?? null;
  const shown = answer?.revisions.find((one) => String(one.revision) === query.get('revision')) ?? null;
  const columns: TableColumn<Revision>[] = [
    { name: 'revision', title: t('revisions.revision'), head: true, value: (one) => one.revision, show: (one) => <button type="button" className="button-link" onClick={() => changeQuery({ revision: String(one.revision) })}>{t('revisions.number', { revision: one.revision })}</button> },
    { name: 'state', title: t('keys.state'), value: (one) => one.state, show: (one) => <span className={`tag ${SIGNS[one.state].className}`}><span aria-hidden="true">{SIGNS[one.state].sign}</span>{t(`revisions.state.${one.state}`)}</span> },
    { name: 'at', title: t('revisions.at'), value: (one) => one.published_at, show: (one) => formatTime(one.published_at) },
    { name: 'by', title: t('revisions.by'), value: (one) => one.published_by.name, show: (one) => one.published_by.name },
    { name: 'note', title: t('publish.note'), wrap: true, show: (one) => one.note },
    { name: 'keeps', title: t('revisions.keeps'), show: (one) => <span className="row" style={{ gap: 4 }}>{one.screenshots && <span className="tag tag-warm"><Icon name="picture" size={12} />{t('revisions.pictures')}</span>}{one.text && <span className="tag tag-warm"><Icon name="text" size={12} />{t('revisions.text')}</span>}</span> },
    { name: 'do', title: t('people.do'), show: (one) => (may('lead', project) && one.revision !== newest ? <button type="button" className="button button-small" aria-label={t('revisions.backTo', { revision: one.revision })} onClick={() => setBack(one)}>{t('revisions.back')}</button> : '') },
  ];
  return (
    <section className="panel" aria-label={t('configuration.revisions')}>
      <div className="panel-head"><h2>{t('configuration.revisions')}</h2></div>
      <div className="panel-body">
        {error ? <ErrorNote error={error} again={again} /> : !answer ? <Waiting height={200} />
          : answer.revisions.length === 0 ? <Empty icon="timeline" title={t('revisions.none')}>{t('revisions.none.text')}</Empty>
          : <DataTable key={rollout?.revision} label={t('configuration.revisions')} columns={columns} rows={answer.revisions} rowKey={(one) => one.revision} height_px={720} />}
      </div>
      {shown && <RevisionDialog revision={shown.revision} onClose={() => changeQuery({ revision: null })} />}
      {back && (
        <Confirm
          title={t('revisions.backTo', { revision: back.revision })} action={t('revisions.back')} onClose={() => setBack(null)}
          onConfirm={async () => { await rollBack(project.slug, back.revision, t('revisions.back.note', { revision: back.revision })); again(); onChange?.(); }}
        >
          <p>{t('revisions.back.text')}</p>
        </Confirm>
      )}
    </section>
  );
}

/** One revision; asked for alone, it comes with its text and what it changed. */
function RevisionDialog({ revision, onClose }: { revision: number; onClose: () => void }) {
  const project = useProject();
  const { answer, error } = useAnswer(configurationPath.revision(project.slug, revision));
  const { xml = '', changes = [] } = answer ?? {};
  const before = useAnswer(revision > 1 ? configurationPath.revision(project.slug, revision - 1) : null);
  return (
    <Dialog wide title={t('revisions.number', { revision })} onClose={onClose}>
      {error ? <ErrorNote error={error} /> : !answer ? <Waiting height={320} /> : (
        <>
          <p>{answer.note} <span className="muted">{t('revisions.signed', { name: answer.published_by.name, at: formatTime(answer.published_at) })}</span></p>
          <ChangeList changes={changes} />
          {revision > 1 ? before.answer && <Diff old={before.answer.xml ?? ''} now={xml} label={t('changes.lines')} /> : <pre className="new-xml" tabIndex={0} role="group" aria-label={t('configuration.text')}>{xml}</pre>}
          <dl className="fact-rows small revision-facts">
            <div><dt>SHA-256</dt><dd><code>{answer.sha256}</code></dd></div>
            <div><dt>{t('revisions.signature')}</dt><dd><code>{answer.signature}</code></dd></div>
            <div><dt>{t('revisions.key')}</dt><dd><code>{answer.key}</code></dd></div>
          </dl>
          <div className="dialog-foot"><button type="button" className="button" onClick={() => saveFile(new Blob([xml], { type: 'application/xml' }), `${project.slug}-${revision}.xml`)}><Icon name="download" size={16} />{t('configuration.export')}</button></div>
        </>
      )}
    </Dialog>
  );
}
