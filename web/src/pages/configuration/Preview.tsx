// What the configuration would do to events, before anybody is recorded by it: per rule, per column, and single events before and after.
import { useEffect, useState } from 'react';
import type { Preview as PreviewAnswer, PreviewEvent, PreviewRule } from '../../client';
import { previewConfiguration } from '../../client/configuration';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { Segmented } from '../../components/Segmented';
import { formatBytes, formatNumber, NOTHING } from '../../format';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { useWork } from '../../state/work';
import { t } from '../../text';
import { useDraft } from './draft';

const DAYS = 7;
/** The preview is asked for when typing has paused this long. */
const PREVIEW_MS = 400;
/** Errors that keep a configuration from being published, but not from being tried out. */
const HARMLESS: ReadonlySet<string> = new Set(['test_failed', 'consent_must_rise', 'revision_must_rise', 'consent_text_missing']);
type Source = 'sample' | 'own';
type Counted = PreviewAnswer['columns'][number];

export function Preview() {
  const project = useProject();
  const draft = useDraft();
  const { query } = usePlace();
  const work = useWork();
  const [answer, setAnswer] = useState<PreviewAnswer | null>(null);
  const source: Source = query.get('source') === 'own' ? 'own' : 'sample';
  const readable = draft.root !== null && draft.check !== null && !draft.problems.some((one) => one.severity === 'error' && !HARMLESS.has(one.code));
  useEffect(() => {
    if (!readable) return;
    const timer = setTimeout(() => void work.run(() => previewConfiguration(project.slug, draft.text, source, DAYS)).then((said) => { if (said) setAnswer(said); }), PREVIEW_MS);
    return () => clearTimeout(timer);
  }, [draft.text, source, readable]);
  return (
    <div className="stack">
      <div className="row row-wrap">
        <Segmented label={t('preview.source')} value={source} onChange={(next) => changeQuery({ source: next === 'sample' ? null : next })} choices={[{ value: 'sample', text: t('preview.sample') }, { value: 'own', text: t('preview.own', { days: DAYS }) }]} />
        {answer && <span className="muted">{t('preview.about', { count: answer.events, users: answer.users, days: answer.days })}</span>}
      </div>
      {work.error ? <ErrorNote error={work.error} /> : !readable && !answer ? <div className="panel"><Empty icon="warning" title={t('preview.broken')}>{t('preview.broken.text')}</Empty></div> : !answer ? <Waiting height={420} /> : <Answered answer={answer} />}
    </div>
  );
}

function Answered({ answer }: { answer: PreviewAnswer }) {
  const rules: TableColumn<PreviewRule>[] = [
    { name: 'rule', title: t('preview.rule'), head: true, show: (row) => (row.kind === 'gate' ? <span className="muted">{t('preview.gate', { gate: row.rule })}</span> : row.kind === 'rule' ? row.rule : <span className="muted">{t(row.kind === 'otherwise' ? 'rules.otherwise' : 'preview.recording')}</span>) },
    { name: 'admitted', title: t('preview.admitted'), numeric: true, value: (row) => row.admitted, show: (row) => formatNumber(row.admitted) },
    { name: 'columns', title: t('preview.columns'), numeric: true, value: (row) => row.columns, show: (row) => formatNumber(row.columns) },
    { name: 'hashed', title: t('fate.hashed'), numeric: true, value: (row) => row.hashed, show: (row) => formatNumber(row.hashed) },
    { name: 'replaced', title: t('fate.replaced'), numeric: true, value: (row) => row.replaced, show: (row) => formatNumber(row.replaced) },
    { name: 'dropped', title: t('preview.dropped'), numeric: true, value: (row) => row.dropped, show: (row) => formatNumber(row.dropped) },
    { name: 'screenshots', title: t('preview.screenshots'), numeric: true, value: (row) => row.screenshots, show: (row) => formatNumber(row.screenshots) },
    { name: 'bytes', title: t('preview.bytes'), numeric: true, value: (row) => row.bytes_per_day_user, show: (row) => formatBytes(row.bytes_per_day_user) },
  ];
  const columns: TableColumn<Counted>[] = [
    { name: 'column', title: t('outcome.column'), head: true, value: (row) => row.column, show: (row) => <span className="mono">{row.column}</span> },
    ...(['sent', 'hashed', 'replaced', 'redacted', 'dropped'] as const).map((fate): TableColumn<Counted> => ({ name: fate, title: t(`fate.${fate}`), numeric: true, value: (row) => row[fate], show: (row) => formatNumber(row[fate]) })),
  ];
  return (
    <>
      <section className="panel" aria-label={t('preview.rules')}>
        <div className="panel-head"><h2>{t('preview.rules')}</h2></div>
        <div className="panel-body stack-tight">
          {answer.never_matched.length > 0 && <p className="note note-warm">{t('preview.never', { count: answer.never_matched.length, rules: answer.never_matched.join(', ') })}</p>}
          <DataTable label={t('preview.rules')} columns={rules} rows={answer.rules} rowKey={(row) => `${row.kind} ${row.rule}`} height_px={520} />
        </div>
      </section>
      <section className="panel" aria-label={t('preview.byColumn')}>
        <div className="panel-head"><h2>{t('preview.byColumn')}</h2></div>
        <div className="panel-body"><DataTable label={t('preview.byColumn')} columns={columns} rows={answer.columns} rowKey={(row) => row.column} height_px={420} /></div>
      </section>
      <section className="panel" aria-label={t('preview.events')}>
        <div className="panel-head"><h2>{t('preview.events')}</h2></div>
        <div className="panel-body"><ul className="preview-events">{answer.events_shown.map((event) => <EventItem key={event.seq} event={event} />)}</ul></div>
      </section>
    </>
  );
}

const OUTCOMES: Record<string, { sign: string; className: string }> = { log: { sign: '✓', className: 'tag-good' }, drop: { sign: '–', className: '' }, refused: { sign: '✕', className: 'tag-warm' } };

function EventItem({ event: { event_type, decision, columns } }: { event: PreviewEvent }) {
  const outcome = decision.outcome === 'log' || decision.outcome === 'drop' ? decision.outcome : 'refused';
  return (
    <li>
      <details>
        <summary>
          <span className={`tag ${OUTCOMES[outcome]!.className}`}><span aria-hidden="true">{OUTCOMES[outcome]!.sign}</span>{t(`preview.outcome.${outcome}`)}</span>
          <strong className="mono">{event_type}</strong><span className="muted truncate">{decision.rule}</span>
        </summary>
        <table className="table small">
          <thead><tr><th scope="col">{t('outcome.column')}</th><th scope="col">{t('preview.before')}</th><th scope="col">{t('preview.after')}</th><th scope="col">{t('preview.what')}</th></tr></thead>
          <tbody>{columns.map((cell) => <tr key={cell.column}><th scope="row" className="mono">{cell.column}</th><td className="text">{cell.before ?? NOTHING}</td><td className="text">{cell.after ?? NOTHING}</td><td>{t(`fate.${cell.what}`)}</td></tr>)}</tbody>
        </table>
      </details>
    </li>
  );
}
