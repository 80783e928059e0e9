// The colours of charts in both themes, and which application gets which. Colour is never the only sign: names stand beside it.
import type { Theme } from '../../state/theme';

const HUES: Record<Theme, string[]> = {
  light: ['#1f7f84', '#c1831a', '#5a6bc0', '#b4536e', '#5f8c3c', '#8a5fae', '#b5623a', '#5f7280', '#2f8fc2', '#8c7a2d'],
  dark: ['#56b9bb', '#dda94f', '#8d9ae6', '#df8aa1', '#93c06e', '#bb95da', '#df9670', '#97a8b4', '#73bde6', '#c2b062'],
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

/** A colour per name that stays the same on every page and in every order, whatever else is shown. */
export function nameColour(name: string, theme: Theme): string {
  let hash = 2166136261;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 16777619);
  const hues = HUES[theme];
  return hues[(hash >>> 8) % hues.length]!;
}
