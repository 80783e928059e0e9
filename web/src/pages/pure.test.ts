// Proves the small pure parts of the pages: lanes, matrix, flows, sequences, shares, positions, headers, addresses.
import { expect, test } from 'vitest';
import type { CopyPaste, TimelineEvent } from '../client/analyses';
import { flows } from './copy-paste/flows';
import { offsetOf } from './data/position';
import { readHeader } from './import/header';
import { matrix } from './switching/matrix';
import { draw, nearestEvent, planLanes } from './timeline/lanes';
import { cumulated } from './variants/cumulated';
import { stretches } from '../components/stretches';

/** "0 excel | 4 crm" are events at these seconds. */
const events = (text: string): TimelineEvent[] =>
  text.split(' | ').map((one, event) => {
    const [second, application] = one.split(' ');
    return { event, application, time: new Date(Number(second) * 1000).toISOString() } as TimelineEvent;
  });

test('neighbours in one application make one block', () => {
  const plan = planLanes(events('0 excel | 5 excel | 10 crm | 20 excel'), 'order');
  expect(plan.lanes).toEqual(['excel', 'crm']);
  expect(plan.blocks.map((block) => [block.lane, block.first_index, block.last_index])).toEqual([[0, 0, 1], [1, 2, 2], [0, 3, 3]]);
});

test('a long pause parts a block along time', () => {
  expect(planLanes(events('0 excel | 600 excel'), 'time').blocks).toHaveLength(2);
});

test('the nearest event is looked for in the lane that was pressed', () => {
  const log = events('0 excel | 5 crm | 10 excel');
  expect(nearestEvent(planLanes(log, 'order'), log, 'excel', 0.3)).toBe(0);
  expect(nearestEvent(planLanes(log, 'order'), log, 'crm', 0.9)).toBe(1);
});

test('of a hundred thousand events no more is drawn than there are pixels, and zoomed in each stands alone', () => {
  const log = Array.from({ length: 100_000 }, (_, event) => ({ event, application: event % 2 ? 'crm' : 'excel', time: new Date(event * 1000).toISOString() }) as TimelineEvent);
  const plan = planLanes(log, 'order');
  const far = draw(plan, log, 0, 1, 800);
  expect(far.ticks.length).toBeLessThanOrEqual(2 * 801);
  expect(far.blocks).toHaveLength(2);
  const near = draw(plan, log, 0.5, 10_000, 800);
  expect(near.blocks.length).toBeGreaterThanOrEqual(10);
  expect(near.blocks.every((block) => block.width < 100)).toBe(true);
});

test('the matrix puts the busiest application first and counts what finds no room', () => {
  const row = (from_application: string, to_application: string, switches: number) => ({ from_application, to_application, switches, round_trips: 0, users: 1 });
  const { names, left_out, value } = matrix([row('a', 'b', 1), row('b', 'c', 9), row('c', 'b', 5)], 'switches', 2);
  expect(names).toEqual(['b', 'c']);
  expect(left_out).toBe(1);
  expect(value('c', 'b')).toBe(5);
});

test('flows are summed at the level asked for, and a place never flows into itself', () => {
  const pair = (from_element: string, to_element: string): CopyPaste =>
    ({ from_application: 'Excel', from_screen: null, from_element, to_application: 'Excel', to_screen: null, to_element, pairs: 2, users: 1, p50_s: 1 });
  const [whole] = flows([pair('A', 'B'), pair('B', 'A')], 'application').links;
  expect(whole?.pairs).toBe(4);
  expect(whole?.source.id).not.toBe(whole?.target.id);
  expect(flows([pair('A', 'B'), pair('B', 'A')], 'element').links).toHaveLength(2);
});

test('repeats in a row are one stretch', () => {
  expect(stretches(['a', 'a', 'b', 'a'])).toEqual([{ activity: 'a', count: 2 }, { activity: 'b', count: 1 }, { activity: 'a', count: 1 }]);
});

test('shares add up and never pass one', () => {
  expect(cumulated([{ share: 0.5 }, { share: 0.5 }, { share: 0.01 }])).toEqual([0.5, 1, 1]);
});

test('a line and column name a place, one beyond the text its end', () => {
  expect(offsetOf('ab\ncde', 2, 2)).toBe(4);
  expect(offsetOf('ab\ncde', 1, 99)).toBe(2);
  expect(offsetOf('ab\ncde', 9, 1)).toBe(6);
});

test('the header is read with its quotes and its separator', () => {
  expect(readHeader('\uFEFF"time, local";user\r\n1;2')).toEqual(['time, local', 'user']);
});
