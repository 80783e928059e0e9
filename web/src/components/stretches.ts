// Shortens an order of activities by joining repeats in a row.

export interface Stretch {
  activity: string;
  count: number;
}

/** Joins neighbours of the same name: a a b → a×2 b. */
export function stretches(activities: string[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const activity of activities) {
    const last = joined.at(-1);
    if (last?.activity === activity) last.count += 1;
    else joined.push({ activity, count: 1 });
  }
  return joined;
}
