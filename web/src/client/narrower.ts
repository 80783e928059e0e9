// What the OpenAPI document leaves open and the pages rely on: words where it says text, shapes where it says object. The only place for
// that: `generated.ts` takes these types in where they stand (`Schema/member`, or the id of an operation for its answer), and `Fits`
// refuses one that contradicts the document. A word that the document comes to list by itself goes from here. Nothing here runs.
import type { CLIENT_STATES } from './fleet';

/** `Tight`, as long as every `Tight` is a `Loose`. */
export type Fits<Loose, Tight extends Loose> = Tight;

export interface Narrower {
  'ErrorAnswer/problems': Problem[];

  'ProjectShown/kind': 'sample' | 'imported' | 'enrolled';
  'ProjectShown/case_rule': CaseRule;
  'ProjectShown/role': Role;
  'ProjectShown/grants': Grant[];
  'ProjectChange/case_rule': CaseRule;
  'NewProject/preset': Preset;
  'JobsState/state': 'fresh' | 'running' | 'stale' | 'failed';
  'ImportShown/state': 'reading' | 'storing' | 'running_jobs' | 'done' | 'duplicate' | 'failed';

  'MyProject/role': Role;
  'MyProject/grants': Grant[];
  'MemberShown/role': Role;
  'MemberShown/grants': Grant[];
  'MemberChange/role': Role;
  'MemberChange/grants': Grant[];
  'NewMember/role': Role;
  'NewMember/grants': Grant[];
  'AppKeyShown/approval': 'auto' | 'hold';
  'InstallLines/system': 'linux' | 'debian' | 'windows' | 'windows_msi';
  'InvitationShown/state': InvitationState;
  'JoinPage/state': InvitationState;

  'AnalysisAnswer/rows': Cell[][];
  'QueryAnswer/rows': Cell[][];
  'ColumnShown/type': ColumnType;
  'TableColumn/type': ColumnType;
  'QueryExport/format': 'csv' | 'parquet';
  'PastQuery/state': 'done' | 'failed' | 'cancelled';
  'JobShown/state': 'fresh' | 'stale' | 'running' | 'failed' | 'never';
  'RunShown/state': 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

  'CorrectionShown/kind': CorrectionKind;
  'CorrectionShown/state': 'holds' | 'not_found' | 'waiting' | 'withdrawn';
  'NewCorrection/kind': CorrectionKind;

  'ClientShown/state': ClientState;
  'ClientShown/capabilities': Record<string, string>;
  'ClientShown/counters': Record<string, number | Record<string, number>>;
  'ClientShown/spool': { events: number; bytes: number; screenshots: number; oldest: string | null };
  'ClientShown/self': { rss_bytes: number; cpu_ms_per_min: number };
  'ClientList/counts': Counts;
  'StateChange/state': ClientState;

  'ConfigurationShown/preset': Preset;
  'RevisionShown/state': 'rolling_out' | 'active' | 'superseded' | 'rolled_back';
  'RevisionShown/changes': PolicyChange[];
  'CheckAnswer/problems': Problem[];
  'CheckAnswer/tests': RuleTest[];
  'CheckAnswer/changes': PolicyChange[];
  'PreviewAsked/source': 'sample' | 'own';
  'post_projects_project_configuration_preview': Preview;
  'get_config_vocabulary': Vocabulary;

  'PrivacyShown/preset': Preset;
  'RequestShown/kind': RequestKind;
  'RequestShown/state': 'open' | 'approved' | 'refused' | 'expired';
  'NewRequest/kind': RequestKind;
  'ErasureShown/state': 'running' | 'done';
  'ErasureShown/certificate': Certificate | null;
  'CouncilShown/preset': Preset;
  'AuditActorShown/kind': 'account' | 'token' | 'agent' | 'service';
}

export type Role = 'lead' | 'analyst' | 'viewer' | 'council';
export type Grant = 'raw' | 'pictures' | 'identities';
export type Preset = 'standard' | 'works_council';
export type CaseRule = 'auto' | 'session' | 'case_id' | { start_activity?: string; end_activity?: string };
export type InvitationState = 'invited' | 'enrolled' | 'expired' | 'revoked';
export type RequestKind = 'reidentify' | 'lower_k' | 'erase_project';
export type CorrectionKind = 'confirm' | 'rename' | 'merge' | 'split' | 'reject';

export type ColumnType = 'integer' | 'number' | 'text' | 'time' | 'date' | 'boolean' | 'list';
export type Cell = string | number | boolean | null | Cell[];

export type ClientState = (typeof CLIENT_STATES)[number];
/** Clients by state; invitations that nobody has used yet count as `invited`. */
export type Counts = { [state in ClientState | 'invited' | 'waiting_for_consent']?: number };

export type Certificate = {
  rows: number; marts: number; pictures: number; dead_letters: number; files_rewritten: number; sha256: string; signature: string;
};

export type PolicyChange = { code: string; text: string; widens: boolean };
/** `line` and `column` count from 1. */
export type Problem = { severity: 'error' | 'warning'; code: string; line: number; column: number; message: string; hint: string | null };
export type RuleTest = { name: string; line: number; passed: boolean; messages: string[] };

export type ColumnFate = 'sent' | 'hashed' | 'replaced' | 'redacted' | 'dropped';
export type PreviewRule = {
  rule: string; kind: 'gate' | 'rule' | 'otherwise' | 'recording'; line: number | null; admitted: number; columns: number; hashed: number; replaced: number;
  dropped: number; screenshots: number; bytes_per_day_user: number | null;
};
export type PreviewEvent = {
  seq: number; event_type: string; decision: { outcome: string; rule: string | null; screenshot: string | null };
  columns: { column: string; before: string | null; after: string | null; what: ColumnFate }[];
};
export type Preview = {
  events: number; users: number; days: number; rules: PreviewRule[];
  columns: { column: string; sent: number; hashed: number; replaced: number; redacted: number; dropped: number }[];
  never_matched: string[]; events_shown: PreviewEvent[];
};

/** One attribute of the configuration's XML. Which bounds there are depends on the type. */
export type VocabularyAttribute = {
  name: string; type: string; meaning: string; required: boolean; default: string | null;
  min?: number | string | null; max?: number | string | null; zero?: boolean; words?: string[]; columns?: string[]; count?: number;
};
export type VocabularyElement = {
  id: string; name: string; meaning: string; attributes: VocabularyAttribute[]; columns_are_attributes: boolean;
  content: { kind: 'elements' | 'text' | 'empty'; particles?: { ids: string[]; min: number; max: number | null }[]; characters_max?: number };
};
/** `in_all`: `all` means it; `must_be_named`: neither `all` nor a group does; `hashable`: it can be hashed and replaced. */
export type VocabularyColumn = {
  name: string; meaning: string; personal: boolean; decided_by_rules: boolean; in_all: boolean; must_be_named: boolean; hashable: boolean;
  hashed_unless_named: boolean; comparable: boolean;
};
/** schemas/config-vocabulary.json, generated from the parser. */
export type Vocabulary = {
  elements: VocabularyElement[];
  columns: VocabularyColumn[];
  groups: { name: string; columns: string[] }[];
  families: { name: string; event_types: { name: string; meaning: string }[] }[];
};
