// The live stream of a project's clients: counts as they change, and each client that appears or changes. The browser reconnects by itself.
import { useEffect, useState } from 'react';
import type { Client, LiveCounts, LiveEvent } from '../client';
import { fleetPath } from '../client/fleet';

/** Changed clients kept beside the list at most; beyond it the list is asked anew anyway. */
const CHANGED_MAX = 2_000;

export interface Live {
  connected: boolean;
  counts: LiveCounts | null;
  /** Clients that changed since the page was opened, by id. */
  changed: ReadonlyMap<string, Client>;
}

const NOTHING: Live = { connected: false, counts: null, changed: new Map() };

export function useLive(slug: string): Live {
  const [live, setLive] = useState<Live>(NOTHING);
  useEffect(() => {
    setLive(NOTHING);
    const source = new EventSource(fleetPath.live(slug));
    source.onopen = () => setLive((now) => ({ ...now, connected: true }));
    source.onerror = () => setLive((now) => ({ ...now, connected: false }));
    const listen = <N extends LiveEvent['event']>(name: N, hear: (data: Extract<LiveEvent, { event: N }>['data']) => void) =>
      source.addEventListener(name, (event) => hear(JSON.parse((event as MessageEvent<string>).data)));
    listen('counts', (counts) => setLive((now) => ({ ...now, connected: true, counts })));
    listen('client', (client) => setLive((now) => ({ ...now, changed: withClient(now.changed, client) })));
    return () => source.close();
  }, [slug]);
  return live;
}

function withClient(changed: ReadonlyMap<string, Client>, client: Client): ReadonlyMap<string, Client> {
  const next = new Map(changed.size >= CHANGED_MAX ? [] : changed);
  next.set(client.agent_id, client);
  return next;
}
