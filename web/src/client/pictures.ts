// Pictures of single steps: where one is, what is known of it, and what may be done with it. It keeps no state.
import { address, send } from './http';

/** An area in pixels of the picture. */
export interface Area { x: number; y: number; width: number; height: number }
export interface Mask extends Area { reason: string }

export interface Picture {
  screenshot_id: string; width: number; height: number; bytes: number;
  /** The part of the virtual desktop that it shows: x, y, width, height; null if the client did not say. */
  place: [number, number, number, number] | null;
  masks: Mask[]; hidden: boolean; received_at: string | null;
}

const of = (slug: string, id: string, rest = '') => address(`/projects/${encodeURIComponent(slug)}/screenshots/${encodeURIComponent(id)}${rest}`);

export const picturePath = {
  known: (slug: string, id: string) => of(slug, id),
  png: (slug: string, id: string) => of(slug, id, '/png'),
};

export const reportPicture = (slug: string, id: string) => send<void>('POST', of(slug, id, '/report'));
export const releasePicture = (slug: string, id: string) => send<void>('POST', of(slug, id, '/release'));
export const coverPicture = (slug: string, id: string, areas: Area[]) => send<void>('POST', of(slug, id, '/cover'), { areas });
export const erasePicture = (slug: string, id: string) => send<void>('DELETE', of(slug, id));
