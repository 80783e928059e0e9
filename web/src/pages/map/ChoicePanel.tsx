// The figures of the activity or step chosen in the map, its neighbours, and the ways on: the cases behind it, or a filter.
import type { ProcessEdge, ProcessNode } from '../../client/analyses';
import { Icon } from '../../components/Icon';
import { PageLink } from '../../components/PageLink';
import { formatDuration, formatNumber } from '../../format';
import { withValue } from '../../state/filters';
import { goTo, usePlace, withQuery } from '../../state/location';
import { t } from '../../text';
import { type Choice, endName } from './MapView';
import { END, START } from './select';

interface ChoicePanelProps {
  choice: Choice;
  nodes: ProcessNode[];
  edges: ProcessEdge[];
  onChoose: (choice: Choice) => void;
}

/** So many neighbours are listed on each side. */
const NEIGHBOURS_MAX = 8;

export function ChoicePanel({ choice, nodes, edges, onChoose }: ChoicePanelProps) {
  const node = nodes.find((one) => one.activity === choice.node);
  const title = choice.edge ? t('map.choice.step') : choice.node ? t('map.choice.activity') : t('map.choice');
  return (
    <aside className="panel map-side" aria-label={t('map.choice')} aria-live="polite">
      <div className="panel-head">
        <h2>{title}</h2>
        {(choice.node || choice.edge) && (
          <button type="button" className="button button-quiet button-icon button-small" aria-label={t('map.choice.clear')} onClick={() => onChoose({ node: null, edge: null })}>
            <Icon name="close" size={16} />
          </button>
        )}
      </div>
      <div className="panel-body stack">
        {choice.edge ? <StepFacts from={choice.edge.from} to={choice.edge.to} nodes={nodes} edges={edges} onChoose={onChoose} />
          : node ? <ActivityFacts node={node} edges={edges} onChoose={onChoose} />
          : choice.node === START || choice.node === END ? <EndFacts end={choice.node} nodes={nodes} onChoose={onChoose} />
          : <p className="muted">{t('map.choice.none')}</p>}
      </div>
    </aside>
  );
}

function ActivityFacts({ node, edges, onChoose }: { node: ProcessNode; edges: ProcessEdge[]; onChoose: (choice: Choice) => void }) {
  const { path, query } = usePlace();
  const before = edges.filter((edge) => edge.to_activity === node.activity);
  const after = edges.filter((edge) => edge.from_activity === node.activity);
  return (
    <>
      <div>
        <h3>{node.activity}</h3>
        <p className="row row-wrap muted small">
          {node.application}
          {node.happy_path_rank !== null && <span className="tag tag-accent">{t('map.onHappyPath', { rank: node.happy_path_rank })}</span>}
        </p>
      </div>
      <dl className="facts">
        <dt>{t('column.events')}</dt><dd>{formatNumber(node.events)}</dd>
        <dt>{t('column.cases')}</dt><dd>{formatNumber(node.cases)}</dd>
        <dt>{t('column.start_cases')}</dt><dd>{formatNumber(node.start_cases)}</dd>
        <dt>{t('column.end_cases')}</dt><dd>{formatNumber(node.end_cases)}</dd>
        <dt>{t('column.users')}</dt><dd>{formatNumber(node.users)}</dd>
      </dl>
      <div className="stack-tight">
        <PageLink page="timeline" add={{ step: node.activity }} className="button button-primary">{t('map.casesWithActivity')}</PageLink>
        <button type="button" className="button" onClick={() => goTo(withQuery(path, withValue(query, 'activity', node.activity)))}>
          <Icon name="filter" size={16} />{t('filter.onlyActivity')}
        </button>
      </div>
      <Neighbours title={t('map.before')} edges={before} name={(edge) => edge.from_activity} onChoose={onChoose} />
      <Neighbours title={t('map.after')} edges={after} name={(edge) => edge.to_activity} onChoose={onChoose} />
    </>
  );
}

interface NeighboursProps {
  title: string;
  edges: ProcessEdge[];
  name: (edge: ProcessEdge) => string;
  onChoose: (choice: Choice) => void;
}

function Neighbours({ title, edges, name, onChoose }: NeighboursProps) {
  if (edges.length === 0) return null;
  const first = [...edges].sort((a, b) => b.frequency - a.frequency).slice(0, NEIGHBOURS_MAX);
  return (
    <div>
      <h3>{title}</h3>
      <ul className="steps-list">
        {first.map((edge) => (
          <li key={name(edge)}>
            <button type="button" onClick={() => onChoose({ node: null, edge: { from: edge.from_activity, to: edge.to_activity } })}>
              <span className="truncate">{name(edge)}</span><span className="muted">{formatNumber(edge.frequency)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface StepFactsProps {
  from: string;
  to: string;
  nodes: ProcessNode[];
  edges: ProcessEdge[];
  onChoose: (choice: Choice) => void;
}

function StepFacts({ from, to, nodes, edges, onChoose }: StepFactsProps) {
  const edge = edges.find((one) => one.from_activity === from && one.to_activity === to);
  const ends = from === START ? nodes.find((node) => node.activity === to)?.start_cases : nodes.find((node) => node.activity === from)?.end_cases;
  return (
    <>
      <div className="steps-list">
        {[from, to].map((name, index) => (
          <button type="button" key={index} onClick={() => onChoose({ node: name, edge: null })} aria-label={t('map.show', { activity: endName(name) })}>
            <span><span className="muted">{index === 0 ? t('map.from') : t('map.to')}</span> <strong>{endName(name)}</strong></span>
          </button>
        ))}
      </div>
      <dl className="facts">
        <dt>{t('column.frequency')}</dt><dd>{formatNumber(edge?.frequency ?? ends)}</dd>
        {edge && (
          <>
            <dt>{t('column.cases')}</dt><dd>{formatNumber(edge.cases)}</dd>
            <dt>{t('column.p50_s')}</dt><dd>{formatDuration(edge.p50_s)}</dd>
            <dt>{t('column.p90_s')}</dt><dd>{formatDuration(edge.p90_s)}</dd>
            <dt>{t('column.mean_s')}</dt><dd>{formatDuration(edge.mean_s)}</dd>
          </>
        )}
      </dl>
      {edge && <PageLink page="timeline" add={{ edge_from: from, edge_to: to }} className="button button-primary">{t('map.casesWithStep')}</PageLink>}
    </>
  );
}

function EndFacts({ end, nodes, onChoose }: { end: string; nodes: ProcessNode[]; onChoose: (choice: Choice) => void }) {
  const count = (node: ProcessNode) => (end === START ? node.start_cases : node.end_cases);
  const first = nodes.filter((node) => count(node) > 0).sort((a, b) => count(b) - count(a)).slice(0, 2 * NEIGHBOURS_MAX);
  return (
    <div>
      <h3>{end === START ? t('map.startsWith') : t('map.endsWith')}</h3>
      <ul className="steps-list">
        {first.map((node) => (
          <li key={node.activity}>
            <button type="button" onClick={() => onChoose({ node: node.activity, edge: null })}>
              <span className="truncate">{node.activity}</span><span className="muted">{formatNumber(count(node))}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
