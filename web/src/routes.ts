// Which pages there are, under which addresses, and where their code is. Pages are loaded when first opened.
import { type ComponentType, lazy, type LazyExoticComponent } from 'react';
import type { IconName } from './components/Icon';
import type { PlainKey } from './text';

export interface Page {
  name: string;
  title: PlainKey;
  icon: IconName;
  group: 'see' | 'flow' | 'data';
  load: () => Promise<{ default: ComponentType }>;
  component: LazyExoticComponent<ComponentType>;
}

function page(
  name: string,
  title: PlainKey,
  icon: IconName,
  group: Page['group'],
  load: Page['load'],
): Page {
  return { name, title, icon, group, load, component: lazy(load) };
}

export const PAGES: Page[] = [
  page('overview', 'page.overview', 'overview', 'see', () => import('./pages/overview/Overview')),
  page('applications', 'page.applications', 'applications', 'see', () => import('./pages/applications/Applications')),
  page('switching', 'page.switching', 'switching', 'see', () => import('./pages/switching/Switching')),
  page('copy-paste', 'page.copyPaste', 'copy', 'see', () => import('./pages/copy-paste/CopyPaste')),
  page('map', 'page.map', 'map', 'flow', () => import('./pages/map/ProcessMap')),
  page('variants', 'page.variants', 'variants', 'flow', () => import('./pages/variants/Variants')),
  page('timeline', 'page.timeline', 'timeline', 'flow', () => import('./pages/timeline/Timeline')),
  page('data', 'page.data', 'data', 'data', () => import('./pages/data/Data')),
  page('import', 'page.import', 'import', 'data', () => import('./pages/import/Import')),
];

export interface Route {
  project: string | null;
  page: Page | null;
  /** What follows the page's name, for pages with several parts. */
  part: string | null;
}

export function readRoute(path: string): Route {
  const [root, project, name, part] = path.split('/').filter(Boolean).map(decodeURIComponent);
  // Before there is any project, one can still import.
  if (root === 'import') return { project: null, page: PAGES.find((one) => one.name === 'import') ?? null, part: null };
  if (root !== 'p' || !project) return { project: null, page: null, part: null };
  const found = PAGES.find((candidate) => candidate.name === (name ?? 'overview')) ?? null;
  return { project, page: found, part: part ?? null };
}

export function pagePath(project: string, page: string, part?: string): string {
  return `/p/${encodeURIComponent(project)}/${page}${part ? `/${part}` : ''}`;
}
