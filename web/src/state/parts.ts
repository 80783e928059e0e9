// Fetches a long answer part by part, and shows what has come while the rest is on its way. It does not know what an answer means.
import { useEffect, useState } from 'react';
import { type Address, type Answer, read, type ServiceError } from '../client';
import { asServiceError, useRevision } from './answers';

/** Rows of one part, the most the service gives. */
export const PART_ROWS = 10_000;

export interface Parts<T> {
  /** What is there of all rows, in order, with what every part says alike; null before the first part. */
  first: Answer | null;
  rows: T[];
  error: ServiceError | null;
  /** Whether nothing more is to come. */
  complete: boolean;
  again: () => void;
}

const NONE = { address: null, first: null, rows: [], error: null, complete: false };

/**
 * Asks for `addressOf(offset)` until `rows_max` rows from `start` on are there; null asks nothing. Its address at `start` names the question:
 * another one begins anew.
 */
export function useParts<T>(addressOf: ((offset: number) => Address<Answer>) | null, start: number, rows_max: number, read_rows: (answer: Answer) => T[]): Parts<T> {
  const address = addressOf ? addressOf(start) : null;
  const [state, setState] = useState<{ address: string | null; first: Answer | null; rows: T[]; error: ServiceError | null; complete: boolean }>(NONE);
  const [repeat, setRepeat] = useState(0);
  const revision = useRevision();
  useEffect(() => {
    if (!addressOf || address === null) return;
    const abort = new AbortController();
    const ask = async () => {
      const rows: T[] = [];
      let first: Answer | null = null;
      try {
        for (let complete = false; !complete;) {
          const answer: Answer = await read(addressOf(start + rows.length), abort.signal);
          if (abort.signal.aborted) return;
          first ??= answer;
          const part = read_rows(answer);
          rows.push(...part);
          complete = part.length === 0 || rows.length >= rows_max || start + rows.length >= answer.total;
          setState({ address, first, rows: [...rows], error: null, complete });
        }
      } catch (cause) {
        if (!abort.signal.aborted) setState({ address, first, rows: [...rows], error: asServiceError(cause), complete: false });
      }
    };
    void ask();
    return () => abort.abort();
    // `addressOf` is another function every time; its first address says whether it asks the same.
  }, [address, start, rows_max, repeat, revision]);
  const known = state.address === address ? state : NONE;
  return { first: known.first, rows: known.rows as T[], error: known.error, complete: known.complete, again: () => setRepeat((count) => count + 1) };
}
