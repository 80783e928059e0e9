// Writes numbers, times, durations and byte counts for reading. Times are UTC, as the service stores them.
import { locale, t } from '../text';

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC', hourCycle: 'h23' });
const dayOnly = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
const clockOnly = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'UTC', hourCycle: 'h23' });

export const NOTHING = '–';

export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return whole.format(value);
  return new Intl.NumberFormat(locale, { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 }).format(value);
}

export function formatCompact(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

export function formatShare(value: number | null | undefined): string {
  return value === null || value === undefined ? NOTHING : percent.format(value);
}

/** A length of time in at most two units: 850 ms, 12.4 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds === 0) return t('duration.s', { s: 0 });
  if (seconds < 1) return t('duration.ms', { ms: Math.round(seconds * 1000) });
  if (seconds < 59.95) return t('duration.s', { s: formatNumber(Math.round(seconds * 10) / 10) });
  const s = Math.round(seconds);
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return twoUnits(t('duration.min', { min: minutes }), s % 60, (rest) => t('duration.s', { s: rest }));
  const hours = Math.floor(s / 3600);
  if (hours < 48) return twoUnits(t('duration.h', { h: hours }), Math.floor((s % 3600) / 60), (rest) => t('duration.min', { min: rest }));
  const days = Math.floor(s / 86_400);
  return twoUnits(t('duration.d', { d: days }), Math.floor((s % 86_400) / 3600), (rest) => t('duration.h', { h: rest }));
}

function twoUnits(large: string, rest: number, small: (rest: number) => string): string {
  return rest === 0 ? large : `${large} ${small(rest)}`;
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return NOTHING;
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit', unit: units[unit], unitDisplay: unit === 0 ? 'long' : 'short', maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
  }).format(value);
}

export const formatTime = (time: string | null | undefined): string => (time ? dateTime.format(new Date(time)) : NOTHING);
export const formatDay = (time: string | null | undefined): string => (time ? dayOnly.format(new Date(time)) : NOTHING);
export const formatClock = (time: string): string => clockOnly.format(new Date(time));

/** A span of time as short as it can be said: one day, or two. */
export function formatSpan(from: string | null, to: string | null): string {
  if (!from || !to) return NOTHING;
  return formatDay(from) === formatDay(to) ? formatDay(from) : dayOnly.formatRange(new Date(from), new Date(to));
}

/** Events of one agent share the upper 32 bits of their order; the lower ones count inside the agent. */
const AGENT_STEP = 2 ** 32;

/** A key of a case or session, short enough to be read and still unique: agent and place, or the key itself. */
export function shortKey(key: string): string {
  const number = Number(key);
  if (!Number.isSafeInteger(number) || number < AGENT_STEP) return key;
  return `${Math.floor(number / AGENT_STEP)}·${number % AGENT_STEP}`;
}
