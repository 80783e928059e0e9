// Proves where the arrow keys lead on the process map.
import { expect, test } from 'vitest';
import type { MapEdge } from './select';
import { walk } from './walk';

const edge = (from: string, to: string, frequency: number): MapEdge =>
  ({ from, to, frequency, cases: 1, p50_s: null, p90_s: null, mean_s: null, happy: false });

//      a
//    b   c
//      d
const layout = { width: 0, height: 0, edges: [], nodes: { a: { x: 50, y: 0 }, b: { x: 0, y: 50 }, c: { x: 100, y: 50 }, d: { x: 50, y: 100 } } };
const edges = [edge('a', 'b', 3), edge('a', 'c', 9), edge('b', 'd', 3), edge('c', 'd', 9), edge('d', 'a', 20)];

test('down follows the most frequent step', () => expect(walk('a', 'ArrowDown', edges, layout)).toBe('c'));
test('up follows the most frequent step back', () => expect(walk('d', 'ArrowUp', edges, layout)).toBe('c'));
test('down never follows a step that leads up', () => expect(walk('d', 'ArrowDown', edges, layout)).toBeNull());
test('sideways goes to the neighbour on the same level', () => {
  expect(walk('b', 'ArrowRight', edges, layout)).toBe('c');
  expect(walk('c', 'ArrowLeft', edges, layout)).toBe('b');
});
