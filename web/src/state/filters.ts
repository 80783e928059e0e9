// The filters that hold across all pages, and how they stand in the address. It neither reads the address bar nor draws.
import type { Narrowing } from '../client';

/** Filters that take several values, any of which may match. */
export const LIST_FILTERS = ['application', 'activity', 'event_type', 'variant'] as const;
/** Filters with one value. */
export const DATE_FILTERS = ['from', 'to'] as const;

export type ListFilter = (typeof LIST_FILTERS)[number];
export type DateFilter = (typeof DATE_FILTERS)[number];

/** Only the part of a query that holds across pages; what belongs to one page is left behind. */
export function carriedFilters(query: URLSearchParams): URLSearchParams {
  const carried = new URLSearchParams();
  for (const name of [...DATE_FILTERS, ...LIST_FILTERS]) {
    for (const value of query.getAll(name)) if (value) carried.append(name, value);
  }
  return carried;
}

/** The filters as an analysis takes them. One variant it takes: the last. */
export function narrowingOf(query: URLSearchParams): Narrowing {
  const one = (name: DateFilter | 'variant') => query.getAll(name).findLast(Boolean);
  const any = (name: ListFilter) => query.getAll(name).filter(Boolean);
  return {
    from: one('from'), to: one('to'), variant: one('variant'), application: any('application'), activity: any('activity'), event_type: any('event_type'),
  };
}

export function hasFilters(query: URLSearchParams): boolean {
  return carriedFilters(query).size > 0;
}

export function withDate(query: URLSearchParams, name: DateFilter, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  if (value) next.set(name, value);
  else next.delete(name);
  return next;
}

/** Adds a value, once however often it is added. */
export function withValue(query: URLSearchParams, name: ListFilter, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  if (!next.getAll(name).includes(value)) next.append(name, value);
  return next;
}

export function withoutValue(query: URLSearchParams, name: ListFilter | DateFilter, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  const kept = next.getAll(name).filter((other) => other !== value);
  next.delete(name);
  for (const other of kept) next.append(name, other);
  return next;
}

export function withoutFilters(query: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const name of [...DATE_FILTERS, ...LIST_FILTERS]) next.delete(name);
  return next;
}
