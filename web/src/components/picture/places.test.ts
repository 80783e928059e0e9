// Proves where boxes of the desktop lie on a picture, also on a scaled one and at its edges.
import { expect, test } from 'vitest';
import type { PictureEvent } from '../../client/analyses';
import { areaOf, areaShares, between, elementShares, moved, pointerShares } from './places';

const event = (box: [number, number, number, number] | null, mouse: [number, number] | null = null) => ({
  box_x: box?.[0] ?? null, box_y: box?.[1] ?? null, box_width: box?.[2] ?? null, box_height: box?.[3] ?? null,
  mouse_x: mouse?.[0] ?? null, mouse_y: mouse?.[1] ?? null,
}) as PictureEvent;

test('a box of the desktop lies on the picture of a window that stands anywhere', () => {
  const place: [number, number, number, number] = [-100, 50, 200, 100];
  expect(elementShares(event([-50, 75, 100, 50]), { place })).toEqual({ left: 0.25, top: 0.25, width: 0.5, height: 0.5 });
  expect(elementShares(event([50, 125, 100, 50]), { place })).toEqual({ left: 0.75, top: 0.75, width: 0.25, height: 0.25 });
  expect(elementShares(event([500, 500, 10, 10]), { place })).toBeNull();
  expect(elementShares(event(null), { place })).toBeNull();
  expect(elementShares(event([0, 0, 1, 1]), { place: null })).toBeNull();
  expect(pointerShares(event(null, [0, 100]), { place })).toEqual({ left: 0.5, top: 0.5 });
  expect(pointerShares(event(null, [101, 100]), { place })).toBeNull();
});

test('areas go to shares and back, and never lose a pixel of what is to be covered', () => {
  const picture = { width: 300, height: 200 };
  const area = { x: 30, y: 20, width: 61, height: 7 };
  expect(areaOf(areaShares(area, picture)!, picture)).toEqual(area);
  expect(areaOf({ left: 0.0011, top: 0.999, width: 0.001, height: 0.5 }, picture)).toEqual({ x: 0, y: 199, width: 1, height: 1 });
  expect(areaShares({ x: 300, y: 0, width: 9, height: 9 }, picture)).toBeNull();
});

test('a rectangle that is moved or sized stays on the picture', () => {
  const shares = between({ left: 0.9, top: 0.9 }, { left: 0.7, top: 1.4 });
  expect([shares.left, shares.top, shares.width, shares.height].map((value) => Number(value.toFixed(3)))).toEqual([0.7, 0.9, 0.2, 0.1]);
  expect(moved(shares, 1, 1, false).left).toBeCloseTo(0.8);
  expect(moved(shares, 1, 1, true)).toMatchObject({ left: 0.7, width: expect.closeTo(0.3) });
  expect(moved(shares, -9, -9, true).width).toBeCloseTo(0.01);
});
