// Chooses what a process map shows: the happy path first, then as much of the rest as the sliders ask for, always connected.
// It knows nothing of drawing.
import type { ProcessEdge, ProcessNode } from '../../client/analyses';

/** The two points that are not activities. No activity can have these names, because names hold no control characters. */
export const START = '\u0001start';
export const END = '\u0001end';

/** What is drawn at most, whatever the sliders say; beyond it a map answers nothing and its layout takes too long. */
export const NODES_MAX = 150;
export const EDGES_MAX = 500;

/** So many activities are shown at first even if the happy path is shorter. */
const FIRST_ACTIVITIES = 8;

export interface MapEdge {
  from: string;
  to: string;
  frequency: number;
  cases: number;
  p50_s: number | null;
  p90_s: number | null;
  mean_s: number | null;
  happy: boolean;
}

export interface MapGraph {
  nodes: ProcessNode[];
  edges: MapEdge[];
  /** How often an activity follows itself; drawn as a mark on the node. */
  repeats: Map<string, MapEdge>;
  activities_total: number;
  paths_total: number;
  /** True when the bounds cut off what the sliders ask for. */
  cut: boolean;
}

/** The activities of the happy path in its order. */
export function happyPath(nodes: ProcessNode[]): ProcessNode[] {
  return nodes
    .filter((node) => node.happy_path_rank !== null)
    .sort((a, b) => a.happy_path_rank! - b.happy_path_rank!);
}

/** The slider position a map opens with: the happy path, and a few more where it is very short. Percent, from 0. */
export function firstShare(nodes: ProcessNode[]): number {
  if (nodes.length === 0) return 0;
  const count = Math.min(Math.max(happyPath(nodes).length, FIRST_ACTIVITIES), nodes.length);
  return Math.ceil((count / nodes.length) * 100);
}

function chooseNodes(nodes: ProcessNode[], edges: ProcessEdge[], activities_percent: number): ProcessNode[] {
  const happy = happyPath(nodes);
  const rest = nodes.filter((node) => node.happy_path_rank === null).sort((a, b) => b.events - a.events);
  const wanted = Math.floor((nodes.length * activities_percent) / 100);
  const count = Math.min(NODES_MAX, Math.max(happy.length, wanted, 1));
  return withWays([...happy, ...rest].slice(0, count), nodes, edges).slice(0, NODES_MAX);
}

/** Adds the activities without which a chosen one could not be reached from the start, or could not reach the end. */
function withWays(chosen: ProcessNode[], nodes: ProcessNode[], edges: ProcessEdge[]): ProcessNode[] {
  const steps = possibleEdges(nodes, edges, []).filter((edge) => edge.from !== edge.to);
  const names = new Set(chosen.map((node) => node.activity));
  for (const [root, forwards] of [[START, true], [END, false]] as const) {
    const way = ways(root, steps, forwards);
    for (const { activity } of chosen) {
      for (let at = way.get(activity); at !== undefined && at !== root; at = way.get(at)) names.add(at);
    }
  }
  const added = nodes.filter((node) => names.has(node.activity) && !chosen.includes(node));
  return [...chosen, ...added];
}

/** For each node its neighbour on the way to `root` with the fewest steps; among those the most frequent step. */
function ways(root: string, steps: MapEdge[], forwards: boolean): Map<string, string> {
  const way = new Map<string, string>();
  let ring = [root];
  while (ring.length > 0) {
    const near = new Set(ring);
    ring = [];
    for (const step of steps) {
      const [here, there] = forwards ? [step.from, step.to] : [step.to, step.from];
      if (!near.has(here) || there === root || way.has(there)) continue;
      way.set(there, here);
      ring.push(there);
    }
  }
  return way;
}

/** All steps among `names`, with those from the start and to the end, most frequent first. */
function possibleEdges(nodes: ProcessNode[], edges: ProcessEdge[], happy: ProcessNode[]): MapEdge[] {
  const names = new Set(nodes.map((node) => node.activity));
  const next = new Map(happy.map((node, index) => [node.activity, happy[index + 1]?.activity ?? END]));
  next.set(START, happy[0]?.activity ?? END);
  const isHappy = (from: string, to: string) => next.get(from) === to;
  const ends = nodes.flatMap((node): MapEdge[] => {
    const times = { p50_s: null, p90_s: null, mean_s: null };
    const { activity, start_cases, end_cases } = node;
    return [
      { from: START, to: activity, frequency: start_cases, cases: start_cases, ...times, happy: isHappy(START, activity) },
      { from: activity, to: END, frequency: end_cases, cases: end_cases, ...times, happy: isHappy(activity, END) },
    ].filter((edge) => edge.frequency > 0);
  });
  const steps = edges
    .filter((edge) => names.has(edge.from_activity) && names.has(edge.to_activity))
    .map(({ from_activity, to_activity, ...figures }): MapEdge => ({
      from: from_activity, to: to_activity, ...figures, happy: isHappy(from_activity, to_activity),
    }));
  return [...steps, ...ends].sort((a, b) => b.frequency - a.frequency);
}

/**
 * The most frequent steps that tie every node to `root`: forwards, each node can be reached from it; backwards, it can be reached from each.
 *
 * `edges` must be ordered by frequency; nodes that no step ties to the root stay as they are.
 */
export function tie(root: string, edges: MapEdge[], forwards: boolean): MapEdge[] {
  const near = (edge: MapEdge) => (forwards ? edge.from : edge.to);
  const far = (edge: MapEdge) => (forwards ? edge.to : edge.from);
  const reached = new Set([root]);
  const chosen: MapEdge[] = [];
  for (;;) {
    const edge = edges.find((candidate) => reached.has(near(candidate)) && !reached.has(far(candidate)));
    if (!edge) return chosen;
    reached.add(far(edge));
    chosen.push(edge);
  }
}

export function selectGraph(
  nodes: ProcessNode[],
  edges: ProcessEdge[],
  shares: { activities_percent: number; paths_percent: number },
): MapGraph {
  const happy = happyPath(nodes);
  const shown = chooseNodes(nodes, edges, shares.activities_percent);
  const possible = possibleEdges(shown, edges, happy);
  const repeats = new Map(possible.filter((edge) => edge.from === edge.to).map((edge) => [edge.from, edge]));
  const steps = possible.filter((edge) => edge.from !== edge.to);
  // The steps of the happy path come before more frequent ones, so that the map keeps telling its story.
  const happyFirst = [...steps.filter((edge) => edge.happy), ...steps.filter((edge) => !edge.happy)];
  const kept = new Set([
    ...steps.filter((edge) => edge.happy),
    ...tie(START, happyFirst, true),
    ...tie(END, happyFirst, false),
  ]);
  const rest = steps.filter((edge) => !kept.has(edge));
  const more = Math.round((rest.length * shares.paths_percent) / 100);
  const wanted = [...kept, ...rest.slice(0, more)];
  return {
    nodes: shown,
    edges: wanted.slice(0, EDGES_MAX),
    repeats,
    activities_total: nodes.length,
    paths_total: steps.length,
    cut: wanted.length > EDGES_MAX || (shares.activities_percent === 100 && nodes.length > NODES_MAX),
  };
}
