// Who is asking: accounts, roles, logging in and out, and what an account manages about itself. It keeps no state.
import { get, send } from './http';
import { at } from './operation';

export const accessPath = {
  me: () => at('/me'),
  sessions: () => at('/me/sessions'),
  tokens: () => at('/me/tokens'),
  companyLogin: () => at('/oidc/start'),
  passwordLink: (token: string) => at('/password-links/{token}', { token }),
};

export const readMe = () => get(accessPath.me());
export const setUp = (first: { token: string; email: string; name: string; password: string }) => send('post', '/setup', { body: first });
export const logIn = (email: string, password: string, code?: string) => send('post', '/login', { body: { email, password, ...(code ? { code } : {}) } });
export const logOut = () => send('post', '/logout');
export const setPasswordByLink = (token: string, password: string) => send('post', '/password-links/{token}', { token, body: { password } });

export const changeName = (name: string) => send('patch', '/me', { body: { name } });
export const changePassword = (current: string, password: string) => send('post', '/me/password', { body: { current, password } });
export const beginTotp = () => send('post', '/me/totp');
export const confirmTotp = (code: string) => send('put', '/me/totp', { body: { code } });
export const endTotp = (code: string) => send('delete', '/me/totp', { body: { code } });
export const endSession = (session: string) => send('delete', '/me/sessions/{session}', { session });
export const createToken = (token: { name: string; project: string | null; days: number; read_only: boolean }) => send('post', '/me/tokens', { body: token });
export const deleteToken = (token: string) => send('delete', '/me/tokens/{token}', { token });
