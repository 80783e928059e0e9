// Which pages there are, under which addresses, who may open them, and where their code is. Pages are loaded when first opened.
import { type ComponentType, lazy, type LazyExoticComponent } from 'react';
import type { IconName } from './components/Icon';
import { type Need } from './state/permissions';
import type { PlainKey } from './text';

export interface Page {
  name: string;
  title: PlainKey;
  icon: IconName;
  group: 'see' | 'flow' | 'data' | 'recording' | 'service';
  needs: Need;
  load: () => Promise<{ default: ComponentType }>;
  component: LazyExoticComponent<ComponentType>;
}

function page(
  name: string,
  title: PlainKey,
  icon: IconName,
  group: Page['group'],
  needs: Need,
  load: Page['load'],
): Page {
  return { name, title, icon, group, needs, load, component: lazy(load) };
}

export const PAGES: Page[] = [
  page('overview', 'page.overview', 'overview', 'see', 'pages', () => import('./pages/overview/Overview')),
  page('applications', 'page.applications', 'applications', 'see', 'pages', () => import('./pages/applications/Applications')),
  page('switching', 'page.switching', 'switching', 'see', 'pages', () => import('./pages/switching/Switching')),
  page('copy-paste', 'page.copyPaste', 'copy', 'see', 'pages', () => import('./pages/copy-paste/CopyPaste')),
  page('map', 'page.map', 'map', 'flow', 'pages', () => import('./pages/map/ProcessMap')),
  page('variants', 'page.variants', 'variants', 'flow', 'pages', () => import('./pages/variants/Variants')),
  page('tasks', 'page.tasks', 'tasks', 'flow', 'pages', () => import('./pages/tasks/Tasks')),
  page('automation', 'page.automation', 'robot', 'flow', 'pages', () => import('./pages/automation/Automation')),
  page('timeline', 'page.timeline', 'timeline', 'flow', 'raw', () => import('./pages/timeline/Timeline')),
  page('screenshots', 'page.screenshots', 'picture', 'flow', 'pictures', () => import('./pages/screenshots/Screenshots')),
  page('data', 'page.data', 'data', 'data', 'sql', () => import('./pages/data/Data')),
  page('import', 'page.import', 'import', 'data', 'lead', () => import('./pages/import/Import')),
  page('clients', 'page.clients', 'screen', 'recording', 'oversight', () => import('./pages/clients/Clients')),
  page('configuration', 'page.configuration', 'filter', 'recording', 'oversight', () => import('./pages/configuration/Configuration')),
  page('people', 'page.people', 'people', 'recording', 'lead', () => import('./pages/people/People')),
  page('privacy', 'page.privacy', 'shield', 'recording', 'oversight', () => import('./pages/privacy/Privacy')),
  page('oversight', 'page.oversight', 'info', 'recording', 'oversight', () => import('./pages/oversight/Oversight')),
];

/** Pages that stand outside of any project. */
export const SERVICE_PAGES: Page[] = [
  page('new', 'page.new', 'plus', 'service', 'member', () => import('./pages/new/NewProject')),
  page('account', 'page.account', 'people', 'service', 'member', () => import('./pages/account/MyAccount')),
  page('service', 'page.service', 'key', 'service', 'admin', () => import('./pages/service/Service')),
];

/** Pages that open without an account. Their secret is in the address. */
export const PUBLIC_PAGES: Record<string, LazyExoticComponent<ComponentType>> = {
  setup: lazy(() => import('./pages/access/Setup')),
  password: lazy(() => import('./pages/access/SetPassword')),
  join: lazy(() => import('./pages/access/Join')),
};

export interface Route {
  project: string | null;
  page: Page | null;
  /** What follows the page's name, for pages with several parts. */
  part: string | null;
  /** A page that needs no account; null for all others. */
  open: LazyExoticComponent<ComponentType> | null;
}

export function readRoute(path: string): Route {
  const [root, project, name, part] = path.split('/').filter(Boolean).map(decodeURIComponent);
  const none: Route = { project: null, page: null, part: null, open: null };
  if (root && Object.hasOwn(PUBLIC_PAGES, root)) return { ...none, open: PUBLIC_PAGES[root]!, part: project ?? null };
  // Before there is any project, one can still import.
  if (root === 'import') return { ...none, page: PAGES.find((one) => one.name === 'import') ?? null };
  if (root !== 'p') return { ...none, page: SERVICE_PAGES.find((one) => one.name === root) ?? null, part: project ?? null };
  if (!project) return none;
  const found = PAGES.find((candidate) => candidate.name === (name ?? 'overview')) ?? null;
  return { ...none, project, page: found, part: part ?? null };
}

export function pagePath(project: string, page: string, part?: string): string {
  return `/p/${encodeURIComponent(project)}/${page}${part ? `/${part}` : ''}`;
}
