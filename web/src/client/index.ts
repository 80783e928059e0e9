// Every call the pages make, by name. It keeps no state and decides nothing.
import { address, get, postForFile, send, upload } from './http';
import type {
  Answer, CaseRule, Import, Job, PastQuery, Project, ProjectWish, QueryLimits, QueryResult, Run, SqlFunction, Status, Table,
} from './types';

export { ServiceError } from './http';
export type * from './types';

const project = (slug: string, rest = '') => `/projects/${encodeURIComponent(slug)}${rest}`;

export const path = {
  status: () => address('/status'),
  projects: () => address('/projects'),
  project: (slug: string) => address(project(slug)),
  analysis: (slug: string, name: string, parameters: URLSearchParams) =>
    address(project(slug, `/analyses/${name}`), parameters),
  imports: (slug: string) => address(project(slug, '/imports'), new URLSearchParams({ limit: '20' })),
  rejects: (slug: string, id: string) => address(project(slug, `/imports/${id}/rejects`)),
  tables: (slug: string) => address(project(slug, '/tables')),
  history: (slug: string) => address(project(slug, '/query/history'), new URLSearchParams({ limit: '50' })),
  limits: (slug: string) => address(project(slug, '/query/limits')),
  jobs: (slug: string) => address(project(slug, '/jobs')),
  runs: (slug: string, parameters: URLSearchParams) => address(project(slug, '/runs'), parameters),
  export: (slug: string, format: string) => address(project(slug, '/export'), new URLSearchParams({ format })),
};

/** What each readable address answers with. */
export interface Answers {
  status: Status;
  projects: { projects: Project[] };
  project: Project;
  analysis: Answer;
  imports: { imports: Import[]; total: number };
  tables: { tables: Table[]; functions: SqlFunction[] };
  history: { queries: PastQuery[]; total: number };
  limits: QueryLimits;
  jobs: { jobs: Job[] };
  runs: { runs: Run[]; total: number };
}

export const read = get;

export const createProject = (name: string) => send<Project>('POST', path.projects(), { name, kind: 'imported' });
export const createEnrolledProject = (wish: ProjectWish) => send<Project>('POST', path.projects(), wish);
export const changeCaseRule = (slug: string, case_rule: CaseRule) =>
  send<Project>('PATCH', path.project(slug), { case_rule });
export const deleteProject = (slug: string) => send<void>('DELETE', path.project(slug));

/** Uploads a log; the answer comes at once when the upload is complete, the work goes on in the service. */
export function startImport(slug: string, file: File, map: string, onProgress: (bytes_sent: number) => void) {
  const parameters = new URLSearchParams({ file: file.name });
  if (map) parameters.set('map', map);
  return upload<Import>(address(project(slug, '/imports'), parameters), file, onProgress);
}
export const readImport = (slug: string, id: string) => get<Import>(address(project(slug, `/imports/${id}`)));

export const runQuery = (slug: string, sql: string, limit: number, query_id: string) =>
  send<QueryResult>('POST', address(project(slug, '/query')), { sql, limit, query_id });
export const cancelQuery = (slug: string, query_id: string) =>
  send<void>('DELETE', address(project(slug, `/query/${query_id}`)));
export const exportQuery = (slug: string, sql: string, format: 'csv' | 'parquet') =>
  postForFile(address(project(slug, '/query/export')), { sql, format });

export const putJob = (slug: string, name: string, change: { sql?: string; enabled?: boolean; schedule?: string }) =>
  send<Job>('PUT', address(project(slug, `/jobs/${encodeURIComponent(name)}`)), change);
export const deleteJob = (slug: string, name: string) =>
  send<void>('DELETE', address(project(slug, `/jobs/${encodeURIComponent(name)}`)));
export const dryRun = (slug: string, sql: string) =>
  send<QueryResult>('POST', address(project(slug, '/jobs/dry-run')), { sql });
export const startRun = (slug: string, which: { jobs?: string[]; all?: boolean }) =>
  send<{ run: string }>('POST', address(project(slug, '/runs')), which);
export const cancelRun = (slug: string, id: string) => send<void>('DELETE', address(project(slug, `/runs/${encodeURIComponent(id)}`)));
