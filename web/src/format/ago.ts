// How long ago something was, in one unit: "3 minutes ago". The words come from the browser's own language data.
import { locale } from '../text';

const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]];

/** Below this one says "now": heartbeats come once a minute at most. */
const NOW_S = 10;

/** `now_ms` is the clock of whoever looks; times ahead of it count as now. */
export function formatAgo(time: string, now_ms: number): string {
  const seconds = Math.max(0, (now_ms - new Date(time).getTime()) / 1000);
  if (seconds < NOW_S) return words.format(0, 'second');
  const [unit, length] = UNITS.find(([, size]) => seconds >= size)!;
  return words.format(-Math.floor(seconds / length), unit);
}
