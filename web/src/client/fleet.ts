// The installed clients of a project: their states, counters, errors, and the live stream about them. It keeps no state.
import { address, send } from './http';

export const CLIENT_STATES = [
  'held', 'needs_consent', 'declined', 'recording', 'paused', 'outside_schedule', 'locked', 'stopped', 'blocked', 'error', 'offline', 'revoked',
] as const;
export type ClientState = (typeof CLIENT_STATES)[number];

/** Where the admitted events of a client went; `lost` is what the others do not explain. */
export interface Balance { admitted: number; stored: number; waiting: number; removed: number; refused: number; erased: number; expired: number; lost: number; exact: boolean }

export interface Client {
  agent_id: string; name: string; team: string | null; state: ClientState; why: string | null;
  enrolled_at: string; last_seen_at: string | null; version: string; os: string;
  config_revision: number | null; revision_wanted: number | null;
  capabilities: Record<string, string>;
  spool: { events: number; bytes: number; screenshots: number; oldest: string | null };
  counters: Record<string, number | Record<string, number>>;
  balance: Balance;
  last_error: { code: string; message: string; help: string; at: string } | null;
  clock_offset_ms: number; app_key: string; self: { rss_bytes: number; cpu_ms_per_min: number };
}

export interface ClientDetail extends Client { history: { at: string; state: ClientState; why: string | null }[] }
/** Clients by state; invitations that nobody has used yet count as `invited`. */
export type Counts = Partial<Record<ClientState | 'invited' | 'waiting_for_consent', number>>;
export interface ClientList { clients: Client[]; total: number; counts: Counts }
export interface ClientError { code: string; message: string; help: string; count: number; clients: number; first_seen: string; last_seen: string }
export interface DeadLetter { id: string; agent_id: string; seq: number; reason: string; at: string; bytes: number }
export interface Alerts { silence_hours: number; email: string[]; webhook: boolean }
export interface LiveCounts { counts: Counts; events_per_min: number; events_today: number; last_event_at: string | null }
export interface ProjectBalance {
  clients: number; admitted: number; waiting: number; removed: number; refused: number; stored: number;
  erased: number; expired: number; lost: number; exact: boolean; by_rule: { rule: string; filtered: number }[];
}

const of = (slug: string, rest: string) => `/projects/${encodeURIComponent(slug)}${rest}`;
const one = (slug: string, agent: string, rest = '') => address(of(slug, `/clients/${encodeURIComponent(agent)}${rest}`));

export const fleetPath = {
  clients: (slug: string, parameters: URLSearchParams) => address(of(slug, '/clients'), parameters),
  client: (slug: string, agent: string) => one(slug, agent),
  errors: (slug: string) => address(of(slug, '/client-errors')),
  deadLetters: (slug: string) => address(of(slug, '/dead-letters')),
  balance: (slug: string) => address(of(slug, '/balance')),
  alerts: (slug: string) => address(of(slug, '/alerts')),
  live: (slug: string) => address(of(slug, '/live')),
};

export const approveClient = (slug: string, agent: string) => send<Client>('POST', one(slug, agent, '/approve'));
export const revokeClient = (slug: string, agent: string) => send<Client>('POST', one(slug, agent, '/revoke'));
export const setTeam = (slug: string, agent: string, team: string | null) => send<Client>('PATCH', one(slug, agent), { team });
export const approveAll = (slug: string, app_key: string | null) => send<{ approved: number }>('POST', address(of(slug, '/clients/approve')), { app_key });
export const replayLetter = (slug: string, id: string) => send<{ outcome: string }>('POST', address(of(slug, `/dead-letters/${encodeURIComponent(id)}/replay`)));
export const deleteLetter = (slug: string, id: string) => send<void>('DELETE', address(of(slug, `/dead-letters/${encodeURIComponent(id)}`)));
export const saveAlerts = (slug: string, alerts: Alerts) => send<Alerts>('PUT', fleetPath.alerts(slug), alerts);
