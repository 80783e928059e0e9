// The page that answers "which tasks do people do?": a list of what was found, or one task with its flow, variants and instances.
import '../../text/tasks';
import './tasks.css';
import { useMemo } from 'react';
import type { Task } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { PageLink } from '../../components/PageLink';
import { formatDuration, formatNumber, formatShare } from '../../format';
import { readRoute } from '../../routes';
import { useAnalysis } from '../../state/analysis';
import { usePlace } from '../../state/location';
import { t } from '../../text';
import { Corrections } from './Corrections';
import { OneTask } from './OneTask';

/** Tasks asked for; a project has a few dozen. */
const TASKS_MAX = 1000;

export default function Tasks() {
  const { path } = usePlace();
  const { part } = readRoute(path);
  const asked = useAnalysis('tasks', { limit: TASKS_MAX });
  const all = useMemo(() => (asked.answer ? records<Task>(asked.answer) : []), [asked.answer]);
  if (part) return <OneTask key={part} id={part} tasks={all} asked={asked} />;
  const tasks = all.filter((task) => task.standing !== 'rejected');
  const rejected = all.filter((task) => task.standing === 'rejected');
  const share = tasks.reduce((sum, task) => sum + task.share, 0);
  return (
    <div className="stack">
      <AnalysisPanel title={t('tasks.title')} asked={asked} height_px={320} nothing={t('tasks.none')}>
        {() => (
          <div className="stack">
            <p className="muted">{t('tasks.note', { count: tasks.length, share: formatShare(share) })}</p>
            <TaskTable label={t('tasks.title')} tasks={tasks} />
            {rejected.length > 0 && (
              <details className="tasks-rejected">
                <summary>{t('tasks.rejected.title', { count: rejected.length })}</summary>
                <TaskTable label={t('tasks.rejected')} tasks={rejected} />
              </details>
            )}
          </div>
        )}
      </AnalysisPanel>
      <Corrections />
    </div>
  );
}

function TaskTable({ label, tasks }: { label: string; tasks: Task[] }) {
  const most = Math.max(0.0001, ...tasks.map((task) => task.share));
  const columns: TableColumn<Task>[] = [
    {
      name: 'name', title: t('tasks.name'), head: true, wrap: true, value: (task) => task.name,
      show: (task) => (
        <span className="task-name">
          <PageLink page="tasks" part={task.task}>{task.name}</PageLink>
          {task.standing === 'confirmed' && <span className="tag tag-good">{t('tasks.confirmed')}</span>}
          <span className="muted small">{t('tasks.in', { applications: task.applications.join(', ') })}</span>
        </span>
      ),
    },
    { name: 'users', title: t('tasks.people'), numeric: true, value: (task) => task.users, show: (task) => formatNumber(task.users) },
    { name: 'instances', title: t('tasks.instances'), numeric: true, value: (task) => task.instances, show: (task) => formatNumber(task.instances) },
    { name: 'p50_s', title: t('tasks.p50'), numeric: true, value: (task) => task.p50_s, show: (task) => formatDuration(task.p50_s) },
    { name: 'p90_s', title: t('tasks.p90'), numeric: true, value: (task) => task.p90_s, show: (task) => formatDuration(task.p90_s) },
    {
      name: 'share', title: t('tasks.share'), value: (task) => task.share,
      show: (task) => (
        <span className="task-share">
          <span className="bar-track" aria-hidden="true"><span className="bar-fill" style={{ width: `${(task.share / most) * 100}%` }} /></span>
          <span>{formatShare(task.share)}</span>
        </span>
      ),
    },
  ];
  return <DataTable label={label} columns={columns} rows={tasks} rowKey={(task) => task.task} />;
}
