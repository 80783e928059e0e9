// Writes one cell of an answer by its column's name and type: `_s` is a length of time, `share` a share, and so on.
import type { Cell, Column } from '../client';
import { en } from '../text/en';
import { type PlainKey, t } from '../text';
import { formatBytes, formatDay, formatDuration, formatNumber, formatShare, formatTime, NOTHING } from './index';

export function columnTitle(name: string): string {
  const key = `column.${name}`;
  if (key in en) return t(key as PlainKey);
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const isNumeric = (column: Column) => column.type === 'integer' || column.type === 'number';

export function formatCell(column: Column, value: Cell | undefined): string {
  if (value === null || value === undefined || value === '') return NOTHING;
  if (Array.isArray(value)) return value.map(plain).join(' → ');
  if (typeof value === 'object') return plain(value);
  if (typeof value === 'boolean') return value ? t('value.yes') : t('value.no');
  if (typeof value === 'number') return formatQuantity(column.name, value);
  if (column.type === 'time') return formatTime(value);
  if (column.type === 'date') return formatDay(value);
  return value;
}

const plain = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function formatQuantity(name: string, value: number): string {
  if (name.endsWith('_s')) return formatDuration(value);
  if (name.endsWith('_ms')) return formatDuration(value / 1000);
  if (name.endsWith('_h')) return formatDuration(value * 3600);
  if (name.endsWith('_bytes')) return formatBytes(value);
  if (name === 'share') return formatShare(value);
  return formatNumber(value);
}

/** As `formatCell`, but for cells whose unit nobody knows, such as the result of a person's own query. */
export function formatPlainCell(column: Column, value: Cell | undefined): string {
  if (typeof value === 'number') return String(value);
  if (column.type === 'time' && typeof value === 'string') return value;
  return formatCell(column, value);
}
