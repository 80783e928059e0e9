// The installed clients of a project: their states, counters, errors, and the live stream about them. It keeps no state.
import { send } from './http';
import { at, type Given } from './operation';
import type { Alerts, ClientState } from './types';

export const CLIENT_STATES = [
  'held', 'needs_enrolment', 'needs_consent', 'declined', 'recording', 'paused', 'outside_schedule', 'locked', 'stopped', 'blocked', 'error', 'offline',
  'revoked',
] as const satisfies ClientState[];

/** Which clients to list, in which order. */
export type ClientQuestion = Omit<NonNullable<Given<'get', '/projects/{project}/clients'>[0]>, 'project'>;

export const fleetPath = {
  clients: (project: string, question: ClientQuestion) => at('/projects/{project}/clients', { project, ...question }),
  client: (project: string, agent: string) => at('/projects/{project}/clients/{agent}', { project, agent }),
  errors: (project: string) => at('/projects/{project}/client-errors', { project }),
  deadLetters: (project: string) => at('/projects/{project}/dead-letters', { project }),
  alerts: (project: string) => at('/projects/{project}/alerts', { project }),
  live: (project: string) => at('/projects/{project}/live', { project }),
};

export const approveClient = (project: string, agent: string) => send('post', '/projects/{project}/clients/{agent}/approve', { project, agent });
export const revokeClient = (project: string, agent: string) => send('post', '/projects/{project}/clients/{agent}/revoke', { project, agent });
export const setTeam = (project: string, agent: string, team: string) => send('patch', '/projects/{project}/clients/{agent}', { project, agent, body: { team } });
export const approveAll = (project: string, app_key: string | null) => send('post', '/projects/{project}/clients/approve', { project, body: { app_key } });
export const replayLetter = (project: string, letter: string) => send('post', '/projects/{project}/dead-letters/{letter}/replay', { project, letter });
export const deleteLetter = (project: string, letter: string) => send('delete', '/projects/{project}/dead-letters/{letter}', { project, letter });
export const saveAlerts = (project: string, alerts: Alerts) => send('put', '/projects/{project}/alerts', { project, body: alerts });
