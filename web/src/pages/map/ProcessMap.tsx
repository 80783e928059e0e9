// The page that answers "how does the work flow?": the process map with its sliders, and the figures of what is chosen in it.
import { useMemo, useRef } from 'react';
import type { ProcessEdge, ProcessNode } from '../../client/analyses';
import { records } from '../../client/records';
import { AnswerTable } from '../../components/AnswerTable';
import { Download } from '../../components/AnalysisPanel';
import { CaseRuleButton } from '../../components/CaseRule';
import { chartColours } from '../../components/chart/palette';
import { Formula } from '../../components/Formula';
import { Icon } from '../../components/Icon';
import { AnswerFailure, NothingFound, Waiting } from '../../components/Notice';
import { Popover } from '../../components/Popover';
import { RangeField } from '../../components/RangeField';
import { Segmented } from '../../components/Segmented';
import { type AskedAnalysis, useAnalysis } from '../../state/analysis';
import { changeQuery, usePlace } from '../../state/location';
import { useProject } from '../../state/project';
import { useTheme } from '../../state/theme';
import { t } from '../../text';
import { saveSvg, savePng } from './exportImage';
import { type Choice, MapView, type Measure } from './MapView';
import { firstShare, selectGraph } from './select';
import { ChoicePanel } from './ChoicePanel';
import './map.css';

/** Bounds of what is asked for; logs have far fewer activities, and a map of more shows nothing. */
const ASKED_NODES_MAX = 2000;
const ASKED_EDGES_MAX = 10_000;

export default function ProcessMap() {
  const nodes = useAnalysis('process_nodes', { limit: ASKED_NODES_MAX });
  const edges = useAnalysis('process_edges', { limit: ASKED_EDGES_MAX });
  const error = nodes.error ?? edges.error;
  if (error) return <AnswerFailure error={error} again={() => { nodes.again(); edges.again(); }} />;
  if (!nodes.answer || !edges.answer) return <Waiting height={520} />;
  if (nodes.answer.rows.length === 0) return <div className="panel"><NothingFound /></div>;
  return <Loaded nodes={nodes} edges={edges} />;
}

/** The service also lists where cases start and end, as steps with one side missing; the activities tell the same. */
const isStep = (edge: ProcessEdge): boolean => edge.from_activity !== null && edge.to_activity !== null;

function percent(text: string | null, otherwise: number): number {
  const number = text === null ? NaN : Number(text);
  return Number.isFinite(number) ? Math.min(100, Math.max(0, Math.round(number))) : otherwise;
}

function readChoice(query: URLSearchParams): Choice {
  const [from, to] = [query.get('edge_from'), query.get('edge_to')];
  return { node: query.get('node'), edge: from !== null && to !== null ? { from, to } : null };
}

function Loaded({ nodes: askedNodes, edges: askedEdges }: { nodes: AskedAnalysis; edges: AskedAnalysis }) {
  const { query } = usePlace();
  const project = useProject();
  const theme = useTheme();
  const svg = useRef<SVGSVGElement | null>(null);
  const nodes = useMemo(() => records<ProcessNode>(askedNodes.answer!), [askedNodes.answer]);
  const edges = useMemo(() => records<ProcessEdge>(askedEdges.answer!).filter(isStep), [askedEdges.answer]);
  const activities_percent = percent(query.get('activities'), firstShare(nodes));
  const paths_percent = percent(query.get('paths'), 0);
  const measure: Measure = query.get('measure') === 'time' ? 'time' : 'frequency';
  const asTable = query.get('view') === 'table';
  const choice = readChoice(query);
  const graph = useMemo(() => selectGraph(nodes, edges, { activities_percent, paths_percent }), [nodes, edges, activities_percent, paths_percent]);
  const choose = ({ node, edge }: Choice) =>
    changeQuery({ node, edge_from: edge?.from ?? null, edge_to: edge?.to ?? null }, { replace: true });
  const background = chartColours(theme).surface;
  const file = `${project.slug}-map`;

  return (
    <div className="map-page">
      <section className="panel" aria-label={t('page.map')}>
        <div className="panel-head">
          <h2>{t('map.title')}</h2>
          <CaseRuleButton />
          <Segmented
            label={t('map.measure')} value={measure} onChange={(value) => changeQuery({ measure: value === 'time' ? 'time' : null }, { replace: true })}
            choices={[{ value: 'frequency', text: t('map.frequency') }, { value: 'time', text: t('map.time') }]}
          />
          <Segmented
            label={t('view.label', { of: t('page.map') })} value={asTable ? 'table' : 'chart'} onChange={(value) => changeQuery({ view: value === 'table' ? 'table' : null }, { replace: true })}
            choices={[
              { value: 'chart', text: <Icon name="map" size={16} />, label: t('view.map') },
              { value: 'table', text: <Icon name="table" size={16} />, label: t('view.table') },
            ]}
          />
          <span className="row" style={{ gap: 0 }}>
            <Formula of={t('page.map')} text={`${askedNodes.answer!.formula}\n${askedEdges.answer!.formula}`} />
            <Popover className="button button-quiet button-icon button-small" align="end" boxClassName="menu" label={t('download.open', { of: t('page.map') })} button={<Icon name="download" size={16} />}>
              {(close) => (
                <>
                  {!asTable && <button type="button" className="menu-item" onClick={() => { if (svg.current) saveSvg(svg.current, background, file); close(); }}>{t('map.saveSvg')}</button>}
                  {!asTable && <button type="button" className="menu-item" onClick={() => { if (svg.current) void savePng(svg.current, background, file); close(); }}>{t('map.savePng')}</button>}
                  <a className="menu-item" download href={askedNodes.fileAddress('csv')} onClick={close}>{t('map.nodesCsv')}</a>
                  <a className="menu-item" download href={askedEdges.fileAddress('csv')} onClick={close}>{t('map.edgesCsv')}</a>
                  <a className="menu-item" download href={askedEdges.fileAddress('parquet')} onClick={close}>{t('map.edgesParquet')}</a>
                </>
              )}
            </Popover>
          </span>
        </div>
        {asTable ? <Twin nodes={askedNodes} edges={askedEdges} /> : (
          <>
            <div className="map-controls">
              <RangeField
                label={t('map.activities')} note={t('map.shown', { shown: graph.nodes.length, total: graph.activities_total })} value={activities_percent}
                onChange={(value) => changeQuery({ activities: String(value) }, { replace: true })}
              />
              <RangeField
                label={t('map.paths')} note={t('map.shown', { shown: graph.edges.length, total: graph.paths_total })} value={paths_percent}
                onChange={(value) => changeQuery({ paths: String(value) }, { replace: true })}
              />
              <button type="button" className="button button-quiet button-small" onClick={() => changeQuery({ activities: null, paths: null }, { replace: true })}>{t('map.happy')}</button>
            </div>
            <MapView graph={graph} measure={measure} choice={choice} onChoose={choose} svgRef={(element) => { svg.current = element; }} />
            <p className="map-hint">{graph.cut ? t('map.cut') : <KeyHint />}</p>
          </>
        )}
      </section>
      <ChoicePanel choice={choice} nodes={nodes} edges={edges} onChoose={choose} />
    </div>
  );
}

function KeyHint() {
  return (
    <>
      <kbd>←</kbd> <kbd>↑</kbd> <kbd>↓</kbd> <kbd>→</kbd> {t('map.keys.walk')} · <kbd>Enter</kbd> {t('map.keys.open')} · <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> {t('map.keys.zoom')}
    </>
  );
}

function Twin({ nodes, edges }: { nodes: AskedAnalysis; edges: AskedAnalysis }) {
  return (
    <div className="panel-body stack">
      <div>
        <div className="row"><h3 className="grow">{t('map.nodes')}</h3><Download of={t('map.nodes')} fileAddress={nodes.fileAddress} /></div>
        <AnswerTable answer={nodes.answer!} label={t('map.nodes')} height_px={340} />
      </div>
      <div>
        <div className="row"><h3 className="grow">{t('map.edges')}</h3><Download of={t('map.edges')} fileAddress={edges.fileAddress} /></div>
        <AnswerTable answer={edges.answer!} label={t('map.edges')} height_px={340} />
      </div>
    </div>
  );
}
