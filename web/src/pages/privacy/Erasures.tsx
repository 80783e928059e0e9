// Erasing what was recorded of one participant, with a certificate, and handing out a participant's own data.
import { type FormEvent, useState } from 'react';
import type { Erasure } from '../../client';
import { erase, privacyPath } from '../../client/privacy';
import { Confirm } from '../../components/Confirm';
import { CopyBox } from '../../components/Copy';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Dialog } from '../../components/Dialog';
import { Empty, PartFailure, Waiting } from '../../components/Notice';
import { formatNumber, formatTime } from '../../format';
import { useAnswer } from '../../state/answers';
import { useProject } from '../../state/project';
import { t } from '../../text';

const POLL_MS = 2_000;
const FIGURES = ['rows', 'marts', 'pictures', 'dead_letters', 'files_rewritten'] as const;

export function Erasures() {
  const project = useProject();
  const [running, setRunning] = useState(false);
  const { answer, error, again } = useAnswer(privacyPath.erasures(project.slug), running ? POLL_MS : null);
  const busy = answer?.erasures.some((one) => one.state === 'running') ?? false;
  if (busy !== running) setRunning(busy);
  const [agent, setAgent] = useState('');
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState<Erasure | null>(null);
  const columns: TableColumn<Erasure>[] = [
    { name: 'subject', title: t('requests.subject'), head: true, show: (row) => <code>{row.subject}</code> },
    { name: 'state', title: t('keys.state'), show: (row) => (row.state === 'done' ? <span className="tag tag-good"><span aria-hidden="true">✓</span>{t('state.done')}</span> : <span className="tag tag-accent"><span aria-hidden="true">…</span>{t('state.running')}</span>) },
    { name: 'asked', title: t('erasures.asked'), show: (row) => formatTime(row.asked_at) },
    { name: 'done', title: t('erasures.done'), show: (row) => formatTime(row.done_at) },
    { name: 'certificate', title: t('erasures.certificate'), show: (row) => (row.certificate ? <button type="button" className="button button-small" onClick={() => setShown(row)}>{t('erasures.show')}</button> : '') },
  ];
  const submit = (event: FormEvent) => { event.preventDefault(); setAsking(true); };
  return (
    <div className="stack">
      <form className="panel" aria-label={t('erasures.one')} onSubmit={submit}>
        <div className="panel-head"><h2>{t('erasures.one')}</h2></div>
        <div className="panel-body stack-tight">
          <p className="muted">{t('erasures.text')}</p>
          <label className="field"><span>{t('requests.subject')}</span><input className="input mono" required value={agent} onChange={(event) => setAgent(event.target.value.trim())} /></label>
          <div className="row row-wrap">
            {(['json', 'parquet'] as const).map((format) => <a key={format} className="button" aria-disabled={!agent} href={agent ? privacyPath.ownData(project.slug, agent, format) : undefined} download>{t('erasures.export', { format: format === 'json' ? 'JSON' : 'Parquet' })}</a>)}
            <span className="grow" />
            <button type="submit" className="button button-bad" disabled={!agent}>{t('erasures.erase')}</button>
          </div>
        </div>
      </form>
      <section className="panel" aria-label={t('privacy.erasures')}>
        <div className="panel-head"><h2>{t('privacy.erasures')}</h2></div>
        <div className="panel-body">
          {error ? <PartFailure error={error} again={again} /> : !answer ? <Waiting height={160} />
            : answer.erasures.length === 0 ? <Empty icon="check" title={t('erasures.none')}>{t('erasures.none.text')}</Empty>
            : <DataTable label={t('privacy.erasures')} columns={columns} rows={answer.erasures} rowKey={(row) => row.id} height_px={480} />}
        </div>
      </section>
      {asking && <Confirm title={t('erasures.sure')} action={t('erasures.erase')} onClose={() => { setAsking(false); again(); }} onConfirm={() => erase(project.slug, agent)}><p>{t('erasures.sure.text')}</p><p><code>{agent}</code></p></Confirm>}
      {shown?.certificate && (
        <Dialog title={t('erasures.certificate')} onClose={() => setShown(null)}>
          <dl className="fact-rows">{FIGURES.map((name) => <div key={name}><dt>{t(`erasures.${name}`)}</dt><dd>{formatNumber(shown.certificate![name])}</dd></div>)}</dl>
          <CopyBox title="SHA-256" text={shown.certificate.sha256} /><CopyBox title={t('erasures.signature')} text={shown.certificate.signature} />
        </Dialog>
      )}
    </div>
  );
}
