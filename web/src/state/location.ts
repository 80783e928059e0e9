// The address bar as state: what page is open, with what query, and how to go elsewhere. It knows no page by name.
import { useMemo, useSyncExternalStore } from 'react';

export interface Place {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) window.addEventListener('popstate', tell);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('popstate', tell);
  };
}

const current = () => window.location.pathname + window.location.search;

export function usePlace(): Place {
  const address = useSyncExternalStore(subscribe, current);
  return useMemo(() => {
    const url = new URL(address, 'http://place');
    return { path: url.pathname, query: url.searchParams };
  }, [address]);
}

export function withQuery(path: string, query?: URLSearchParams): string {
  return query && query.size > 0 ? `${path}?${query}` : path;
}

/** Goes to an address of these pages. `replace` leaves no step in the history, for sliders and typing. */
export function goTo(address: string, options: { replace?: boolean } = {}): void {
  if (address === current()) return;
  if (options.replace) window.history.replaceState(null, '', address);
  else window.history.pushState(null, '', address);
  tell();
}

/** Changes single values of the query and keeps the rest; null removes a value. */
export function changeQuery(changes: Record<string, string | null>, options: { replace?: boolean } = {}): void {
  const query = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  goTo(withQuery(window.location.pathname, query), options);
}
