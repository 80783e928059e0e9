// Privacy of a project: group size, retention, requests that take two people, erasures, documents, and what the works council sees.
import type { Preset, PolicyChange, Revision } from './configuration';
import type { ProjectBalance } from './fleet';
import { address, send } from './http';
import type { AuditHead } from './service';
import type { Retention } from './types';

export interface Privacy {
  min_group_size: number; retention: Retention; purposes: string[]; preset: Preset; key_epochs: { id: string; created_at: string; retired_at: string | null }[];
}
export type PrivacyChange = Partial<Pick<Privacy, 'min_group_size' | 'retention' | 'purposes'>>;

/** An account as others see it. */
export interface Named { id: string; name: string }

export type RequestKind = 'reidentify' | 'lower_k' | 'erase_project';
export interface TwoPersonRequest {
  id: string; kind: RequestKind; subject: string | null; value: number | null; reason: string; asked_by: Named; asked_at: string;
  state: 'open' | 'approved' | 'refused' | 'expired'; decided_by: Named | null; decided_at: string | null;
}
/** For a day after approval, and only for those who asked and approved. */
export interface RequestDetail extends TwoPersonRequest { person?: { name: string; email: string | null } }

export interface Erasure {
  id: string; state: 'running' | 'done'; subject: string; asked_at: string; done_at: string | null;
  certificate: { rows: number; marts: number; pictures: number; dead_letters: number; files_rewritten: number; sha256: string; signature: string } | null;
}

export interface Council {
  configuration: (Revision & { changes: PolicyChange[] })[]; balance: ProjectBalance; k: number; retention: Retention; preset: Preset;
  audit_head: AuditHead; screenshots: boolean; text: boolean;
}
export const DOCUMENTS = ['dpia', 'works-agreement', 'art30'] as const;
export type DocumentName = (typeof DOCUMENTS)[number];

const of = (slug: string, rest: string) => `/projects/${encodeURIComponent(slug)}${rest}`;

export const privacyPath = {
  privacy: (slug: string) => address(of(slug, '/privacy')),
  requests: (slug: string) => address(of(slug, '/requests')),
  request: (slug: string, id: string) => address(of(slug, `/requests/${encodeURIComponent(id)}`)),
  erasures: (slug: string) => address(of(slug, '/erasures')),
  council: (slug: string) => address(of(slug, '/council')),
  document: (slug: string, name: DocumentName, format: 'md' | 'html') => address(of(slug, `/documents/${name}`), new URLSearchParams({ format })),
  ownData: (slug: string, agent: string, format: 'json' | 'parquet') => address(of(slug, `/people/${encodeURIComponent(agent)}/export`), new URLSearchParams({ format })),
};

export const changePrivacy = (slug: string, change: PrivacyChange) => send<Privacy>('PATCH', privacyPath.privacy(slug), change);
export const askRequest = (slug: string, wish: { kind: RequestKind; subject: string | null; value: number | null; reason: string }) => send<TwoPersonRequest>('POST', privacyPath.requests(slug), wish);
export const decideRequest = (slug: string, id: string, decision: 'approve' | 'refuse') => send<TwoPersonRequest>('POST', address(of(slug, `/requests/${encodeURIComponent(id)}/${decision}`)));
export const erase = (slug: string, whom: { agent_id: string } | { user: string }) => send<Erasure>('POST', privacyPath.erasures(slug), whom);
