// The colours of charts in both themes, and which application gets which. Colour is never the only sign: names stand beside it.
import type { Theme } from '../../state/theme';

const HUES: Record<Theme, string[]> = {
  light: ['#1f7f84', '#c1831a', '#5a6bc0', '#b4536e', '#5f8c3c', '#8a5fae', '#b5623a', '#5f7280', '#2f8fc2', '#a34f93'],
  dark: ['#56b9bb', '#dda94f', '#8d9ae6', '#df8aa1', '#93c06e', '#bb95da', '#df9670', '#97a8b4', '#73bde6', '#d98fca'],
};

export interface ChartColours {
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
}

const BASICS: Record<Theme, ChartColours> = {
  light: { text: '#18212a', muted: '#55626d', line: '#dfe4e7', surface: '#ffffff', accent: '#1f7f84' },
  dark: { text: '#e5eaed', muted: '#9fadb6', line: '#2a3338', surface: '#161b1e', accent: '#56b9bb' },
};

export const chartColours = (theme: Theme): ChartColours => BASICS[theme];

/** Which hue each name has taken so far. */
const taken = new Map<string, number>();

/** A colour per name, the same on every page. The name itself suggests it; a second name with the same wish gets the next free hue. */
export function nameColour(name: string, theme: Theme): string {
  const hues = HUES[theme];
  let hue = taken.get(name);
  if (hue === undefined) {
    hue = freeHue(wish(name) % hues.length, hues.length);
    taken.set(name, hue);
  }
  return hues[hue]!;
}

function wish(name: string): number {
  let hash = 2166136261;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 16777619);
  return hash >>> 8;
}

function freeHue(wished: number, count: number): number {
  const used = new Set(taken.values());
  for (let step = 0; step < count; step += 1) {
    const hue = (wished + step) % count;
    if (!used.has(hue)) return hue;
  }
  return wished;
}
