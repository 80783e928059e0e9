// The service as a whole: accounts, settings, backups, the audit log with its chain. For administrators; the audit log also for project leads
// and the works council. It keeps no state.
import { send } from './http';
import { at, type Given } from './operation';
import type { SettingsChange } from './types';

/** Which entries of the audit log to show. */
export type AuditQuestion = NonNullable<Given<'get', '/audit'>[0]>;

export const servicePath = {
  accounts: (limit: number, offset: number) => at('/accounts', { limit, offset }),
  settings: () => at('/service/settings'),
  backups: () => at('/service/backups'),
  /** Of one project, or (null) of the whole service. */
  audit: (project: string | null, question: AuditQuestion) =>
    project === null ? at('/audit', question) : at('/projects/{project}/audit', { project, ...question }),
  auditHead: () => at('/audit/head'),
};

export const createAccount = (account: { email: string; name: string; admin: boolean }) => send('post', '/accounts', { body: account });
export const changeAccount = (account: string, change: { name?: string; admin?: boolean; disabled?: boolean }) =>
  send('patch', '/accounts/{account}', { account, body: change });
export const resetAccount = (account: string) => send('post', '/accounts/{account}/reset', { account });
export const saveSettings = (settings: SettingsChange) => send('put', '/service/settings', { body: settings });
export const beginBackup = () => send('post', '/service/backups');
