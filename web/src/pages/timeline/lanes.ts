// Places events in swim lanes: one lane per application, one block per stretch in front, along time or along the order of events.
import type { TimelineEvent } from '../../client/analyses';

export type Axis = 'time' | 'order';

export interface Block {
  lane: number;
  /** From 0 at the first event to 1 at the end of the last. */
  start: number;
  end: number;
  first_index: number;
  last_index: number;
}

export interface LanePlan {
  lanes: string[];
  blocks: Block[];
  /** Where each event stands, in the same measure. */
  positions: number[];
}

/** An event without a successor soon after it is drawn this long, as active time is counted. */
const ACTIVE_CAP_S = 30;

export function planLanes(events: TimelineEvent[], axis: Axis): LanePlan {
  const lanes = [...new Set(events.map(laneName))];
  const times = events.map((event) => Date.parse(event.time) / 1000);
  const first = times[0] ?? 0;
  const ends = times.map((time, index) => Math.min(times[index + 1] ?? time + 1, time + ACTIVE_CAP_S));
  const span = Math.max(0.001, (ends.at(-1) ?? 1) - first);
  const start = (index: number) => (axis === 'time' ? (times[index]! - first) / span : index / events.length);
  const end = (index: number) => (axis === 'time' ? (ends[index]! - first) / span : (index + 1) / events.length);

  const lane_of = new Map(lanes.map((name, lane) => [name, lane]));
  const blocks: Block[] = [];
  events.forEach((event, index) => {
    const lane = lane_of.get(laneName(event))!;
    const last = blocks.at(-1);
    const follows = last?.lane === lane && start(index) - last.end < 1e-9;
    if (last && follows) {
      last.end = end(index);
      last.last_index = index;
    } else blocks.push({ lane, start: start(index), end: end(index), first_index: index, last_index: index });
  });
  return { lanes, blocks, positions: events.map((_, index) => start(index)) };
}

export const laneName = (event: TimelineEvent): string => event.application ?? '';

/** The event nearest to a position within one lane, or in any if the lane is empty there. */
export function nearestEvent(plan: LanePlan, events: TimelineEvent[], lane: string | null, position: number): number {
  let best = 0;
  let distance = Infinity;
  plan.positions.forEach((at, index) => {
    const away = Math.abs(at - position) + (lane !== null && laneName(events[index]!) !== lane ? 10 : 0);
    if (away < distance) [best, distance] = [index, away];
  });
  return best;
}

/** What of a plan is to be drawn on so many pixels, from `from` (0 to 1) on, enlarged by `zoom`. */
export interface Drawn {
  /** In pixels; stretches of one lane that no pixel parts are one. */
  blocks: { lane: number; x: number; width: number }[];
  /** One for each pixel of a lane on which events begin. */
  ticks: { lane: number; x: number }[];
}

export function draw(plan: LanePlan, events: TimelineEvent[], from: number, zoom: number, drawn_px: number): Drawn {
  const x = (position: number) => (position - from) * zoom * drawn_px;
  const blocks: Drawn['blocks'] = [];
  const last = new Map<number, Drawn['blocks'][number]>();
  for (const block of plan.blocks) {
    const [start, end] = [x(block.start), x(block.end)];
    if (end < 0 || start > drawn_px) continue;
    const before = last.get(block.lane);
    if (before && start - (before.x + before.width) < 0.5) before.width = Math.max(before.width, end - before.x);
    else {
      const drawn = { lane: block.lane, x: start, width: Math.max(2, end - start) };
      blocks.push(drawn);
      last.set(block.lane, drawn);
    }
  }
  const lane_of = new Map(plan.lanes.map((name, lane) => [name, lane]));
  const seen = new Set<number>();
  const ticks: Drawn['ticks'] = [];
  plan.positions.forEach((position, index) => {
    const place = x(position);
    if (place < 0 || place > drawn_px) return;
    const lane = lane_of.get(laneName(events[index]!))!;
    const pixel = lane * 100_000 + Math.round(place);
    if (!seen.has(pixel)) ticks.push({ lane, x: Math.round(place) });
    seen.add(pixel);
  });
  return { blocks, ticks };
}
