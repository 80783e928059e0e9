// The flow of one task as a drawing, with the facts of the chosen step beside it; it uses the process map's own drawing.
import { useMemo } from 'react';
import type { ProcessEdge, ProcessNode, TaskStep } from '../../client/analyses';
import { records } from '../../client/records';
import { AnalysisPanel } from '../../components/AnalysisPanel';
import { RangeField } from '../../components/RangeField';
import { Waiting } from '../../components/Notice';
import { formatNumber, formatShare } from '../../format';
import { type AskedAnalysis, useAnalysis } from '../../state/analysis';
import { changeQuery, usePlace } from '../../state/location';
import { t } from '../../text';
import { MapView } from '../map/MapView';
import { firstShare, selectGraph } from '../map/select';
import '../map/map.css';
import { Verdict } from './Verdict';

const PATHS_MAX = 10_000;
const nothing = () => undefined;

export function Flow({ id, steps: askedSteps }: { id: string; steps: AskedAnalysis }) {
  const { query } = usePlace();
  const askedPaths = useAnalysis('task_paths', { task: id, limit: PATHS_MAX });
  const nodes = useMemo(() => (askedSteps.answer ? records<TaskStep & ProcessNode>(askedSteps.answer) : []), [askedSteps.answer]);
  const edges = useMemo(
    () => (askedPaths.answer ? records<ProcessEdge>(askedPaths.answer).filter((edge) => edge.from_activity !== null && edge.to_activity !== null) : null),
    [askedPaths.answer],
  );
  const wanted = query.get('steps');
  const activities_percent = wanted === null ? firstShare(nodes) : Math.min(100, Math.max(0, Number(wanted) || 0));
  const graph = useMemo(() => (edges && nodes.length > 0 ? selectGraph(nodes, edges, { activities_percent, paths_percent: 0 }) : null), [nodes, edges, activities_percent]);
  const choice = { node: query.get('node'), edge: null };
  const chosen = nodes.find((node) => node.activity === choice.node);
  return (
    <div className="map-page task-flow">
      <AnalysisPanel title={t('tasks.flow')} asked={askedSteps} height_px={520}>
        {() => (
          <>
            <div className="task-flow-controls">
              <p className="muted small">{t('tasks.flow.note')}</p>
              {graph && (
                <RangeField
                  label={t('tasks.flow.steps')} note={t('map.shown', { shown: graph.nodes.length, total: graph.activities_total })} value={activities_percent}
                  onChange={(value) => changeQuery({ steps: String(value) }, { replace: true })}
                />
              )}
            </div>
            {graph ? <MapView graph={graph} measure="frequency" choice={choice} onChoose={({ node }) => changeQuery({ node }, { replace: true })} svgRef={nothing} /> : <Waiting height={460} />}
          </>
        )}
      </AnalysisPanel>
      <aside className="panel map-side" aria-label={t('tasks.step')} aria-live="polite">
        <div className="panel-head"><h2>{t('tasks.step')}</h2></div>
        <div className="panel-body stack">
          {chosen ? <Facts step={chosen} /> : <p className="muted">{t('tasks.step.none')}</p>}
        </div>
      </aside>
    </div>
  );
}

function Facts({ step }: { step: TaskStep }) {
  return (
    <>
      <div><h3>{step.activity}</h3><p className="muted small">{step.application}</p></div>
      <dl className="facts">
        <dt>{t('tasks.instances')}</dt><dd>{formatNumber(step.cases)}</dd>
        <dt>{t('column.events')}</dt><dd>{formatNumber(step.events)}</dd>
        <dt>{t('tasks.people')}</dt><dd>{formatNumber(step.users)}</dd>
      </dl>
      <div><h3>{t('tasks.step.next')}</h3><p className="small">{step.next_step ?? t('tasks.step.nextEnd')} <span className="muted">({formatShare(step.next_share)})</span></p></div>
      <div><h3>{t('tasks.step.robot')}</h3><Verdict step={step} /></div>
      {step.rule && <div><h3>{t('tasks.step.value')}</h3><p className="small">{step.rule}</p></div>}
    </>
  );
}
