// The people around a project: members, app keys, invitations. It keeps no state.
import { send } from './http';
import { at } from './operation';
import type { Grant, AppKeyWish, Role } from './types';

export const peoplePath = {
  members: (project: string) => at('/projects/{project}/members', { project }),
  appKeys: (project: string) => at('/projects/{project}/app-keys', { project }),
  invitations: (project: string, limit: number, offset: number) => at('/projects/{project}/invitations', { project, limit, offset }),
  join: (token: string) => at('/join/{token}', { token }),
};

export const addMember = (project: string, member: { email: string; name?: string; role: Role; grants: Grant[] }) =>
  send('post', '/projects/{project}/members', { project, body: member });
export const changeMember = (project: string, account: string, role: Role, grants: Grant[]) =>
  send('put', '/projects/{project}/members/{account}', { project, account, body: { role, grants } });
export const removeMember = (project: string, account: string) => send('delete', '/projects/{project}/members/{account}', { project, account });

export const createAppKey = (project: string, wish: AppKeyWish) => send('post', '/projects/{project}/app-keys', { project, body: wish });
export const revokeAppKey = (project: string, key: string) => send('delete', '/projects/{project}/app-keys/{key}', { project, key });
export const purgeAppKey = (project: string, key: string) => send('post', '/projects/{project}/app-keys/{key}/purge', { project, key });

export const invite = (project: string, csv: string) => send('post', '/projects/{project}/invitations', { project, body: { csv } });
export const revokeInvitation = (project: string, invitation: string) => send('delete', '/projects/{project}/invitations/{invitation}', { project, invitation });
