// Draws the swim lanes of one case or session and lets one choose an event with the pointer. The event list does the same for the keyboard.
import { useEffect, useMemo, useRef, useState } from 'react';
import type { TimelineEvent } from '../../client/analyses';
import { chartColours, nameColour } from '../../components/chart/palette';
import { Icon } from '../../components/Icon';
import { Segmented } from '../../components/Segmented';
import { formatClock, formatDuration, formatNumber } from '../../format';
import { changeQuery, usePlace } from '../../state/location';
import { useTheme } from '../../state/theme';
import { t } from '../../text';
import { type Axis, draw, nearestEvent, planLanes } from './lanes';

interface LanesProps {
  events: TimelineEvent[];
  index: number;
  onChoose: (index: number) => void;
}

const LANE_PX = 30;
const AXIS_PX = 24;
const TICKS = 6;
const ZOOM_MAX = 200;

export function Lanes({ events, index, onChoose }: LanesProps) {
  const { query } = usePlace();
  const theme = useTheme();
  const colours = chartColours(theme);
  const axis: Axis = query.get('axis') === 'order' ? 'order' : 'time';
  const [zoom, setZoom] = useState(1);
  const [frame, width] = useWidth();
  const plan = useMemo(() => planLanes(events, axis), [events, axis]);
  const names_px = width < 520 ? 88 : 132;
  const drawn_px = Math.max(100, width - names_px);
  const chosen = plan.positions[index] ?? 0;
  const from = zoom === 1 ? 0 : Math.min(1 - 1 / zoom, Math.max(0, chosen - 0.5 / zoom));
  const x = (position: number) => (position - from) * zoom * drawn_px;
  const height = plan.lanes.length * LANE_PX;
  const first_ms = Date.parse(events[0]!.time);
  const span_ms = Math.max(1, Date.parse(events.at(-1)!.time) - first_ms);
  const { blocks, ticks } = useMemo(() => draw(plan, events, from, zoom, drawn_px), [plan, events, from, zoom, drawn_px]);

  const press = (event: React.MouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const lane = plan.lanes[Math.floor((event.clientY - box.top) / LANE_PX)] ?? null;
    onChoose(nearestEvent(plan, events, lane, from + (event.clientX - box.left) / (zoom * drawn_px)));
  };
  return (
    <div className="stack-tight">
      <div className="row row-wrap">
        <Segmented
          label={t('timeline.axis')} value={axis} onChange={(value) => changeQuery({ axis: value === 'order' ? value : null }, { replace: true })}
          choices={[{ value: 'time', text: t('timeline.axis.time') }, { value: 'order', text: t('timeline.axis.order') }]}
        />
        <span className="row" style={{ gap: 4, marginInlineStart: 'auto' }}>
          <button type="button" className="button button-icon button-small" aria-label={t('map.zoomIn')} onClick={() => setZoom(Math.min(ZOOM_MAX, zoom * 2))}><Icon name="plus" size={16} /></button>
          <button type="button" className="button button-icon button-small" aria-label={t('map.zoomOut')} disabled={zoom === 1} onClick={() => setZoom(Math.max(1, zoom / 2))}><Icon name="minus" size={16} /></button>
          <button type="button" className="button button-icon button-small" aria-label={t('map.fit')} disabled={zoom === 1} onClick={() => setZoom(1)}><Icon name="fit" size={16} /></button>
        </span>
      </div>
      <div ref={frame} className="lanes" style={{ gridTemplateColumns: `${names_px}px minmax(0, 1fr)` }}>
        <ul style={{ paddingBottom: AXIS_PX }}>
          {plan.lanes.map((name) => (
            <li key={name} className="lane-name" style={{ height: LANE_PX }}>
              <span className="swatch" style={{ background: nameColour(name, theme) }} aria-hidden="true" />
              <span className="truncate" title={name}>{name || t('value.unnamed')}</span>
            </li>
          ))}
        </ul>
        <svg
          width={drawn_px} height={height + AXIS_PX} role="img" onClick={press} className="lanes-picture"
          aria-label={t('timeline.lanes.summary', { count: events.length, lanes: plan.lanes.length, blocks: plan.blocks.length })}
        >
          {plan.lanes.map((name, lane) => <line key={name} x1={0} x2={drawn_px} y1={(lane + 1) * LANE_PX - 0.5} y2={(lane + 1) * LANE_PX - 0.5} stroke={colours.line} />)}
          {blocks.map((block) => (
            <rect
              key={`${block.lane} ${block.x}`} x={block.x} y={block.lane * LANE_PX + 5} width={block.width} height={LANE_PX - 10} rx={2}
              fill={nameColour(plan.lanes[block.lane]!, theme)} fillOpacity={0.55}
            />
          ))}
          <path d={ticks.map(({ x: place, lane }) => `M${place} ${lane * LANE_PX + 5}v${LANE_PX - 10}`).join('')} stroke={colours.surface} strokeOpacity={0.8} strokeWidth={1} />
          <rect x={x(chosen) - 1} y={0} width={2} height={height} fill={colours.text} />
          <path d={`M${x(chosen) - 6} ${height}h12l-6 -7z`} fill={colours.text} />
          {Array.from({ length: TICKS + 1 }, (_, tick) => {
            const position = from + tick / TICKS / zoom;
            const label = axis === 'time'
              ? (span_ms < 3_600_000 ? formatDuration(Math.round((position * span_ms) / 1000)) : formatClock(new Date(first_ms + position * span_ms).toISOString()))
              : formatNumber(Math.min(events.length, Math.round(position * events.length) + 1));
            const wide = drawn_px > 720 || tick % (drawn_px > 440 ? 2 : 3) === 0;
            return wide && (
              <text key={tick} x={(tick / TICKS) * drawn_px} y={height + 17} fontSize={11.5} fill={colours.muted} textAnchor={tick === 0 ? 'start' : tick === TICKS ? 'end' : 'middle'}>{label}</text>
            );
          })}
        </svg>
      </div>
    </div>
  );
}

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watcher.observe(frame.current!);
    return () => watcher.disconnect();
  }, []);
  return [frame, width];
}
