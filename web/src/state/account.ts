// Who is signed in. Asked once, asked again when the service says that nobody is; every answer is forgotten when the account changes.
import { useEffect, useSyncExternalStore } from 'react';
import type { Me, ServiceError } from '../client';
import { logOut, readMe } from '../client/access';
import { whenUnauthenticated } from '../client/http';
import { asServiceError, forgetAnswers } from './answers';

interface Known { me: Me | null; error: ServiceError | null }

let known: Known = { me: null, error: null };
let asking: Promise<void> | null = null;
const listeners = new Set<() => void>();

/** Asks who is signed in. Several calls at once make one question. */
export function refreshMe(): Promise<void> {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

async function ask(): Promise<void> {
  try {
    const me = await readMe();
    if (known.me && known.me.account?.id !== me.account?.id) forgetAnswers();
    known = { me, error: null };
  } catch (cause) {
    known = { me: known.me, error: asServiceError(cause) };
  }
  listeners.forEach((listener) => listener());
}

whenUnauthenticated(() => void refreshMe());

export function useMe(): Known {
  const now = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => known);
  useEffect(() => {
    if (!known.me) void refreshMe();
  }, []);
  return now;
}

export async function signOut(): Promise<void> {
  await logOut();
  await refreshMe();
}
