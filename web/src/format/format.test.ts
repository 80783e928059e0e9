// Proves how figures are written.
import { expect, test } from 'vitest';
import { fill } from '../text';
import { browserOf } from './browser';
import { formatCell } from './cells';
import { formatBytes, formatDuration, formatNumber, formatShare, formatSpan, NOTHING, shortKey } from './index';

test.each([
  [0, '0 s'], [0.36, '360 ms'], [12.44, '12.4 s'], [59.96, '1 min'], [200, '3 min 20 s'], [3600, '1 h'], [7500, '2 h 5 min'],
  [180_000, '2 d 2 h'], [-5, '−5 s'], [null, NOTHING],
])('%s s is written %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test('numbers keep the digits that matter', () => {
  expect([1234567, 898.234, 1.9234, 5].map(formatNumber)).toEqual(['1,234,567', '898.2', '1.92', '5']);
});

test('shares and bytes', () => {
  expect(formatShare(0.6987)).toBe('69.9%');
  expect([512, 1500, 123456, 1_073_741_824].map(formatBytes)).toEqual(['512 bytes', '1.5 kB', '123 kB', '1.1 GB']);
});

test('a span within one day is that day', () => {
  expect(formatSpan('2020-02-25T01:00:00Z', '2020-02-25T05:00:00Z')).toBe('Feb 25, 2020');
});

test('the name of a column tells its unit', () => {
  expect(formatCell({ name: 'active_s', type: 'number' }, 90)).toBe('1 min 30 s');
  expect(formatCell({ name: 'share', type: 'number' }, 0.5)).toBe('50%');
  expect(formatCell({ name: 'activities', type: 'list' }, ['a', 'b'])).toBe('a → b');
  expect(formatCell({ name: 'classes', type: 'list' }, [{ from_s: 0, to_s: null }, null])).toBe('{"from_s":0,"to_s":null} → null');
  expect(formatCell({ name: 'rework', type: 'boolean' }, false)).toBe('no');
  expect(formatCell({ name: 'screen', type: 'text' }, null)).toBe(NOTHING);
});

test('words take parameters and the right plural', () => {
  const entry = { one: '{count} event in {place}', other: '{count} events in {place}' };
  expect(fill(entry, { count: 1, place: 'CRM' })).toBe('1 event in CRM');
  expect(fill(entry, { count: 1200, place: 'CRM' })).toBe('1,200 events in CRM');
});

test('keys of cases and sessions are shown as agent and place, hashes as they are', () => {
  expect(shortKey('4294967776')).toBe('1·480');
  expect(shortKey('8193112233445566778')).toBe('8193112233445566778');
});

test.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0', 'Edge 140 Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/139.0.0.0 Safari/537.36', 'Chrome 139 Linux'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0', 'Firefox 141 Linux'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 'Safari 18 macOS'],
  ['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36', 'Chrome 140 Android'],
  ['curl/8.5.0', undefined],
])('%s is told by its name', (userAgent, name) => {
  const browser = browserOf(userAgent);
  expect(browser ? `${browser.name} ${browser.version} ${browser.system}` : undefined).toBe(name);
});
