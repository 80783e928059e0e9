// Fetches what a page needs, keeps answers until the data changes, and shows the last one while the next is on its way.
// It does not know what an answer means.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { type Address, read, ServiceError } from '../client';

/** kept at most; the oldest goes first. A page needs under ten. */
const ANSWERS_MAX = 200;

const kept = new Map<string, unknown>();
const listeners = new Set<() => void>();
let revision = 0;

/** Forgets every answer, after an import, a run or a change of the project. Open pages ask again. */
export function forgetAnswers(): void {
  kept.clear();
  revision += 1;
  listeners.forEach((listener) => listener());
}

/** Forgets one answer, so that whoever asks next hears what holds by then. Pages that show it are not disturbed. */
export const forgetAnswer = (address: string): void => void kept.delete(address);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function keep(address: string, answer: unknown): void {
  kept.set(address, answer);
  const oldest = kept.keys().next().value;
  if (kept.size > ANSWERS_MAX && oldest !== undefined) kept.delete(oldest);
}

export interface Asked<T> {
  answer: T | null;
  error: ServiceError | null;
  /** True while an answer to the present question is on its way; `answer` is then the one before. */
  loading: boolean;
  again: () => void;
}

/** Changes whenever every answer is forgotten. */
export const useRevision = () => useSyncExternalStore(subscribe, () => revision);

/** Asks for `address`; null asks nothing. `poll_ms` repeats the question while it is set. */
export function useAnswer<T>(address: Address<T> | null, poll_ms: number | null = null): Asked<T> {
  const seen = useRevision();
  const [repeat, setRepeat] = useState(0);
  const [failed, setFailed] = useState<{ address: string; error: ServiceError } | null>(null);
  const [answered, setAnswered] = useState<{ address: string; answer: T } | null>(null);
  const last = useRef<T | null>(null);

  useEffect(() => {
    if (address === null) return;
    const abort = new AbortController();
    const ask = async () => {
      try {
        const answer = kept.has(address) && poll_ms === null ? (kept.get(address) as T) : await read(address, abort.signal);
        keep(address, answer);
        if (abort.signal.aborted) return;
        last.current = answer;
        setFailed(null);
        setAnswered({ address, answer });
      } catch (cause) {
        if (!abort.signal.aborted) setFailed({ address, error: asServiceError(cause) });
      }
    };
    void ask();
    const timer = poll_ms === null ? null : setInterval(() => void ask(), poll_ms);
    return () => {
      abort.abort();
      if (timer !== null) clearInterval(timer);
    };
  }, [address, seen, repeat, poll_ms]);

  const again = useCallback(() => {
    if (address !== null) kept.delete(address);
    setFailed(null);
    setRepeat((count) => count + 1);
  }, [address]);

  const error = failed?.address === address ? failed.error : null;
  const direct = address !== null && kept.has(address) ? (kept.get(address) as T) : null;
  const answer = address === null ? null : (direct ?? (answered?.address === address ? answered.answer : last.current));
  const loading = address !== null && direct === null && answered?.address !== address && error === null;
  return { answer, error, loading, again };
}

export function asServiceError(cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause;
  return new ServiceError('internal', cause instanceof Error ? cause.message : String(cause), null, null, null);
}
