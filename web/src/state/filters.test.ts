// Proves how filters stand in the address, and that only they hold across pages.
import { expect, test } from 'vitest';
import { carriedFilters, hasFilters, narrowingOf, withDate, withoutFilters, withoutValue, withValue } from './filters';

const query = (text: string) => new URLSearchParams(text);

test('filters go along to another page, what belongs to one page stays', () => {
  expect(carriedFilters(query('application=Excel&activities=40&application=CRM&from=2020-01-01&case=7')).toString())
    .toBe('from=2020-01-01&application=Excel&application=CRM');
});

test('an analysis takes several of each filter, but one variant: the last', () => {
  expect(narrowingOf(query('application=Excel&application=CRM&variant=a&variant=b&from=2020-01-01&to=&case=7')))
    .toEqual({ from: '2020-01-01', to: undefined, variant: 'b', application: ['Excel', 'CRM'], activity: [], event_type: [] });
});

test('a value is added once', () => {
  expect(withValue(withValue(query('a=1'), 'application', 'Excel'), 'application', 'Excel').toString()).toBe('a=1&application=Excel');
});

test('one of several values is taken away', () => {
  expect(withoutValue(query('application=Excel&application=CRM'), 'application', 'Excel').toString()).toBe('application=CRM');
});

test('an empty date is no filter', () => {
  expect(withDate(query('from=2020-01-01'), 'from', '').toString()).toBe('');
  expect(hasFilters(query('from='))).toBe(false);
});

test('clearing takes all filters and nothing else', () => {
  expect(withoutFilters(query('application=Excel&to=2020-01-01&view=table')).toString()).toBe('view=table');
});
