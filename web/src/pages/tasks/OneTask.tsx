// One task: what it is called and how often it is done, its flow, what recurs, its variants, its instances, and what one can say about it.
import { useMemo } from 'react';
import type { Task, TaskInstance, TaskPattern, TaskStep, TaskVariant } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { AnswerFailure, Empty, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { Pager } from '../../components/Pager';
import { Sequence } from '../../components/Sequence';
import { formatDuration, formatNumber, formatShare, formatTime } from '../../format';
import { type AskedAnalysis, useAnalysis } from '../../state/analysis';
import { changeQuery, usePlace } from '../../state/location';
import { may } from '../../state/permissions';
import { useProject } from '../../state/project';
import { t } from '../../text';
import { Correct } from './Correct';
import { Flow } from './Flow';
import { TakeAway } from './TakeAway';

const INSTANCE_ROWS = 25;
const VARIANT_ROWS = 6;
const STEPS_MAX = 2000;
/** Steps drawn of one variant or pattern before somebody asks for the rest. */
const STEPS_DRAWN_MAX = 14;

export function OneTask({ id, tasks, asked }: { id: string; tasks: Task[]; asked: AskedAnalysis }) {
  const project = useProject();
  const steps = useAnalysis('task_steps', { task: id, limit: STEPS_MAX });
  const task = tasks.find((one) => one.task === id);
  if (asked.error) return <AnswerFailure error={asked.error} again={asked.again} />;
  if (!asked.answer || (asked.loading && !task)) return <Waiting height={520} />;
  if (!task) {
    return (
      <section className="panel">
        <Empty icon="tasks" title={t('tasks.gone.title')} actions={<PageLink page="tasks" className="button">{t('tasks.back')}</PageLink>}>{t('tasks.gone.text')}</Empty>
      </section>
    );
  }
  const found = steps.answer ? records<TaskStep>(steps.answer) : [];
  return (
    <div className="stack">
      <section className="panel" aria-labelledby="task-name">
        <div className="panel-body stack task-head">
          <div className="task-title">
            <PageLink page="tasks" className="small"><Icon name="left" size={14} /> {t('tasks.back')}</PageLink>
            <h2 id="task-name">{task.name}</h2>
            <p className="row row-wrap muted">
              {t('tasks.in', { applications: task.applications.join(', ') })}
              {task.standing === 'confirmed' && <span className="tag tag-good">{t('tasks.confirmed')}</span>}
              {task.standing === 'rejected' && <span className="tag">{t('tasks.rejected')}</span>}
            </p>
          </div>
          <div className="row row-wrap">
            {may('sql', project) && <Correct task={task} tasks={tasks} steps={found} />}
            {task.standing !== 'rejected' && <TakeAway task={task} />}
          </div>
        </div>
      </section>
      <Figures task={task} />
      {task.standing !== 'rejected' && <Flow id={id} steps={steps} />}
      {task.standing !== 'rejected' && <Patterns id={id} />}
      {task.standing !== 'rejected' && <Variants id={id} />}
      {may('raw', project) ? <Instances id={id} /> : <p className="note small"><Icon name="lock" size={16} />{t('tasks.instancesDenied')}</p>}
    </div>
  );
}

function Figures({ task }: { task: Task }) {
  return (
    <dl className="figures" aria-label={t('tasks.figures')}>
      <Figure name={t('tasks.instances')} value={formatNumber(task.instances)} note={t('tasks.inOrders', { count: task.variants })} />
      <Figure name={t('tasks.people')} value={formatNumber(task.users)} />
      <Figure name={t('tasks.p50')} value={formatDuration(task.p50_s)} note={`${t('tasks.p90')} ${formatDuration(task.p90_s)}`} />
      <Figure name={t('tasks.activeTime')} value={formatDuration(task.handling_s)} note={t('tasks.ofActive', { share: formatShare(task.share) })} />
    </dl>
  );
}

function Figure({ name, value, note }: { name: string; value: string; note?: string }) {
  return <div className="figure"><dt>{name}</dt><dd>{value}{note && <small>{note}</small>}</dd></div>;
}

function Variants({ id }: { id: string }) {
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('variants')) || 0);
  const asked = useAnalysis('task_variants', { task: id, limit: VARIANT_ROWS, offset });
  const variants = useMemo(() => (asked.answer ? records<TaskVariant>(asked.answer) : []), [asked.answer]);
  return (
    <AnalysisPanel title={t('tasks.variantsOf')} asked={asked}>
      {(answer) => (
        <>
          <p className="muted small">{t('tasks.variants.note', { count: answer.total })}</p>
          <ol className="task-variants">
            {variants.map((variant) => (
              <li key={variant.variant}>
                <p className="row row-wrap small">
                  <Share share={variant.share} />
                  <span className="muted">{t('tasks.instances')}: {formatNumber(variant.instances)} · {t('tasks.people')}: {formatNumber(variant.users)} · {t('tasks.p50')}: {formatDuration(variant.p50_s)}</span>
                  {variant.rework && <span className="tag tag-warm" title={t('variants.rework.note')}>{t('variants.rework')}</span>}
                </p>
                <Sequence activities={variant.steps} shown_max={STEPS_DRAWN_MAX} wrap />
              </li>
            ))}
          </ol>
          <Pager total={answer.total} offset={offset} page_rows={VARIANT_ROWS} onPage={(next) => changeQuery({ variants: next ? String(next) : null })} />
        </>
      )}
    </AnalysisPanel>
  );
}

function Patterns({ id }: { id: string }) {
  const asked = useAnalysis('task_patterns', { task: id });
  const patterns = useMemo(() => (asked.answer ? records<TaskPattern>(asked.answer) : []), [asked.answer]);
  return (
    <AnalysisPanel title={t('tasks.patternsOf')} asked={asked} nothing={t('tasks.patterns.none')}>
      {() => (
        <>
          <p className="muted small">{t('tasks.patterns.note')}</p>
          <ol className="task-variants">
            {patterns.map((pattern) => (
              <li key={pattern.rank}>
                <p className="row row-wrap small">
                  <Share share={pattern.share} />
                  <span className="muted">
                    {t('tasks.patterns.in', { count: pattern.looked_at, instances: formatNumber(pattern.instances) })} · {t('tasks.people')}: {formatNumber(pattern.users)} · {t('tasks.patterns.cohesion')}: {formatShare(pattern.cohesion)}
                  </span>
                </p>
                <Sequence activities={pattern.steps} shown_max={STEPS_DRAWN_MAX} wrap />
              </li>
            ))}
          </ol>
        </>
      )}
    </AnalysisPanel>
  );
}

/** A share as a bar beside its figure. */
function Share({ share }: { share: number }) {
  return (
    <span className="task-share">
      <span className="bar-track" aria-hidden="true"><span className="bar-fill" style={{ width: `${share * 100}%` }} /></span>
      <strong>{formatShare(share)}</strong>
    </span>
  );
}

function Instances({ id }: { id: string }) {
  const { query } = usePlace();
  const offset = Math.max(0, Number(query.get('instances')) || 0);
  const asked = useAnalysis('task_instances', { task: id, limit: INSTANCE_ROWS, offset });
  const columns: TableColumn<TaskInstance>[] = [
    {
      name: 'start', title: t('column.start'), head: true, value: (row) => row.start,
      show: (row) => <PageLink page="timeline" add={{ session: String(row.session), event: String(row.instance) }} label={`${t('tasks.open')}: ${formatTime(row.start)}`}>{formatTime(row.start)}</PageLink>,
    },
    { name: 'user', title: t('column.user'), value: (row) => row.user, show: (row) => String(row.user) },
    { name: 'events', title: t('column.events'), numeric: true, value: (row) => row.events, show: (row) => formatNumber(row.events) },
    { name: 'duration_s', title: t('column.duration_s'), numeric: true, value: (row) => row.duration_s, show: (row) => formatDuration(row.duration_s) },
    { name: 'handling_s', title: t('column.handling_s'), numeric: true, value: (row) => row.handling_s, show: (row) => formatDuration(row.handling_s) },
    { name: 'confidence', title: t('tasks.confidence'), numeric: true, value: (row) => row.confidence, show: (row) => formatShare(row.confidence) },
  ];
  return (
    <AnalysisPanel title={t('tasks.instancesOf')} asked={asked}>
      {(answer) => (
        <>
          <DataTable label={t('tasks.instancesOf')} columns={columns} rows={records<TaskInstance>(answer)} rowKey={(row) => row.instance} />
          <Pager total={answer.total} offset={offset} page_rows={INSTANCE_ROWS} onPage={(next) => changeQuery({ instances: next ? String(next) : null })} />
        </>
      )}
    </AnalysisPanel>
  );
}
