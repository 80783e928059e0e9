// The jobs that build the tables: their state, their SQL, and what one may change: replace, add, switch off, schedule, run, cancel.
import { useState } from 'react';
import { cancelRun, type Job, path, type ServiceError, startRun } from '../../client';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { Empty, ErrorNote, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { formatDuration, formatNumber, formatTime } from '../../format';
import { asServiceError, forgetAnswers, useAnswer } from '../../state/answers';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { t } from '../../text';
import { JobDialog } from './JobDialog';
import { StateTag } from './StateTag';

const POLL_MS = 1500;

export default function Jobs() {
  const project = useProject();
  const { query } = usePlace();
  const [active, setActive] = useState(false);
  const { answer, error, again } = useAnswer(path.jobs(project.slug), active ? POLL_MS : null);
  const [failure, setFailure] = useState<ServiceError | null>(null);
  const jobs = answer?.jobs ?? [];
  const working = jobs.some((job) => job.state === 'running');
  if (working !== active) setActive(working);

  const attempt = async (work: () => Promise<unknown>) => {
    setFailure(null);
    try {
      await work();
      forgetAnswers();
      setActive(true);
    } catch (cause) {
      setFailure(asServiceError(cause));
    }
  };
  if (error && !answer) return <ErrorNote error={error} again={again} />;
  if (!answer) return <Waiting height={420} />;

  const columns: TableColumn<Job>[] = [
    { name: 'name', title: t('jobs.job'), head: true, value: (job) => job.name, show: (job) => <button type="button" className="button-link mono" onClick={() => changeQuery({ job: job.name })}>{job.name}</button> },
    { name: 'state', title: t('column.state'), value: (job) => job.state, show: (job) => (job.enabled ? <StateTag state={job.state} /> : <span className="tag">{t('jobs.off')}</span>) },
    { name: 'origin', title: t('jobs.origin'), value: (job) => job.origin, show: (job) => (job.origin === 'built-in' ? <span className="muted">{t('origin.built-in')}</span> : <span className="tag tag-accent">{t(`origin.${job.origin}`)}</span>) },
    { name: 'reads', title: t('jobs.reads'), show: (job) => <span className="mono job-reads" title={job.reads.join(', ')}>{job.reads.join(', ')}</span> },
    { name: 'schedule', title: t('jobs.schedule'), value: (job) => job.schedule, show: (job) => scheduleWords(job.schedule) },
    { name: 'rows', title: t('tables.rows'), numeric: true, value: (job) => job.rows, show: (job) => formatNumber(job.rows) },
    { name: 'took', title: t('jobs.took'), numeric: true, value: (job) => job.last_run?.duration_ms, show: (job) => formatDuration(job.last_run?.duration_ms == null ? null : job.last_run.duration_ms / 1000) },
    { name: 'last', title: t('jobs.last'), value: (job) => job.last_run?.started_at, show: (job) => <PageLink page="data" part="runs" add={{ job: job.name }}>{formatTime(job.last_run?.started_at ?? job.built_at)}</PageLink> },
    {
      name: 'do', title: t('jobs.do'),
      show: (job) => (job.state === 'running' && job.last_run ? (
        <button type="button" className="button button-small" onClick={() => void attempt(() => cancelRun(project.slug, job.last_run!.id))} aria-label={t('jobs.cancelOne', { job: job.name })}><Icon name="stop" size={14} />{t('action.cancel')}</button>
      ) : (
        <button type="button" className="button button-small" disabled={!job.enabled} onClick={() => void attempt(() => startRun(project.slug, { jobs: [job.name] }))} aria-label={t('jobs.runOne', { job: job.name })}><Icon name="play" size={14} />{t('sql.run')}</button>
      )),
    },
  ];
  const opened = jobs.find((job) => job.name === query.get('job'));
  return (
    <section className="panel" aria-label={t('data.jobs')}>
      <div className="panel-head">
        <h2>{t('jobs.title')}</h2>
        <button type="button" className="button button-small" onClick={() => changeQuery({ job: '+' })}><Icon name="plus" size={16} />{t('jobs.add')}</button>
        <button type="button" className="button button-small" onClick={() => void attempt(() => startRun(project.slug, { all: true }))}>{t('jobs.runAll')}</button>
        <button type="button" className="button button-primary button-small" onClick={() => void attempt(() => startRun(project.slug, {}))}><Icon name="play" size={14} />{t('jobs.runStale')}</button>
      </div>
      <div className="panel-body stack">
        {failure && <ErrorNote error={failure} />}
        {jobs.length === 0 ? <Empty icon="refresh" title={t('jobs.none')}>{t('jobs.none.text')}</Empty> : <DataTable label={t('data.jobs')} columns={columns} rows={jobs} rowKey={(job) => job.name} height_px={720} />}
      </div>
      {(opened || query.get('job') === '+') && <JobDialog key={opened?.name ?? '+'} job={opened ?? null} onClose={() => changeQuery({ job: null })} />}
    </section>
  );
}

function scheduleWords(schedule: string): string {
  if (schedule === 'on-data') return t('schedule.onData');
  return schedule === 'manual' ? t('schedule.manual') : schedule;
}
