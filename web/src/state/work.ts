// One piece of work that a press starts: whether it runs, and what kept it from succeeding. It decides nothing about the work.
import { useState } from 'react';
import type { ServiceError } from '../client';
import { asServiceError } from './answers';

export interface Work {
  busy: boolean;
  error: ServiceError | null;
  /** Gives the result, or null when it failed; the error is then kept for showing. */
  run: <T>(work: () => Promise<T>) => Promise<T | null>;
  clear: () => void;
}

export function useWork(): Work {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ServiceError | null>(null);
  const run = async <T,>(work: () => Promise<T>): Promise<T | null> => {
    setBusy(true);
    setError(null);
    try {
      return await work();
    } catch (cause) {
      setError(asServiceError(cause));
      return null;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(null) };
}
