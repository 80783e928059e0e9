// Asks the tables with SQL: run, cancel, result, export, and what was asked before.
import { useRef, useState } from 'react';
import { cancelQuery, exportQuery, type PastQuery, path, type QueryResult, runQuery, type ServiceError } from '../../client';
import { AnswerTable } from '../../components/AnswerTable';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote } from '../../components/Notice';
import { Popover } from '../../components/Popover';
import { formatBytes, formatDuration, formatNumber, formatTime } from '../../format';
import { formatPlainCell } from '../../format/cells';
import { saveFile } from '../../format/save';
import { asServiceError, useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { t } from '../../text';
import CodeEditor, { type Mark } from './CodeEditor';

/** Rows shown below the editor; an export has them all. */
const PREVIEW_ROWS = 10_000;
const FIRST_QUERY = 'SELECT *\nFROM stg_events';

type Doing =
  | { state: 'nothing' }
  | { state: 'running'; id: string; cancelling: boolean }
  | { state: 'done'; result: QueryResult; sql: string }
  | { state: 'failed'; error: ServiceError };

const plainTitle = (name: string) => name;

export default function Sql() {
  const project = useProject();
  const { query } = usePlace();
  const schema = useAnswer(path.tables(project.slug)).answer;
  const limits = useAnswer(path.limits(project.slug)).answer;
  const past = useAnswer(path.history(project.slug));
  const [text, setText] = useState(query.get('sql') ?? FIRST_QUERY);
  const [doing, setDoing] = useState<Doing>({ state: 'nothing' });
  const running = useRef<string | null>(null);

  const run = async () => {
    if (running.current) return;
    const id = crypto.randomUUID();
    running.current = id;
    setDoing({ state: 'running', id, cancelling: false });
    changeQuery({ sql: text }, { replace: true });
    try {
      setDoing({ state: 'done', result: await runQuery(project.slug, text, PREVIEW_ROWS, id), sql: text });
    } catch (cause) {
      setDoing({ state: 'failed', error: asServiceError(cause) });
    }
    running.current = null;
    past.again();
  };
  const cancel = () => {
    if (!running.current) return;
    setDoing({ state: 'running', id: running.current, cancelling: true });
    void cancelQuery(project.slug, running.current).catch((cause) => setDoing({ state: 'failed', error: asServiceError(cause) }));
  };
  const busy = doing.state === 'running';
  return (
    <div className="stack">
      <section className="panel" aria-label={t('sql.editor')}>
        <div className="panel-head">
          <h2>{t('sql.editor')}</h2>
          {busy && <button type="button" className="button button-bad button-small" onClick={cancel} disabled={doing.cancelling}><Icon name="stop" size={14} />{t('sql.cancel')}</button>}
          <button type="button" className="button button-primary button-small" onClick={() => void run()} disabled={busy}>
            <Icon name="play" size={14} />{busy ? t('sql.running') : t('sql.run')}
          </button>
          <ExportMenu sql={text} onError={(error) => setDoing({ state: 'failed', error })} />
        </div>
        <div className="sql-place">
          <CodeEditor
            label={t('sql.editor')} text={text} tables={schema?.tables ?? []} functions={schema?.functions ?? []}
            mark={markOf(doing)} onChange={setText} onRun={() => void run()}
          />
        </div>
        <p className="sql-limits muted small">
          {t('sql.keys')}{limits && ` · ${t('sql.limits', { time: formatDuration(limits.seconds), memory: formatBytes(limits.memory_bytes), rows: limits.preview_rows })}`}
        </p>
      </section>
      <section className="panel" aria-label={t('sql.result')} aria-busy={busy}>
        <div className="panel-head">
          <h2>{t('sql.result')}</h2>
          <span role="status" className="muted small" style={{ paddingInlineEnd: 8 }} data-query={doing.state}>{resultWords(doing)}</span>
        </div>
        <div className="panel-body">
          {doing.state === 'failed' ? <ErrorNote error={doing.error} />
            : doing.state === 'done' ? (
              doing.result.rows.length === 0 ? <Empty icon="table" title={t('sql.noRows')} /> : <AnswerTable answer={doing.result} label={t('sql.result')} height_px={460} format={formatPlainCell} title={plainTitle} />
            ) : busy ? <div className="progress progress-endless"><span /></div>
            : <p className="muted">{t('sql.first')}</p>}
        </div>
      </section>
      <History queries={past.answer?.queries ?? []} onUse={setText} />
    </div>
  );
}

function markOf(doing: Doing): Mark | null {
  if (doing.state !== 'failed' || doing.error.line === null) return null;
  return marks.get(doing.error) ?? remember(doing.error);
}

/** One mark per error, so that the editor is told once and the caret stays where a person puts it afterwards. */
const marks = new WeakMap<ServiceError, Mark>();
function remember(error: ServiceError): Mark {
  const mark = { line: error.line!, column: error.column ?? 1, message: error.message };
  marks.set(error, mark);
  return mark;
}

function resultWords(doing: Doing): string {
  if (doing.state === 'running') return doing.cancelling ? t('sql.cancelling') : t('sql.running');
  if (doing.state === 'failed') return doing.error.code === 'cancelled' ? t('sql.cancelled') : t('sql.failed');
  if (doing.state === 'nothing') return '';
  const { rows, row_count, truncated, elapsed_ms, bytes_scanned } = doing.result;
  const count = truncated ? t('sql.part', { shown: rows.length, total: formatNumber(row_count) }) : t('count.rows', { count: rows.length });
  return [count, formatDuration(elapsed_ms / 1000), bytes_scanned ? t('sql.scanned', { bytes: formatBytes(bytes_scanned) }) : ''].filter(Boolean).join(' · ');
}

function ExportMenu({ sql, onError }: { sql: string; onError: (error: ServiceError) => void }) {
  const project = useProject();
  const save = async (format: 'csv' | 'parquet') => {
    try {
      const { blob, name } = await exportQuery(project.slug, sql, format);
      saveFile(blob, name ?? `${project.slug}-query.${format}`);
    } catch (cause) {
      onError(asServiceError(cause));
    }
  };
  return (
    <Popover className="button button-small" align="end" boxClassName="menu" button={<><Icon name="download" size={16} />{t('sql.export')}</>}>
      {(close) => (
        <>
          <button type="button" className="menu-item" onClick={() => { close(); void save('csv'); }}>{t('download.csv')}</button>
          <button type="button" className="menu-item" onClick={() => { close(); void save('parquet'); }}>{t('download.parquet')}</button>
        </>
      )}
    </Popover>
  );
}

function History({ queries, onUse }: { queries: PastQuery[]; onUse: (sql: string) => void }) {
  const columns: TableColumn<PastQuery>[] = [
    { name: 'sql', title: t('sql.asked'), show: (row) => <button type="button" className="button-link mono sql-past" onClick={() => onUse(row.sql)} title={row.sql}>{row.sql.replace(/\s+/g, ' ')}</button> },
    { name: 'state', title: t('column.state'), value: (row) => row.state, show: (row) => <span className={`tag ${row.state === 'failed' ? 'tag-bad' : ''}`} title={row.message ?? undefined}>{t(`state.${row.state}`)}</span> },
    { name: 'rows', title: t('tables.rows'), numeric: true, value: (row) => row.rows, show: (row) => formatNumber(row.rows) },
    { name: 'elapsed', title: t('sql.took'), numeric: true, value: (row) => row.elapsed_ms, show: (row) => formatDuration(row.elapsed_ms === null ? null : row.elapsed_ms / 1000) },
    { name: 'started', title: t('import.when'), value: (row) => row.started_at, show: (row) => formatTime(row.started_at) },
  ];
  return (
    <section className="panel" aria-label={t('sql.history')}>
      <div className="panel-head"><h2>{t('sql.history')}</h2></div>
      <div className="panel-body">
        {queries.length === 0 ? <p className="muted">{t('sql.history.none')}</p> : <DataTable label={t('sql.history')} columns={columns} rows={queries} rowKey={(row) => row.id} height_px={300} />}
      </div>
    </section>
  );
}
