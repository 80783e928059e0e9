// The difference of two texts by lines, for people to read: what went, what came, and a few lines around.
// Myers' greedy algorithm (Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1, 1986), with a bound on D.

export interface Line { kind: 'same' | 'gone' | 'new' | 'left out'; text: string; old: number | null; now: number | null }

/** Beyond so many differing lines the middle is shown as all gone and all new; configurations change in few places. */
const EDITS_MAX = 1_500;
/** Same lines shown around a change. */
const AROUND = 3;

export function diffLines(old: string, now: string): Line[] {
  const a = old.split('\n');
  const b = now.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const kinds = middle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return number([...a.slice(0, start).map(same), ...kinds, ...a.slice(a.length - end).map(same)]);
}

type Piece = { kind: 'same' | 'gone' | 'new'; text: string };
const same = (text: string): Piece => ({ kind: 'same', text });

function middle(a: string[], b: string[]): Piece[] {
  const trace: Map<number, number>[] = [];
  let reach = new Map([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, EDITS_MAX); d += 1) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach.get(k - 1)! < reach.get(k + 1)!);
      let x = down ? reach.get(k + 1)! : reach.get(k - 1)! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
    reach = new Map(reach);
  }
  return [...a.map((text): Piece => ({ kind: 'gone', text })), ...b.map((text): Piece => ({ kind: 'new', text }))];
}

function walkBack(a: string[], b: string[], trace: Map<number, number>[]): Piece[] {
  const pieces: Piece[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const reach = trace[d]!;
    const k = x - y;
    const down = k === -d || (k !== d && reach.get(k - 1)! < reach.get(k + 1)!);
    const beforeX = reach.get(down ? k + 1 : k - 1)!;
    const beforeY = beforeX - (down ? k + 1 : k - 1);
    while (x > beforeX && y > beforeY && x > 0 && y > 0) { x -= 1; y -= 1; pieces.push(same(a[x]!)); }
    if (d > 0) {
      if (down) { y -= 1; pieces.push({ kind: 'new', text: b[y]! }); } else { x -= 1; pieces.push({ kind: 'gone', text: a[x]! }); }
    }
  }
  return pieces.reverse();
}

function number(pieces: Piece[]): Line[] {
  let old = 0;
  let now = 0;
  const lines = pieces.map(({ kind, text }): Line => ({ kind, text, old: kind === 'new' ? null : ++old, now: kind === 'gone' ? null : ++now }));
  const near = lines.map((_, index) => lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((line) => line.kind !== 'same'));
  return lines.flatMap((line, index): Line[] => {
    if (near[index]) return [line];
    return index > 0 && !near[index - 1] ? [] : [{ kind: 'left out', text: '', old: null, now: null }];
  });
}
