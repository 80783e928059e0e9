// Asks one analysis of the open project with the present filters.
import { type Answer, type Narrowing, path } from '../client';
import { type Asked, useAnswer } from './answers';
import { narrowingOf } from './filters';
import { usePlace } from './location';
import { useProject } from './project';

export interface AskedAnalysis extends Asked<Answer> {
  /** The address of the same answer as a file. */
  fileAddress: (format: 'csv' | 'parquet') => string;
}

/** `extra` adds to the filters, for example a page of rows; null waits with the question. */
export function useAnalysis(name: string, extra: Narrowing | null = {}): AskedAnalysis {
  const project = useProject();
  const { query } = usePlace();
  const narrowing = { ...narrowingOf(query), ...extra };
  const asked = useAnswer(extra === null ? null : path.analysis(project.slug, name, narrowing));
  const fileAddress = (format: 'csv' | 'parquet') => path.analysis(project.slug, name, { ...narrowing, limit: undefined, offset: undefined, format });
  return { ...asked, fileAddress };
}
