// What the pages call the schemas of the service. Nothing here runs.
import type { components } from './generated';

type Schemas = components['schemas'];

export type ErrorAnswer = Schemas['ErrorAnswer'];
export type CaseRule = Schemas['CaseRuleShown'];
export type Preset = Schemas['Preset'];
export type Project = Schemas['ProjectShown'];
export type NewProject = Schemas['NewProject'];
export type Retention = Schemas['RetentionShown'];
export type Import = Schemas['ImportShown'];

export type Me = Schemas['Me'];
export type Account = Schemas['AccountShown'];
export type LoginSession = Schemas['SessionShown'];
export type ApiToken = Schemas['TokenShown'];
export type Role = Schemas['Role'];
export type Grant = Schemas['Grant'];
export type Member = Schemas['MemberShown'];
export type AppKey = Schemas['AppKeyShown'];
export type AppKeyWish = Schemas['NewAppKey'];
export type NewAppKey = Schemas['AppKeyMade'];
export type InstallLines = Schemas['InstallLines'];
export type InvitationState = Schemas['InvitationState'];
export type Invitation = Schemas['InvitationShown'];
export type NewInvitations = Schemas['Invited'];

export type Answer = Schemas['AnalysisAnswer'];
export type Cell = Schemas['Cell'];
export type Row = Cell[];
export type ColumnType = Schemas['ColumnType'];
export type Column = Schemas['ColumnShown'];
export type Table = Schemas['TableShown'];
export type TableColumn = Schemas['TableColumn'];
export type SqlFunction = Schemas['FunctionShown'];
export type QueryResult = Schemas['QueryAnswer'];
export type JobTried = Schemas['JobTried'];
export type JobLanguage = Schemas['Language'];
export type FileFormat = Schemas['FileFormat'];
export type PastQuery = Schemas['PastQuery'];
export type Job = Schemas['JobShown'];
export type JobChange = Schemas['JobChange'];
export type Run = Schemas['RunShown'];
export type RunState = Run['state'];
export type CorrectionKind = Schemas['CorrectionKind'];
export type Correction = Schemas['CorrectionShown'];
export type NewCorrection = Schemas['NewCorrection'];

export type ClientState = Schemas['ClientState'];
export type Counts = Schemas['ClientCounts'];
export type LiveEvent = Schemas['LiveEvent'];
export type LiveCounts = Schemas['LiveCounts'];
export type Client = Schemas['ClientShown'];
export type ClientError = Schemas['ErrorGroupShown'];
export type Balance = Schemas['Balance'];
export type DeadLetter = Schemas['DeadLetterShown'];
export type Alerts = Schemas['AlertSettings'];

export type Picture = Schemas['PictureShown'];
/** An area in pixels of the picture. */
export type Area = Schemas['CoverArea'];

export type ProjectConfiguration = Schemas['ConfigurationShown'];
export type Revision = Schemas['RevisionShown'];
export type Rollout = Schemas['Rollout'];
export type Check = Schemas['CheckAnswer'];
export type Problem = Schemas['Problem'];
export type PolicyChange = Schemas['PolicyChange'];
export type RuleTest = Schemas['RuleTest'];
export type Preview = Schemas['Preview'];
export type PreviewSource = Schemas['PreviewSource'];
export type PreviewEvent = Schemas['PreviewEvent'];
export type PreviewRule = Schemas['PreviewRule'];
export type Vocabulary = Schemas['Vocabulary'];
export type VocabularyAttribute = Schemas['VocabularyAttribute'];
export type VocabularyColumn = Schemas['VocabularyColumn'];
export type VocabularyElement = Schemas['VocabularyElement'];

export type Privacy = Schemas['PrivacyShown'];
export type PrivacyChange = Schemas['PrivacyChange'];
export type RequestKind = Schemas['RequestKind'];
export type TwoPersonRequest = Schemas['RequestShown'];
export type NewRequest = Schemas['NewRequest'];
export type Erasure = Schemas['ErasureShown'];

export type ServiceSettings = Schemas['SettingsShown'];
export type Backups = Schemas['BackupsShown'];
export type BackupMade = Schemas['BackupMade'];
export type Smtp = Schemas['MailServerShown'];
export type Oidc = Schemas['CompanyLoginSettings'];
export type SettingsChange = Schemas['SettingsChange'];
export type AuditHead = Schemas['AuditHeadShown'];
export type AuditEntry = Schemas['AuditShown'];
