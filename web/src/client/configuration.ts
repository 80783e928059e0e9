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
  draft: { xml: string; saved_at: string; saved_by: string } | null;
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
  rule: string; kind: 'gate' | 'rule' | 'otherwise' | 'recording'; line: number | null; admitted: number; columns: number; hashed: number; replaced: number;
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

/** One attribute of the configuration's XML. Which bounds there are depends on the type. */
export interface VocabularyAttribute {
  name: string; type: string; meaning: string; required: boolean; default: string | null;
  min?: number | string | null; max?: number | string | null; zero?: boolean; words?: string[]; columns?: string[]; count?: number;
}
export interface VocabularyElement {
  id: string; name: string; meaning: string; attributes: VocabularyAttribute[]; columns_are_attributes: boolean;
  content: { kind: 'elements' | 'text' | 'empty'; particles?: { ids: string[]; min: number; max: number | null }[]; characters_max?: number };
}
/** `in_all`: `all` means it; `must_be_named`: neither `all` nor a group does; `hashable`: it can be hashed and replaced. */
export interface VocabularyColumn {
  name: string; meaning: string; personal: boolean; decided_by_rules: boolean; in_all: boolean; must_be_named: boolean; hashable: boolean; hashed_unless_named: boolean; comparable: boolean;
}
/** schemas/config-vocabulary.json, generated from the parser. */
export interface Vocabulary {
  elements: VocabularyElement[];
  columns: VocabularyColumn[];
  groups: { name: string; columns: string[] }[];
  families: { name: string; event_types: { name: string; meaning: string }[] }[];
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
export const widenRollout = (slug: string, percent: number) => send<Revision>('POST', of(slug, '/rollout'), { percent });
export const rollBack = (slug: string, revision: number, note: string) => send<Revision>('POST', of(slug, '/rollback'), { revision, note });
export const readRevisions = (slug: string) => get<ConfigurationAnswers['revisions']>(configurationPath.revisions(slug));
export const readRevision = (slug: string, revision: number) => get<RevisionDetail>(configurationPath.revision(slug, revision));

export function readTemplate(slug: string, preset: Preset, apps: string[], sites: string[]): Promise<{ xml: string }> {
  const parameters = new URLSearchParams({ preset });
  if (apps.length > 0) parameters.set('apps', apps.join(' '));
  if (sites.length > 0) parameters.set('sites', sites.join(' '));
  return get<{ xml: string }>(`${of(slug, '/template')}?${parameters}`);
}
