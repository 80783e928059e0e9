// Turns the column-and-row form of an answer into records with named fields. It converts no value.
import type { Answer } from './types';


/** One record per row; a column the service left out is simply absent. */
export function records<T>(answer: Pick<Answer, 'columns' | 'rows'>): T[] {
  const names = answer.columns.map((column) => column.name);
  return answer.rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])) as T);
}
