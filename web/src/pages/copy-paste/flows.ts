// Sums copy → paste pairs into flows between two sides, at the level of applications, screens or elements. It draws nothing.
import type { CopyPaste } from '../../client/analyses';

export type Level = 'application' | 'screen' | 'element';

export interface Place {
  id: string;
  name: string;
  application: string;
}

export interface Flows {
  sources: Place[];
  targets: Place[];
  links: { source: Place; target: Place; pairs: number }[];
  /** Flows too small to be drawn. */
  left_out: number;
}

/** More flows than this cannot be told apart. */
const LINKS_MAX = 40;

/** The two sides have ids of their own, so that a place copied from and pasted into never makes a circle. */
function place(side: 'from' | 'to', pair: CopyPaste, level: Level): Place {
  const application = pair[`${side}_application`];
  const rest = level === 'application' ? [] : level === 'screen' ? [pair[`${side}_screen`]] : [pair[`${side}_element`] ?? pair[`${side}_screen`]];
  const name = [application, ...rest].filter(Boolean).join(' · ');
  return { id: `${side}\n${name}`, name, application };
}

export function flows(pairs: CopyPaste[], level: Level): Flows {
  const links = new Map<string, Flows['links'][number]>();
  for (const pair of pairs) {
    const [source, target] = [place('from', pair, level), place('to', pair, level)];
    const key = `${source.id}\n${target.id}`;
    const link = links.get(key) ?? { source, target, pairs: 0 };
    link.pairs += pair.pairs;
    links.set(key, link);
  }
  const ordered = [...links.values()].sort((a, b) => b.pairs - a.pairs);
  const drawn = ordered.slice(0, LINKS_MAX);
  const unique = (places: Place[]) => [...new Map(places.map((one) => [one.id, one])).values()];
  return {
    sources: unique(drawn.map((link) => link.source)),
    targets: unique(drawn.map((link) => link.target)),
    links: drawn,
    left_out: ordered.length - drawn.length,
  };
}
