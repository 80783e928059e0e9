// The calls about projects, their data and their analyses, by name; other subjects stand in files of their own. It keeps no state and
// decides nothing.
import { get, postForFile, send, upload } from './http';
import { at, type Given } from './operation';
import type { CaseRule, FileFormat, JobChange, NewProject } from './types';

export { ServiceError } from './http';
export type { Address } from './operation';
export type * from './types';

/** What a log can be taken away as. */
type LogFormat = Given<'get', '/projects/{project}/export'>[0]['format'];

/** What an analysis is narrowed to, and which part of the answer is wanted. */
export type Narrowing = Omit<NonNullable<Given<'get', '/projects/{project}/analyses/{name}'>[0]>, 'project' | 'name'>;

export const path = {
  status: () => at('/status'),
  projects: () => at('/projects'),
  analysis: (project: string, name: string, narrowing: Narrowing) => at('/projects/{project}/analyses/{name}', { project, name, ...narrowing }),
  imports: (project: string) => at('/projects/{project}/imports', { project, limit: 20 }),
  rejects: (project: string, file: string) => at('/projects/{project}/imports/{import}/rejects', { project, import: file }),
  tables: (project: string) => at('/projects/{project}/tables', { project }),
  history: (project: string) => at('/projects/{project}/query/history', { project, limit: 50 }),
  limits: (project: string) => at('/projects/{project}/query/limits', { project }),
  jobs: (project: string) => at('/projects/{project}/jobs', { project }),
  runs: (project: string, part: { job?: string; limit: number; offset: number }) => at('/projects/{project}/runs', { project, ...part }),
  export: (project: string, format: LogFormat) => at('/projects/{project}/export', { project, format }),
};

export const read = get;

export const createProject = (wish: NewProject) => send('post', '/projects', { body: wish });
export const changeCaseRule = (project: string, case_rule: CaseRule) => send('patch', '/projects/{project}', { project, body: { case_rule } });

/** Uploads a log; the answer comes at once when the upload is complete, the work goes on in the service. */
export const startImport = (project: string, file: File, map: string, onProgress: (bytes_sent: number) => void) =>
  upload(file, onProgress, '/projects/{project}/imports', { project, file: file.name, map: map || undefined });
export const readImport = (project: string, id: string) => get(at('/projects/{project}/imports/{import}', { project, import: id }));

export const runQuery = (project: string, sql: string, limit: number, query_id: string) => send('post', '/projects/{project}/query', { project, body: { sql, limit, query_id } });
export const cancelQuery = (project: string, query: string) => send('delete', '/projects/{project}/query/{query}', { project, query });
export const exportQuery = (project: string, sql: string, format: FileFormat) =>
  postForFile('/projects/{project}/query/export', { project, body: { sql, format } });

export const putJob = (project: string, job: string, change: JobChange) => send('put', '/projects/{project}/jobs/{job}', { project, job, body: change });
export const deleteJob = (project: string, job: string) => send('delete', '/projects/{project}/jobs/{job}', { project, job });
export const dryRun = (project: string, text: string) => send('post', '/projects/{project}/jobs/dry-run', { project, body: { text } });
export const startRun = (project: string, which: { jobs?: string[]; all?: boolean }) => send('post', '/projects/{project}/runs', { project, body: which });
export const cancelRun = (project: string, run: string) => send('delete', '/projects/{project}/runs/{run}', { project, run });
