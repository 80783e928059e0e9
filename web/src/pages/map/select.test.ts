// Proves what a process map shows at each position of its sliders.
import { expect, test } from 'vitest';
import type { ProcessEdge, ProcessNode } from '../../client/analyses';
import { END, firstShare, happyPath, selectGraph, START, tie } from './select';

/** "a1:50 s50" is activity a, first on the happy path, with 50 events and 50 cases that start with it; "e" marks ends. */
function nodes(text: string): ProcessNode[] {
  return text.split(' | ').map((one) => {
    const [, activity, rank, events, start, end] = /^([a-z]+)(\d*):(\d+)(?: s(\d+))?(?: e(\d+))?$/.exec(one)!;
    return {
      activity: activity!, application: 'crm', events: Number(events), cases: Number(events), start_cases: Number(start ?? 0),
      end_cases: Number(end ?? 0), happy_path_rank: rank ? Number(rank) : null, users: 1,
    };
  });
}

/** "a>b:50" is 50 times b after a. */
function edges(text: string): ProcessEdge[] {
  return text.split(' ').map((one) => {
    const [, from_activity, to_activity, frequency] = /^(\w+)>(\w+):(\d+)$/.exec(one)!;
    return { from_activity: from_activity!, to_activity: to_activity!, frequency: Number(frequency), cases: 1, p50_s: 1, p90_s: 2, mean_s: 1 };
  });
}

const NODES = nodes('c3:50 e45 | a1:50 s50 | b2:50 | x:60 | y:3 e5');
const EDGES = edges('a>b:45 b>c:40 a>x:20 x>b:4 x>x:30 b>y:3 c>a:10');
const written = (graph: ReturnType<typeof selectGraph>) =>
  graph.edges.map(({ from, to }) => `${from === START ? 'start' : from}>${to === END ? 'end' : to}`).sort().join(' ');

test('the happy path comes in the order of its ranks', () => {
  expect(happyPath(NODES).map((node) => node.activity).join('')).toBe('abc');
});

test('at zero the map is the happy path from start to end', () => {
  const graph = selectGraph(NODES, EDGES, { activities_percent: 0, paths_percent: 0 });
  expect(graph.nodes.map((node) => node.activity)).toEqual(['a', 'b', 'c']);
  expect(written(graph)).toBe('a>b b>c c>end start>a');
});

test('a further activity is tied to start and end even when paths stand at zero', () => {
  const graph = selectGraph(NODES, EDGES, { activities_percent: 80, paths_percent: 0 });
  expect(graph.nodes.map((node) => node.activity)).toEqual(['a', 'b', 'c', 'x']);
  expect(written(graph)).toBe('a>b a>x b>c c>end start>a x>b');
});

test('the paths slider adds the most frequent of the rest first', () => {
  const half = selectGraph(NODES, EDGES, { activities_percent: 0, paths_percent: 100 });
  expect(written(half)).toBe('a>b b>c c>a c>end start>a');
  const all = selectGraph(NODES, EDGES, { activities_percent: 100, paths_percent: 100 });
  expect(all.edges).toHaveLength(all.paths_total);
});

test('a repeat is a mark on its node and no path', () => {
  const graph = selectGraph(NODES, EDGES, { activities_percent: 100, paths_percent: 100 });
  expect(graph.repeats.get('x')?.frequency).toBe(30);
  expect(graph.edges.some((edge) => edge.from === edge.to)).toBe(false);
});

test('happy steps are marked, others are not', () => {
  const graph = selectGraph(NODES, EDGES, { activities_percent: 100, paths_percent: 100 });
  expect(graph.edges.filter((edge) => edge.happy)).toHaveLength(4);
});

test('an activity far from the start brings the activities on its way along', () => {
  const chain = nodes('a:1 s1 | b:1 | x:90 | y:1 e1 | z:1');
  const graph = selectGraph(chain, edges('a>b:1 b>x:1 x>y:1 a>z:1 z>y:1'), { activities_percent: 20, paths_percent: 0 });
  expect(graph.nodes.map((node) => node.activity).sort()).toEqual(['a', 'b', 'x', 'y']);
  expect(written(graph)).toBe('a>b b>x start>a x>y y>end');
});

test('what nothing ties to the root is left alone', () => {
  const loose = selectGraph(nodes('a1:5 s5 e5 | z:9'), edges('a>a:1'), { activities_percent: 100, paths_percent: 100 });
  expect(tie(START, loose.edges, true).map((edge) => edge.to)).not.toContain('z');
  expect(loose.nodes).toHaveLength(2);
});

test('a short happy path opens with a few more activities', () => {
  const many = nodes(['a1:9 s9', ...Array.from({ length: 19 }, (_, index) => `${'bcdefghijklmnopqrstuv'[index]}:1`)].join(' | '));
  expect(firstShare(many)).toBe(40);
  expect(selectGraph(many, [], { activities_percent: 40, paths_percent: 0 }).nodes).toHaveLength(8);
});
