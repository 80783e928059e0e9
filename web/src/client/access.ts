// Who is asking: accounts, roles, logging in and out, and what an account manages about itself. It keeps no state.
import { address, get, send } from './http';

export type Role = 'lead' | 'analyst' | 'viewer' | 'council';
export type Grant = 'raw' | 'pictures' | 'identities';

export interface Account {
  id: string; email: string; name: string; admin: boolean; disabled: boolean;
  totp: boolean; password: boolean; oidc: boolean; created_at: string; last_login_at: string | null;
}

export interface Membership { id: string; slug: string; name: string; role: Role; grants: Grant[] }

/** The answer to "who am I"; the account is null until somebody has signed in. */
export interface Me {
  account: Account | null;
  open: boolean;
  setup_needed: boolean;
  oidc: { name: string } | null;
  projects: Membership[];
}

export interface LoginSession { id: string; created_at: string; seen_at: string; address: string; user_agent: string; current: boolean }
export interface ApiToken {
  id: string; name: string; project: string | null; read_only: boolean;
  created_at: string; expires_at: string; last_used_at: string | null;
}

export const accessPath = {
  me: () => address('/me'),
  sessions: () => address('/me/sessions'),
  tokens: () => address('/me/tokens'),
  companyLogin: () => address('/oidc/start'),
  passwordLink: (token: string) => address(`/password-links/${encodeURIComponent(token)}`),
};

export const readMe = () => get<Me>(accessPath.me());
export const setUp = (first: { token: string; email: string; name: string; password: string }) => send<Account>('POST', address('/setup'), first);
export const logIn = (email: string, password: string, code?: string) =>
  send<Account>('POST', address('/login'), { email, password, ...(code ? { code } : {}) });
export const logOut = () => send<void>('POST', address('/logout'));
export const setPasswordByLink = (token: string, password: string) => send<Account>('POST', accessPath.passwordLink(token), { password });

export const changeName = (name: string) => send<Account>('PATCH', accessPath.me(), { name });
export const changePassword = (current: string, password: string) => send<void>('POST', address('/me/password'), { current, password });
export const beginTotp = () => send<{ secret: string; uri: string }>('POST', address('/me/totp'));
export const confirmTotp = (code: string) => send<{ recovery_codes: string[] }>('PUT', address('/me/totp'), { code });
export const endTotp = (code: string) => send<void>('DELETE', address('/me/totp'), { code });
export const endSession = (id: string) => send<void>('DELETE', address(`/me/sessions/${encodeURIComponent(id)}`));
export const createToken = (token: { name: string; project: string | null; days: number; read_only: boolean }) =>
  send<ApiToken & { token: string }>('POST', accessPath.tokens(), token);
export const deleteToken = (id: string) => send<void>('DELETE', address(`/me/tokens/${encodeURIComponent(id)}`));
