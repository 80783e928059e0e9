// The people around a project: members, app keys, invitations. It keeps no state.
import type { Grant, Role } from './access';
import { address, get, send } from './http';

export interface Member { account: { id: string; email: string; name: string }; role: Role; grants: Grant[]; since: string }

export interface AppKey {
  id: string; name: string; created_at: string; expires_at: string; uses: number; uses_max: number | null;
  approval: 'auto' | 'hold'; address_range: string | null; revoked_at: string | null; held: number; enrolled: number;
}

export interface InstallLines { system: 'linux' | 'debian' | 'windows' | 'windows_msi'; title: string; lines: string }
/** The key itself is in the answer once and never again. */
export interface NewAppKey { app_key: AppKey; key: string; install: InstallLines[] }

export type InvitationState = 'invited' | 'enrolled' | 'recording' | 'expired' | 'revoked';
export interface Invitation {
  id: string; name: string; email: string | null; team: string | null; state: InvitationState;
  created_at: string; expires_at: string; agent_id: string | null;
}
export interface NewInvitations { invitations: (Invitation & { link: string })[]; rejects: { line: number; reason: string }[] }

export interface Join {
  project: string; purposes: string[]; what: string[]; consent: { lang: string; text: string }[]; install: InstallLines[]; state: InvitationState;
}

const of = (slug: string, rest: string) => `/projects/${encodeURIComponent(slug)}${rest}`;

export const peoplePath = {
  members: (slug: string) => address(of(slug, '/members')),
  appKeys: (slug: string) => address(of(slug, '/app-keys')),
  invitations: (slug: string, limit: number, offset: number) =>
    address(of(slug, '/invitations'), new URLSearchParams({ limit: String(limit), offset: String(offset) })),
  join: (token: string) => address(`/join/${encodeURIComponent(token)}`),
};

export interface PeopleAnswers {
  members: { members: Member[] };
  appKeys: { app_keys: AppKey[] };
  invitations: { invitations: Invitation[]; total: number };
}

export const addMember = (slug: string, member: { email: string; name?: string; role: Role; grants: Grant[] }) =>
  send<Member & { link?: string }>('POST', peoplePath.members(slug), member);
export const changeMember = (slug: string, account: string, role: Role, grants: Grant[]) =>
  send<Member>('PUT', address(of(slug, `/members/${encodeURIComponent(account)}`)), { role, grants });
export const removeMember = (slug: string, account: string) => send<void>('DELETE', address(of(slug, `/members/${encodeURIComponent(account)}`)));

export interface AppKeyWish { name: string; days: number; uses_max: number | null; approval: AppKey['approval']; address_range: string | null }
export const createAppKey = (slug: string, wish: AppKeyWish) => send<NewAppKey>('POST', peoplePath.appKeys(slug), wish);
export const revokeAppKey = (slug: string, id: string) => send<void>('DELETE', address(of(slug, `/app-keys/${encodeURIComponent(id)}`)));
export const purgeAppKey = (slug: string, id: string) => send<{ purged: number }>('POST', address(of(slug, `/app-keys/${encodeURIComponent(id)}/purge`)));

export const invite = (slug: string, csv: string) => send<NewInvitations>('POST', address(of(slug, '/invitations')), { csv });
export const revokeInvitation = (slug: string, id: string) => send<void>('DELETE', address(of(slug, `/invitations/${encodeURIComponent(id)}`)));
export const readJoin = (token: string) => get<Join>(peoplePath.join(token));
