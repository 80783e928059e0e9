// Draws the process map as SVG: pan, zoom, keyboard walk and choice of a node or a step. What to draw and where is decided elsewhere.
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { chartColours, nameColour } from '../../components/chart/palette';
import { Icon } from '../../components/Icon';
import type { ProcessNode } from '../../client/analyses';
import { formatCompact, formatDuration } from '../../format';
import { useTheme } from '../../state/theme';
import { t } from '../../text';
import type { Layout, LayoutRequest, Point } from './layout';
import { END, type MapEdge, type MapGraph, START } from './select';
import { useLayout } from './useLayout';
import { type ArrowKey, walk } from './walk';

export type Measure = 'frequency' | 'time';
export interface Choice {
  node: string | null;
  edge: { from: string; to: string } | null;
}

interface MapViewProps {
  graph: MapGraph;
  measure: Measure;
  choice: Choice;
  onChoose: (choice: Choice) => void;
  svgRef: (svg: SVGSVGElement | null) => void;
}

const NODE_HEIGHT = 48;
const NAME_CHARACTERS_MAX = 30;
const ZOOM_MIN = 0.15;
const ZOOM_MAX = 2.5;
/** A map that would have to shrink further than this to be seen whole starts at its top instead. */
const READABLE_ZOOM = 0.78;

interface View { x: number; y: number; zoom: number }

export const endName = (name: string): string => (name === START ? t('map.start') : name === END ? t('map.end') : name);
const shorten = (name: string) => (name.length > NAME_CHARACTERS_MAX ? `${name.slice(0, NAME_CHARACTERS_MAX - 1)}…` : name);
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** Measures words as the map draws them, so that boxes fit on every system. */
const ruler = document.createElement('canvas').getContext('2d')!;
function textWidth(text: string, font: string): number {
  ruler.font = `${font} ${FONT}`;
  return ruler.measureText(text).width;
}

const detail = ({ application, events }: ProcessNode) => `${application ? `${shorten(application)} · ` : ''}${formatCompact(events)}`;
const nodeWidth = (node: ProcessNode): number =>
  Math.ceil(Math.max(104, textWidth(shorten(node.activity), '600 13px') + 32, textWidth(detail(node), '400 12px') + 84));
const labelWidth = (label: string): number => Math.ceil(textWidth(label, '600 11.5px')) + 8;

export function edgeLabel(edge: MapEdge, measure: Measure): string {
  if (measure === 'frequency') return formatCompact(edge.frequency);
  return edge.p50_s === null ? '' : formatDuration(edge.p50_s);
}

function layoutRequest(graph: MapGraph, measure: Measure): LayoutRequest {
  const ends = [START, END].map((id) => ({ id, width: 76, height: 30 }));
  const nodes = graph.nodes.map((node) => ({ id: node.activity, width: nodeWidth(node), height: NODE_HEIGHT }));
  const top = Math.max(1, ...graph.edges.map((edge) => edge.frequency));
  const edges = graph.edges.map((edge) => ({
    from: edge.from, to: edge.to, width: labelWidth(edgeLabel(edge, measure)), height: 18,
    weight: edge.happy ? 40 : 1 + Math.round((9 * edge.frequency) / top),
  }));
  return { nodes: [...ends, ...nodes], edges };
}

export function MapView({ graph, measure, choice, onChoose, svgRef }: MapViewProps) {
  const theme = useTheme();
  const request = useMemo(() => layoutRequest(graph, measure), [graph, measure]);
  const answer = useLayout(request);
  const [drawn, setDrawn] = useState<{ layout: Layout; graph: MapGraph; measure: Measure } | null>(null);
  const latest = useRef({ graph, measure, request });
  latest.current = { graph, measure, request };
  useEffect(() => {
    // A layout is shown together with the graph it was made for, never with the next one.
    if (answer && answer.of === latest.current.request) setDrawn({ layout: answer.layout, graph: latest.current.graph, measure: latest.current.measure });
  }, [answer]);
  if (!drawn) return <div className="map-waiting muted" role="status">{t('map.laying')}</div>;
  return <Drawing {...drawn} choice={choice} onChoose={onChoose} svgRef={svgRef} theme={theme} />;
}

interface DrawingProps extends Pick<MapViewProps, 'graph' | 'measure' | 'choice' | 'onChoose' | 'svgRef'> {
  layout: Layout;
  theme: 'light' | 'dark';
}

function Drawing({ graph, layout, measure, choice, onChoose, svgRef, theme }: DrawingProps) {
  const colours = chartColours(theme);
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useView(frame, layout);
  const first = graph.nodes[0]?.activity ?? START;
  const [focus, setFocus] = useState<string>(choice.node ?? first);
  const focused = layout.nodes[focus] ? focus : first;
  const elements = useRef(new Map<string, SVGGElement>());
  const events_max = Math.max(1, ...graph.nodes.map((node) => node.events));
  const value_max = Math.max(1, ...graph.edges.map((edge) => edgeValue(edge, measure)));

  const reveal = (node: string) => {
    const place = layout.nodes[node];
    const box = frame.current?.getBoundingClientRect();
    if (place && box) setView((now) => intoView(now, place, box));
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === '+' || event.key === '=') zoomBy(setView, frame.current, 1.25);
    else if (event.key === '-') zoomBy(setView, frame.current, 0.8);
    else if (event.key === '0') setView(fitView(frame.current, layout, true));
    else if (event.key.startsWith('Arrow')) {
      const next = walk(focused, event.key as ArrowKey, graph.edges, layout);
      if (next) {
        setFocus(next);
        elements.current.get(next)?.focus({ preventScroll: true });
        reveal(next);
      }
    } else if (event.key === 'Enter' || event.key === ' ') onChoose({ node: focused, edge: null });
    else if (event.key === 'Escape') onChoose({ node: null, edge: null });
    else return;
    event.preventDefault();
  };

  return (
    <div className="map-frame" ref={frame} data-drawn={graph.nodes.length}>
      <svg ref={svgRef} width="100%" height="100%" role="group" aria-label={summary(graph)} onKeyDown={keys} fontFamily={FONT}>
        <defs>
          {(['muted', 'accent'] as const).map((name) => (
            <marker key={name} id={`tip-${name}`} viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse">
              <path d="M0.500 0.800 7 4 0.500 7.200z" fill={colours[name]} />
            </marker>
          ))}
        </defs>
        <g transform={`translate(${view.x} ${view.y}) scale(${view.zoom})`} data-content="">
          {graph.edges.map((edge, index) => (
            <Step
              key={`${edge.from} ${edge.to}`} edge={edge} place={layout.edges[index]} label={edgeLabel(edge, measure)} colours={colours}
              thickness={1.2 + 4.3 * Math.sqrt(edgeValue(edge, measure) / value_max)}
              chosen={choice.edge?.from === edge.from && choice.edge.to === edge.to}
              near={choice.node === edge.from || choice.node === edge.to}
              onChoose={() => onChoose({ node: null, edge: { from: edge.from, to: edge.to } })}
            />
          ))}
          {[START, END].map((name) => (
            <EndNode
              key={name} name={name} place={layout.nodes[name]!} colours={colours} tabIndex={focused === name ? 0 : -1} chosen={choice.node === name}
              register={(element) => register(elements.current, name, element)} onFocus={() => setFocus(name)}
              onChoose={() => onChoose({ node: name, edge: null })}
            />
          ))}
          {graph.nodes.map((node) => (
            <Activity
              key={node.activity} node={node} place={layout.nodes[node.activity]!} repeats={graph.repeats.get(node.activity) ?? null} colours={colours}
              stripe={nameColour(node.application ?? '', theme)} strength={node.events / events_max} measure={measure} chosen={choice.node === node.activity}
              tabIndex={focused === node.activity ? 0 : -1} register={(element) => register(elements.current, node.activity, element)}
              onFocus={() => setFocus(node.activity)} onChoose={() => onChoose({ node: node.activity, edge: null })}
            />
          ))}
        </g>
      </svg>
      <div className="map-tools" role="group" aria-label={t('map.zoom')}>
        <button type="button" className="button button-icon" aria-label={t('map.zoomIn')} onClick={() => zoomBy(setView, frame.current, 1.25)}><Icon name="plus" /></button>
        <button type="button" className="button button-icon" aria-label={t('map.zoomOut')} onClick={() => zoomBy(setView, frame.current, 0.8)}><Icon name="minus" /></button>
        <button type="button" className="button button-icon" aria-label={t('map.fit')} onClick={() => setView(fitView(frame.current, layout, true))}><Icon name="fit" /></button>
      </div>
    </div>
  );
}

function register(elements: Map<string, SVGGElement>, name: string, element: SVGGElement | null): void {
  if (element) elements.set(name, element);
  else elements.delete(name);
}

const edgeValue = (edge: MapEdge, measure: Measure): number => (measure === 'frequency' ? edge.frequency : (edge.p50_s ?? 0));

function summary(graph: MapGraph): string {
  const happy = graph.nodes.filter((node) => node.happy_path_rank !== null).map((node) => node.activity);
  return t('map.summary', { nodes: graph.nodes.length, edges: graph.edges.length, happy: happy.slice(0, 12).join(', ') });
}

type Colours = ReturnType<typeof chartColours>;

interface ActivityProps {
  node: ProcessNode;
  place: Point;
  repeats: MapEdge | null;
  colours: Colours;
  stripe: string;
  strength: number;
  measure: Measure;
  chosen: boolean;
  tabIndex: number;
  register: (element: SVGGElement | null) => void;
  onFocus: () => void;
  onChoose: () => void;
}

function Activity({ node, place, repeats, colours, stripe, strength, measure, chosen, tabIndex, register, onFocus, onChoose }: ActivityProps) {
  const width = nodeWidth(node);
  const happy = node.happy_path_rank !== null;
  const seen = repeats ? `${detail(node)}  ↻ ${edgeLabel(repeats, measure)}` : detail(node);
  return (
    <g
      ref={register} role="button" tabIndex={tabIndex} className="map-node" transform={`translate(${place.x - width / 2} ${place.y - NODE_HEIGHT / 2})`}
      aria-pressed={chosen} onFocus={onFocus} onClick={onChoose} data-activity={node.activity}
      aria-label={t('map.node', { seen: `${shorten(node.activity)} ${seen}`, events: node.events, cases: node.cases })}
    >
      <rect width={width} height={NODE_HEIGHT} rx={7} fill={colours.surface} />
      <rect width={width} height={NODE_HEIGHT} rx={7} fill={colours.accent} fillOpacity={0.04 + 0.2 * strength} stroke={chosen || happy ? colours.accent : colours.muted} strokeWidth={chosen ? 3 : happy ? 1.8 : 1} strokeOpacity={chosen || happy ? 1 : 0.6} />
      <rect x={7} y={9} width={4} height={NODE_HEIGHT - 18} rx={2} fill={stripe} />
      <text x={19} y={20} fontSize={13} fontWeight={happy ? 620 : 500} fill={colours.text}>{shorten(node.activity)}</text>{' '}
      <text x={19} y={37} fontSize={11.5} fill={colours.muted}>
        {seen}
      </text>
      <rect className="map-ring" x={-3} y={-3} width={width + 6} height={NODE_HEIGHT + 6} rx={9} fill="none" />
    </g>
  );
}

interface EndNodeProps {
  name: string;
  place: Point;
  colours: Colours;
  chosen: boolean;
  tabIndex: number;
  register: (element: SVGGElement | null) => void;
  onFocus: () => void;
  onChoose: () => void;
}

function EndNode({ name, place, colours, chosen, tabIndex, register, onFocus, onChoose }: EndNodeProps) {
  return (
    <g
      ref={register} role="button" tabIndex={tabIndex} className="map-node" aria-label={endName(name)} aria-pressed={chosen}
      transform={`translate(${place.x - 38} ${place.y - 15})`} onFocus={onFocus} onClick={onChoose}
    >
      <rect width={76} height={30} rx={15} fill={colours.text} stroke={chosen ? colours.accent : 'none'} strokeWidth={3} />
      {name === START ? <path d="M14 10.500v9l8-4.500z" fill={colours.surface} /> : <rect x={14} y={11} width={8} height={8} rx={1} fill={colours.surface} />}
      <text x={28} y={19.5} fontSize={12.5} fontWeight={600} fill={colours.surface}>{endName(name)}</text>
      <rect className="map-ring" x={-3} y={-3} width={82} height={36} rx={18} fill="none" />
    </g>
  );
}

interface StepProps {
  edge: MapEdge;
  place: Layout['edges'][number] | undefined;
  label: string;
  colours: Colours;
  thickness: number;
  chosen: boolean;
  near: boolean;
  onChoose: () => void;
}

function Step({ edge, place, label, colours, thickness, chosen, near, onChoose }: StepProps) {
  if (!place) return null;
  const line = smoothLine(place.points);
  const at = onLine(place.points, place.label);
  const marked = chosen || edge.happy || near;
  const toEnd = edge.from === START || edge.to === END;
  const width = labelWidth(label);
  return (
    <g className="map-step" onClick={onChoose} aria-hidden="true" data-from={edge.from} data-to={edge.to}>
      <title>{t('map.step', { from: endName(edge.from), to: endName(edge.to), frequency: edge.frequency })}</title>
      <path d={line} fill="none" stroke="transparent" strokeWidth={Math.max(14, thickness)} />
      <path
        d={line} fill="none" stroke={marked ? colours.accent : colours.muted} strokeOpacity={chosen ? 1 : marked ? 0.85 : 0.5}
        strokeWidth={chosen ? thickness + 2 : thickness} strokeDasharray={toEnd ? '3 4' : undefined} strokeLinecap="round"
        markerEnd={`url(#tip-${marked ? 'accent' : 'muted'})`}
      />
      {label && (
        <>
          <rect x={at.x - width / 2} y={at.y - 9} width={width} height={18} rx={4} fill={colours.surface} fillOpacity={0.94} />
          <text x={at.x} y={at.y + 4} textAnchor="middle" fontSize={11.5} fontWeight={marked ? 620 : 450} fill={marked ? colours.text : colours.muted}>{label}</text>
        </>
      )}
    </g>
  );
}

/** A line through the middles of the points' connections, bent at the points themselves. */
function smoothLine(points: Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const last = rest.pop();
  if (!last) return '';
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1] ?? last;
    const end = index === rest.length - 1 ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += `Q${point.x} ${point.y} ${end.x} ${end.y}`;
  });
  return rest.length === 0 ? `${path}L${last.x} ${last.y}` : path;
}

/** Where the drawn line passes the point kept free for the label; the line cuts the corner there. */
function onLine(points: Point[], label: Point): Point {
  const away = (point: Point) => Math.hypot(point.x - label.x, point.y - label.y);
  const index = points.reduce((best, point, at) => (away(point) < away(points[best]!) ? at : best), 0);
  const [before, here, after] = [points[index - 1], points[index], points[index + 1]];
  if (!before || !here || !after) return label;
  // As in `smoothLine`: a bend runs between the middles of its two neighbours, the first from the first point and the last to the last.
  const half = (there: Point, end: boolean, axis: 'x' | 'y') => (end ? there[axis] : (there[axis] + here[axis]) / 2);
  const middle = (axis: 'x' | 'y') =>
    here[axis] / 2 + half(before, index === 1, axis) / 4 + half(after, index === points.length - 2, axis) / 4;
  return { x: middle('x'), y: middle('y') };
}

const clamp = (zoom: number) => Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom));

/** The view that shows the map: whole if `whole`, else as large as can be read, from its top. */
function fitView(frame: HTMLElement | null, layout: Layout, whole: boolean): View {
  const width = frame?.clientWidth ?? 800;
  const height = frame?.clientHeight ?? 600;
  const fit = Math.min(width / layout.width, height / layout.height, 1.15);
  const zoom = clamp(whole ? fit : Math.max(fit, Math.min(READABLE_ZOOM, 1.15)));
  const start = layout.nodes[START];
  const wide = layout.width * zoom > width && start;
  return {
    zoom,
    x: wide ? width / 2 - start.x * zoom : (width - layout.width * zoom) / 2,
    y: layout.height * zoom > height ? 0 : (height - layout.height * zoom) / 2,
  };
}

function zoomBy(setView: (change: (view: View) => View) => void, frame: HTMLElement | null, factor: number, at?: Point): void {
  const centre = at ?? { x: (frame?.clientWidth ?? 0) / 2, y: (frame?.clientHeight ?? 0) / 2 };
  setView((view) => {
    const zoom = clamp(view.zoom * factor);
    const scale = zoom / view.zoom;
    return { zoom, x: centre.x - (centre.x - view.x) * scale, y: centre.y - (centre.y - view.y) * scale };
  });
}

/** Moves the view just so far that a point is inside it with some room around. */
function intoView(view: View, place: Point, box: DOMRect): View {
  const room = 90;
  const x = view.x + place.x * view.zoom;
  const y = view.y + place.y * view.zoom;
  const shift = (at: number, size: number) => (at < room ? room - at : at > size - room ? size - room - at : 0);
  return { ...view, x: view.x + shift(x, box.width), y: view.y + shift(y, box.height) };
}

/** Pan by dragging or scrolling, zoom by wheel with Ctrl (which is also what pinching sends). */
function useView(frame: React.RefObject<HTMLDivElement | null>, layout: Layout): [View, (change: View | ((view: View) => View)) => void] {
  const [view, setViewState] = useState<View>(() => ({ x: 0, y: 0, zoom: 1 }));
  const setView = useCallback((change: View | ((view: View) => View)) => setViewState(change), []);
  useEffect(() => setViewState(fitView(frame.current, layout, false)), [layout, frame]);
  useEffect(() => {
    const element = frame.current!;
    let drag: { x: number; y: number; moved: boolean } | null = null;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) {
        zoomBy(setViewState, element, Math.exp(-event.deltaY * 0.006), { x: event.clientX - box.left, y: event.clientY - box.top });
      } else setViewState((now) => ({ ...now, x: now.x - event.deltaX, y: now.y - event.deltaY }));
    };
    const down = (event: PointerEvent) => {
      if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
    };
    const move = (event: PointerEvent) => {
      if (!drag) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      if (!drag.moved) element.setPointerCapture(event.pointerId);
      drag = { x: event.clientX, y: event.clientY, moved: true };
      setViewState((now) => ({ ...now, x: now.x + dx, y: now.y + dy }));
    };
    const up = () => { drag = null; };
    element.addEventListener('wheel', wheel, { passive: false });
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', up);
    element.addEventListener('pointercancel', up);
    return () => {
      element.removeEventListener('wheel', wheel);
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', up);
      element.removeEventListener('pointercancel', up);
    };
  }, [frame]);
  return [view, setView];
}

