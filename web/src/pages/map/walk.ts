// Where the arrow keys lead from a node of the map: along its steps up and down, to its neighbours sideways.
import type { Layout } from './layout';
import type { MapEdge } from './select';

export type ArrowKey = 'ArrowDown' | 'ArrowUp' | 'ArrowLeft' | 'ArrowRight';

/** The node an arrow key leads to, or null where there is none. Down and up follow the most frequent step that really goes that way. */
export function walk(from: string, key: ArrowKey, edges: MapEdge[], layout: Layout): string | null {
  if (key === 'ArrowDown' || key === 'ArrowUp') return alongSteps(from, key === 'ArrowDown', edges, layout);
  return sideways(from, key === 'ArrowRight', layout);
}

function alongSteps(from: string, down: boolean, edges: MapEdge[], layout: Layout): string | null {
  const here = layout.nodes[from];
  if (!here) return null;
  const steps = edges
    .filter((edge) => (down ? edge.from : edge.to) === from)
    .map((edge) => ({ node: down ? edge.to : edge.from, frequency: edge.frequency }))
    .filter(({ node }) => {
      const there = layout.nodes[node];
      return there !== undefined && (down ? there.y > here.y : there.y < here.y);
    })
    .sort((a, b) => b.frequency - a.frequency);
  return steps[0]?.node ?? null;
}

function sideways(from: string, right: boolean, layout: Layout): string | null {
  const here = layout.nodes[from];
  if (!here) return null;
  let best: string | null = null;
  let distance = Infinity;
  for (const [node, there] of Object.entries(layout.nodes)) {
    const across = right ? there.x - here.x : here.x - there.x;
    if (node === from || across <= 1) continue;
    // A neighbour on the same level is nearer than one that is straight above or below.
    const away = across + 4 * Math.abs(there.y - here.y);
    if (away < distance) [best, distance] = [node, away];
  }
  return best;
}
