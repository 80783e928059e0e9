// A project's configuration: draft, check, preview, publishing, roll-out and history, and the vocabulary the editor is drawn from.
import { address, get, send } from './http';

export interface Revision {
  revision: number; published_at: string; published_by: { id: string; name: string }; note: string; percent: number;
  state: 'rolling_out' | 'active' | 'superseded' | 'rolled_back'; sha256: string; consent_version: number; screenshots: boolean; text: boolean;
}
export interface PolicyChange { code: string; text: string; widens: boolean }
export interface RevisionDetail extends Revision { xml: string; header: string; signature: string; key: string; changes: PolicyChange[] }

export interface Rollout { revision: number; percent: number; previous: number | null; clients_on_new: number; clients: number }
export type Preset = 'standard' | 'works_council';
export interface ProjectConfiguration {
  draft: { xml: string; saved_at: string; saved_by: { id: string; name: string } } | null;
  published: Revision | null;
  rollout: Rollout | null;
  preset: Preset;
}

/** `line` and `column` count from 1. */
export interface Problem { severity: 'error' | 'warning'; code: string; line: number; column: number; message: string; hint: string | null }
export interface RuleTest { name: string; line: number; passed: boolean; messages: string[] }
export interface Check {
  valid: boolean; problems: Problem[]; tests: RuleTest[]; changes: PolicyChange[];
  affected: { people: number; clients: number }; consent_must_rise: boolean;
}

export type ColumnFate = 'sent' | 'hashed' | 'replaced' | 'redacted' | 'dropped';
export interface PreviewRule {
  rule: string; kind: 'gate' | 'rule' | 'otherwise'; line: number | null; admitted: number; columns: number; hashed: number; replaced: number;
  dropped: number; screenshots: number; bytes_per_day_user: number | null;
}
export interface PreviewEvent {
  seq: number; event_type: string; decision: { outcome: string; rule: string | null; screenshot: string | null };
  columns: { column: string; before: string | null; after: string | null; what: ColumnFate }[];
}
export interface Preview {
  events: number; users: number; days: number; rules: PreviewRule[];
  columns: { column: string; sent: number; hashed: number; replaced: number; redacted: number; dropped: number }[];
  never_matched: string[]; events_shown: PreviewEvent[];
}

export interface VocabularyAttribute {
  name: string; type: string; default: string | null; required: boolean; values: string[] | null; range: string | null; meaning: string;
}
export interface VocabularyElement { name: string; parents: string[]; meaning: string; attributes: VocabularyAttribute[] }
/** `named_only` columns are in no group and not in `all`; only `text` columns can be hashed and replaced. */
export interface VocabularyColumn { name: string; text: boolean; personal: boolean; mandatory: boolean; groups: string[]; named_only: boolean; meaning: string }
export interface Vocabulary {
  elements: VocabularyElement[];
  columns: VocabularyColumn[];
  event_types: { name: string; family: string }[];
}

const of = (slug: string, rest: string) => address(`/projects/${encodeURIComponent(slug)}/configuration${rest}`);

export const configurationPath = {
  vocabulary: () => address('/config/vocabulary'),
  configuration: (slug: string) => of(slug, ''),
  revisions: (slug: string) => of(slug, '/revisions'),
  revision: (slug: string, revision: number) => of(slug, `/revisions/${revision}`),
};

export interface ConfigurationAnswers {
  configuration: ProjectConfiguration;
  revisions: { revisions: Revision[]; total: number };
}

/** Goes out even while the page is being left. */
export const saveDraft = (slug: string, xml: string) => send<{ saved_at: string }>('PUT', of(slug, '/draft'), { xml }, { keepalive: true });
export const checkConfiguration = (slug: string, xml: string, signal: AbortSignal) => send<Check>('POST', of(slug, '/check'), { xml }, { signal });
export const previewConfiguration = (slug: string, xml: string, source: 'sample' | 'own', days: number) =>
  send<Preview>('POST', of(slug, '/preview'), { xml, source, days });
export const explainEvent = (slug: string, xml: string, event: Record<string, string>) => send<PreviewEvent>('POST', of(slug, '/explain'), { xml, event });
export const publish = (slug: string, xml: string, note: string, percent: number) => send<Revision>('POST', of(slug, '/publish'), { xml, note, percent });
export const widenRollout = (slug: string, percent: number) => send<Rollout>('POST', of(slug, '/rollout'), { percent });
export const rollBack = (slug: string, revision: number, note: string) => send<Revision>('POST', of(slug, '/rollback'), { revision, note });
export const readRevision = (slug: string, revision: number) => get<RevisionDetail>(configurationPath.revision(slug, revision));

export function readTemplate(slug: string, preset: Preset, apps: string[], sites: string[]): Promise<{ xml: string }> {
  const parameters = new URLSearchParams({ preset });
  if (apps.length > 0) parameters.set('apps', apps.join(' '));
  if (sites.length > 0) parameters.set('sites', sites.join(' '));
  return get<{ xml: string }>(`${of(slug, '/template')}?${parameters}`);
}
