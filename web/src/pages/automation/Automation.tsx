// The page that answers "what is worth automating?": tasks ranked by how much of them a robot could do, with every factor in sight.
import '../../text/tasks';
import './automation.css';
import { useMemo } from 'react';
import type { Candidate, TaskStep } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { DataTable, type TableColumn } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { AnswerFailure, Waiting } from '../../components/Notice';
import { PageLink } from '../../components/PageLink';
import { formatDuration, formatNumber, formatShare } from '../../format';
import { useAnalysis } from '../../state/analysis';
import { changeQuery, usePlace } from '../../state/location';
import { t } from '../../text';
import { TakeAway } from '../tasks/TakeAway';
import { Verdict } from '../tasks/Verdict';
import { Replayed } from './Replayed';

const CANDIDATES_MAX = 200;
const STEPS_MAX = 2000;

export default function Automation() {
  const { query } = usePlace();
  const asked = useAnalysis('automation', { limit: CANDIDATES_MAX });
  const candidates = useMemo(() => (asked.answer ? records<Candidate>(asked.answer) : []), [asked.answer]);
  // The best candidate is open until one chooses otherwise, so that a newcomer sees what is behind a figure.
  const open = query.get('open') ?? candidates[0]?.task ?? null;
  return (
    <AnalysisPanel title={t('automation.title')} asked={asked} height_px={520} nothing={t('automation.none')}>
      {() => (
        <div className="stack">
          <p className="muted">{t('automation.note')}</p>
          <ol className="candidates">
            {candidates.map((candidate, index) => (
              <Item
                key={candidate.task} candidate={candidate} rank={index + 1} open={candidate.task === open}
                onOpen={(next) => changeQuery({ open: next ? candidate.task : 'none' }, { replace: true })}
              />
            ))}
          </ol>
        </div>
      )}
    </AnalysisPanel>
  );
}

interface ItemProps { candidate: Candidate; rank: number; open: boolean; onOpen: (open: boolean) => void }

function Item({ candidate, rank, open, onOpen }: ItemProps) {
  const minutes = (value: number) => formatDuration(value * 60);
  const { rai, determinism, exceptions } = candidate;
  return (
    <li className="candidate" data-open={open}>
      <div className="candidate-head">
        <div className="grow">
          <p className="small muted">{t('automation.rank', { rank })}</p>
          <h3><PageLink page="tasks" part={candidate.task}>{candidate.name}</PageLink></h3>
          <p className="small muted">{t('tasks.in', { applications: candidate.applications.join(', ') })} · {t('tasks.people')}: {formatNumber(candidate.users)} · {t('tasks.instances')}: {formatNumber(candidate.instances)}</p>
        </div>
        <TakeAway task={candidate} />
      </div>
      <dl className="factors">
        <Factor name={t('automation.rai')} value={formatShare(rai)} part={rai} note={t('automation.rai.note', { automatable: candidate.automatable_steps, count: candidate.steps })} />
        <Factor name={t('automation.determinism')} value={formatShare(determinism)} part={determinism} note={t('automation.determinism.note')} />
        <Factor name={t('automation.exceptions')} value={formatShare(exceptions)} part={exceptions} note={t('automation.exceptions.note')} />
        <Factor name={t('automation.perWeek')} value={minutes(candidate.minutes_per_week)} note={t('automation.perWeek.note', { instances: formatNumber(candidate.instances_per_week), time: formatDuration(candidate.handling_p50_s) })} />
        <Factor name={t('automation.potential')} value={minutes(candidate.potential_minutes_per_week)} />
      </dl>
      <p className="small candidate-sum">
        {t('automation.sum', {
          perWeek: minutes(candidate.minutes_per_week), rai: formatShare(rai), determinism: formatShare(determinism),
          exceptions: formatShare(exceptions), potential: minutes(candidate.potential_minutes_per_week),
        })}
      </p>
      <button type="button" className="button button-quiet button-small" aria-expanded={open} onClick={() => onOpen(!open)}>
        <Icon name={open ? 'chevron' : 'right'} size={16} />{t('automation.open', { name: candidate.name })}
      </button>
      {open && <Inside task={candidate.task} />}
    </li>
  );
}

function Factor({ name, value, part, note }: { name: string; value: string; part?: number; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        {part !== undefined && <span className="bar-track" aria-hidden="true"><span className="bar-fill" style={{ width: `${Math.min(1, part) * 100}%` }} /></span>}
        {note && <span className="small muted">{note}</span>}
      </dd>
    </div>
  );
}

function Inside({ task }: { task: string }) {
  const { answer, error, again } = useAnalysis('task_steps', { task, limit: STEPS_MAX });
  const steps = useMemo(() => (answer ? records<TaskStep>(answer) : []), [answer]);
  if (error) return <AnswerFailure error={error} again={again} />;
  if (!answer) return <Waiting height={240} />;
  return (
    <div className="stack candidate-inside">
      <section className="stack-tight" aria-label={t('automation.flow')}><h4>{t('automation.flow')}</h4><DataFlow steps={steps} /></section>
      <section className="stack-tight" aria-label={t('automation.steps')}>
        <h4>{t('automation.steps')}</h4>
        <p className="small muted">{t('automation.stepsNote')}</p>
        <Steps steps={steps} />
      </section>
      <section className="stack-tight" aria-label={t('automation.replay')}><h4>{t('automation.replay')}</h4><Replayed steps={steps} /></section>
    </div>
  );
}

function DataFlow({ steps }: { steps: TaskStep[] }) {
  const application = (name: string) => steps.find((step) => step.activity === name)?.application ?? '';
  const place = (name: string) => <span>{name}<br /><span className="small muted">{application(name)}</span></span>;
  const flows = steps.filter((step) => step.rule !== null);
  if (flows.length === 0) return <p className="muted">{t('automation.flow.none')}</p>;
  const columns: TableColumn<TaskStep>[] = [
    { name: 'from', title: t('automation.from'), wrap: true, show: (step) => (step.reads.length > 0 ? step.reads.map((name) => <div key={name}>{place(name)}</div>) : <span className="muted">{t('automation.always')}</span>) },
    { name: 'to', title: t('automation.to'), head: true, wrap: true, value: (step) => step.activity, show: (step) => place(step.activity) },
    { name: 'rule', title: t('automation.rule'), wrap: true, show: (step) => step.rule },
    { name: 'hits', title: t('automation.hitRate'), numeric: true, value: (step) => step.hit_rate, show: (step) => <span title={t('automation.hits.note')}>{t('automation.hits', { share: formatShare(step.hit_rate ?? 0), count: step.held_back ?? 0 })}</span> },
  ];
  return <DataTable label={t('automation.flow')} columns={columns} rows={flows} rowKey={(step) => step.activity} />;
}

function Steps({ steps }: { steps: TaskStep[] }) {
  const columns: TableColumn<TaskStep>[] = [
    { name: 'step', title: t('automation.step'), head: true, wrap: true, value: (step) => step.position, show: (step) => step.activity },
    { name: 'application', title: t('column.application'), value: (step) => step.application, show: (step) => step.application },
    { name: 'instances', title: t('tasks.instances'), numeric: true, value: (step) => step.cases, show: (step) => formatNumber(step.cases) },
    { name: 'next', title: t('automation.nextShare'), numeric: true, value: (step) => step.next_share, show: (step) => formatShare(step.next_share) },
    { name: 'robot', title: t('automation.robot'), wrap: true, value: (step) => step.verdict, show: (step) => <Verdict step={step} /> },
  ];
  return <DataTable label={t('automation.steps')} columns={columns} rows={steps} rowKey={(step) => step.activity} />;
}
