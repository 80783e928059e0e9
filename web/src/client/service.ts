// The service as a whole: accounts, settings, the audit log with its chain. For administrators; the audit log also for project leads
// and the works council. It keeps no state.
import type { Account } from './access';
import { address, send } from './http';

export interface Smtp { host: string; port: number; user: string; from: string; password_set: boolean }
export interface Oidc { issuer: string; client_id: string; name: string; secret_set: boolean }
export interface ServiceSettings { public_url: string | null; smtp: Smtp | null; oidc: Oidc | null; webhook_url: string | null }
/** Secrets go in and never come out; absent ones stay as they are. */
export interface SettingsWish {
  public_url: string | null; webhook_url: string | null;
  smtp: (Omit<Smtp, 'password_set'> & { password?: string }) | null;
  oidc: (Omit<Oidc, 'secret_set'> & { secret?: string }) | null;
}

export interface AuditEntry {
  n: number; at: string; actor: { kind: 'account' | 'token' | 'agent' | 'service'; id: string; name: string | null }; action: string; project: string | null;
  subject: { kind: string; id: string } | null; detail: Record<string, unknown>; hash: string;
}
export interface AuditHead { n: number; hash: string; signed_at: string | null; signature: string | null; key: string | null; verified: boolean; broken_at: number | null }

const paged = (limit: number, offset: number) => new URLSearchParams({ limit: String(limit), offset: String(offset) });

export const servicePath = {
  accounts: (limit: number, offset: number) => address('/accounts', paged(limit, offset)),
  settings: () => address('/service/settings'),
  /** Of one project, or (null) of the whole service. */
  audit: (slug: string | null, parameters: URLSearchParams) => address(slug === null ? '/audit' : `/projects/${encodeURIComponent(slug)}/audit`, parameters),
  auditHead: () => address('/audit/head'),
};

export interface ServiceAnswers {
  accounts: { accounts: Account[]; total: number };
  audit: { entries: AuditEntry[]; total: number };
}

export const createAccount = (account: { email: string; name: string; admin: boolean }) => send<{ account: Account; link: string }>('POST', address('/accounts'), account);
export const changeAccount = (id: string, change: { name?: string; admin?: boolean; disabled?: boolean }) => send<Account>('PATCH', address(`/accounts/${encodeURIComponent(id)}`), change);
export const resetAccount = (id: string) => send<{ link: string }>('POST', address(`/accounts/${encodeURIComponent(id)}/reset`));
export const saveSettings = (settings: SettingsWish) => send<ServiceSettings>('PUT', servicePath.settings(), settings);
