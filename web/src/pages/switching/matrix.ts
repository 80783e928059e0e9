// Turns the list of switches into a square of applications, busiest first. It draws nothing.
import type { Switch } from '../../client/analyses';

export interface Matrix {
  names: string[];
  /** Applications that found no room. */
  left_out: number;
  value: (from: string, to: string) => number;
  most: number;
}

export function matrix(rows: Switch[], measure: 'switches' | 'round_trips', names_max: number): Matrix {
  const totals = new Map<string, number>();
  const values = new Map<string, number>();
  for (const row of rows) {
    const count = row[measure];
    for (const name of [row.from_application, row.to_application]) totals.set(name, (totals.get(name) ?? 0) + count);
    values.set(`${row.from_application}\n${row.to_application}`, count);
  }
  const names = [...totals].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return {
    names: names.slice(0, names_max),
    left_out: Math.max(0, names.length - names_max),
    value: (from, to) => values.get(`${from}\n${to}`) ?? 0,
    most: Math.max(1, ...values.values()),
  };
}
