// Who may open which page, as the service decides it. The service checks every call itself; these pages only hide what it would refuse.
import type { Grant, Role } from '../client';

/** What a page or an action asks for; `member` is any role, and for pages outside of projects anybody signed in. */
export type Need = 'member' | 'pages' | 'sql' | 'raw' | 'pictures' | 'lead' | 'oversight' | 'identities' | 'admin';

export interface Rights { role: Role; grants: Grant[] }

const ROLES: Partial<Record<Need, Role[]>> = {
  pages: ['lead', 'analyst', 'viewer'],
  sql: ['lead', 'analyst'],
  raw: ['lead', 'analyst'],
  pictures: ['lead', 'analyst'],
  lead: ['lead'],
  oversight: ['lead', 'council'],
  identities: ['lead', 'council'],
};
const GRANTS: Partial<Record<Need, Grant[]>> = { raw: ['raw'], pictures: ['raw', 'pictures'], identities: ['identities'] };

/** `rights` are those in the open project, null outside of any. */
export function may(need: Need, rights: Rights | null, admin = false): boolean {
  if (need === 'admin') return admin;
  if (!rights) return need === 'member' || need === 'lead';
  const roles = ROLES[need];
  const grants = GRANTS[need] ?? [];
  return (!roles || roles.includes(rights.role)) && grants.every((grant) => rights.grants.includes(grant));
}
