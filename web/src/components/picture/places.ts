// Where things lie on a picture: from pixels of the desktop to shares of the picture's sides. It draws nothing.
import type { Area, Picture } from '../../client';
import type { PictureEvent } from '../../client/analyses';

/** Left, top, width and height as shares of the picture's sides, 0 to 1. */
export interface Shares { left: number; top: number; width: number; height: number }

const within = (value: number) => Math.min(1, Math.max(0, value));

/** The part of a rectangle that lies on the picture; null if nothing of it does. */
function clipped(left: number, top: number, right: number, bottom: number): Shares | null {
  const [l, t, r, b] = [within(left), within(top), within(right), within(bottom)];
  return r > l && b > t ? { left: l, top: t, width: r - l, height: b - t } : null;
}

/** The box of the event's element on the picture; null where the box or the picture's place is not known. */
export function elementShares(event: PictureEvent, picture: Pick<Picture, 'place'>): Shares | null {
  const { box_x: x, box_y: y, box_width: width, box_height: height } = event;
  if (!picture.place || x === null || y === null || width === null || height === null) return null;
  const [left, top, across, down] = picture.place;
  return clipped((x - left) / across, (y - top) / down, (x + width - left) / across, (y + height - top) / down);
}

/** Where the pointer was on the picture; null where that is not known or lies outside. */
export function pointerShares(event: PictureEvent, picture: Pick<Picture, 'place'>): { left: number; top: number } | null {
  if (!picture.place || event.mouse_x === null || event.mouse_y === null) return null;
  const [left, top, across, down] = picture.place;
  const share = { left: (event.mouse_x - left) / across, top: (event.mouse_y - top) / down };
  return share.left >= 0 && share.left <= 1 && share.top >= 0 && share.top <= 1 ? share : null;
}

export const areaShares = (area: Area, picture: Pick<Picture, 'width' | 'height'>): Shares | null =>
  clipped(area.x / picture.width, area.y / picture.height, (area.x + area.width) / picture.width, (area.y + area.height) / picture.height);

/** Whole pixels that hold all of the shares. */
export function areaOf(shares: Shares, picture: Pick<Picture, 'width' | 'height'>): Area {
  const [x, y] = [Math.floor(shares.left * picture.width), Math.floor(shares.top * picture.height)];
  const right = Math.min(picture.width, Math.ceil((shares.left + shares.width) * picture.width));
  const bottom = Math.min(picture.height, Math.ceil((shares.top + shares.height) * picture.height));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

/** Moves (or with `sizes`, its lower right corner) by shares; it stays on the picture and keeps at least `least` of a side. */
export function moved(shares: Shares, by_x: number, by_y: number, sizes: boolean, least = 0.01): Shares {
  if (sizes) {
    const width = Math.min(1 - shares.left, Math.max(least, shares.width + by_x));
    const height = Math.min(1 - shares.top, Math.max(least, shares.height + by_y));
    return { ...shares, width, height };
  }
  const left = Math.min(1 - shares.width, Math.max(0, shares.left + by_x));
  return { ...shares, left, top: Math.min(1 - shares.height, Math.max(0, shares.top + by_y)) };
}

/** The rectangle between two corners. */
export const between = (from: { left: number; top: number }, to: { left: number; top: number }): Shares => ({
  left: within(Math.min(from.left, to.left)), top: within(Math.min(from.top, to.top)),
  width: Math.abs(within(to.left) - within(from.left)), height: Math.abs(within(to.top) - within(from.top)),
});
