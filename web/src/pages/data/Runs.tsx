// What the jobs did: every run with its rows, time and memory, and the errors with their place in the SQL.
import { cancelRun, path, type Run } from '../../client';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { Pager } from '../../components/Pager';
import { formatBytes, formatDuration, formatNumber, formatTime } from '../../format';
import { forgetAnswers, useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { t } from '../../text';
import { StateTag } from './StateTag';

const PAGE_ROWS = 100;

export default function Runs() {
  const project = useProject();
  const { query } = usePlace();
  const job = query.get('job');
  const offset = Math.max(0, Number(query.get('offset')) || 0);
  const { answer, error, again } = useAnswer(path.runs(project.slug, { job: job || undefined, limit: PAGE_ROWS, offset }));
  const columns: TableColumn<Run>[] = [
    { name: 'job', title: t('jobs.job'), head: true, value: (run) => run.job, show: (run) => <PageLink page="data" part="jobs" add={{ job: run.job }}><span className="mono">{run.job}</span></PageLink> },
    { name: 'state', title: t('column.state'), value: (run) => run.state, show: (run) => <StateTag state={run.state} /> },
    { name: 'started', title: t('runs.started'), value: (run) => run.started_at, show: (run) => formatTime(run.started_at) },
    { name: 'took', title: t('jobs.took'), numeric: true, value: (run) => run.duration_ms, show: (run) => formatDuration(run.duration_ms === null ? null : run.duration_ms / 1000) },
    { name: 'in', title: t('runs.rowsIn'), numeric: true, value: (run) => run.rows_in, show: (run) => formatNumber(run.rows_in) },
    { name: 'out', title: t('runs.rowsOut'), numeric: true, value: (run) => run.rows_out, show: (run) => formatNumber(run.rows_out) },
    { name: 'memory', title: t('runs.memory'), numeric: true, value: (run) => run.peak_memory_bytes, show: (run) => formatBytes(run.peak_memory_bytes) },
    { name: 'parts', title: t('runs.reused'), numeric: true, show: (run) => (run.partitions === null ? '' : t('runs.reusedOf', { reused: run.partitions_reused ?? 0, all: run.partitions })) },
    {
      name: 'error', title: t('runs.error'), wrap: true,
      show: (run) => (run.error ? <span>{run.error.message}{run.error.line ? ` ${t('error.at', { line: run.error.line, column: run.error.column ?? 1 })}` : ''}</span>
        : run.state === 'running' || run.state === 'queued' ? (
          <button type="button" className="button button-small" onClick={() => void cancelRun(project.slug, run.id).finally(forgetAnswers)}><Icon name="stop" size={14} />{t('action.cancel')}</button>
        ) : ''),
    },
  ];
  return (
    <section className="panel" aria-label={t('data.runs')}>
      <div className="panel-head">
        <h2>{job ? t('runs.of', { job }) : t('runs.title')}</h2>
        {job && <button type="button" className="button button-small" onClick={() => changeQuery({ job: null, offset: null })}>{t('runs.all')}</button>}
        <button type="button" className="button button-quiet button-icon button-small" aria-label={t('action.again')} onClick={again}><Icon name="refresh" size={16} /></button>
      </div>
      <div className="panel-body">
        {error ? <ErrorNote error={error} again={again} />
          : !answer ? <Waiting height={420} />
          : answer.runs.length === 0 ? <Empty icon="timeline" title={t('runs.none')} actions={<PageLink page="data" part="jobs" className="button">{t('data.jobs')}</PageLink>}>{t('runs.none.text')}</Empty>
          : <DataTable label={t('data.runs')} columns={columns} rows={answer.runs} rowKey={(run) => run.id} height_px={720} />}
        {answer && <Pager total={answer.total} offset={offset} page_rows={PAGE_ROWS} onPage={(next) => changeQuery({ offset: next ? String(next) : null })} />}
      </div>
    </section>
  );
}
