// Asks one analysis of the open project with the present filters.
import { type Answer, path } from '../client';
import { type Asked, useAnswer } from './answers';
import { carriedFilters } from './filters';
import { usePlace } from './location';
import { useProject } from './project';

export interface AskedAnalysis extends Asked<Answer> {
  /** The address of the same answer as a file. */
  fileAddress: (format: 'csv' | 'parquet') => string;
}

/** `extra` adds to the filters, for example a page of rows; null waits with the question. */
export function useAnalysis(name: string, extra: Record<string, string | number> | null = {}): AskedAnalysis {
  const project = useProject();
  const { query } = usePlace();
  const parameters = carriedFilters(query);
  for (const [key, value] of Object.entries(extra ?? {})) parameters.set(key, String(value));
  const asked = useAnswer<Answer>(extra === null ? null : path.analysis(project.slug, name, parameters));
  const fileAddress = (format: 'csv' | 'parquet') => {
    const whole = new URLSearchParams(parameters);
    whole.delete('limit');
    whole.delete('offset');
    whole.set('format', format);
    return path.analysis(project.slug, name, whole);
  };
  return { ...asked, fileAddress };
}
