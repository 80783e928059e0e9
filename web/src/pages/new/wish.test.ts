// Proves what the wizard makes of typed sites and lengths of time.
import { expect, test } from 'vitest';
import { cleanSite, isLong, USUAL, withoutBrowsers } from './wish';

test.each([
  ['https://Orders.example.org/x?y', 'orders.example.org'], ['*.erp.example.org', '*.erp.example.org'], ['localhost:8080', 'localhost'], ['not a host', ''], ['a.*.b', ''], ['', ''],
])('%s is the site "%s"', (typed, site) => expect(cleanSite(typed)).toBe(site));

test('a browser is not named beside the sites it is meant for', () => {
  expect(withoutBrowsers(['excel.exe', 'msedge.exe', 'firefox'], ['orders.example.org'])).toEqual(['excel.exe']);
  expect(withoutBrowsers(['excel.exe', 'msedge.exe'], [])).toEqual(['excel.exe', 'msedge.exe']);
});

test('only a longer time than usual needs a reason', () => {
  expect(isLong(USUAL)).toBe(false);
  expect(isLong({ ...USUAL, raw_days: 10 })).toBe(false);
  expect(isLong({ ...USUAL, picture_days: 15 })).toBe(true);
});
