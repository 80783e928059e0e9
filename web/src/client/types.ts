// The shapes the service answers with, as docs/guide/api.md states them. Nothing here runs.
import type { Grant, Role } from './access';

export type CaseRule = 'auto' | 'session' | 'case_id' | { start_activity?: string; end_activity?: string };

export interface Project {
  id: string;
  slug: string;
  name: string;
  kind: 'sample' | 'imported' | 'enrolled';
  min_group_size: number;
  created_at: string;
  events: number;
  users: number;
  first_event: string | null;
  last_event: string | null;
  case_rule: CaseRule;
  jobs: { state: 'fresh' | 'running' | 'stale' | 'failed'; built_at: string | null };
  purposes: string[];
  retention: Retention;
  clients: { total: number; recording: number };
  configuration: { revision: number | null };
  role: Role;
  grants: Grant[];
}

/** How long data stay; more than the usual needs a reason. */
export interface Retention { raw_days: number; picture_days: number; aggregate_months: number; reason: string | null }

export interface ProjectWish {
  name: string; kind: 'enrolled'; purposes: string[]; retention: Retention; min_group_size: number; preset: 'standard' | 'works_council';
}

export interface Status {
  version: string;
  loopback_only: boolean;
  data_folder: string;
  control: 'sqlite' | 'postgres';
  projects: number;
  started_at: string;
}

export type ImportState = 'reading' | 'storing' | 'running_jobs' | 'done' | 'duplicate' | 'failed';

export interface Import {
  id: string;
  file: string;
  format: string | null;
  state: ImportState;
  bytes_total: number;
  bytes_read: number;
  rows_read: number;
  rows_rejected: number;
  rows_stored: number;
  first_rejects: { line: number; reason: string }[];
  message: string | null;
  started_at: string;
  finished_at: string | null;
}

export type ColumnType = 'integer' | 'number' | 'text' | 'time' | 'date' | 'boolean' | 'list';
export type Cell = string | number | boolean | null | Cell[];
export type Row = Cell[];
export interface Column {
  name: string;
  type: ColumnType;
}

export interface Answer {
  name: string;
  title: string;
  formula: string;
  columns: Column[];
  rows: Row[];
  total: number;
  built_at: string | null;
  elapsed_ms: number;
  min_group_size: number;
  suppressed: number;
}

export interface TableColumn extends Column {
  personal: boolean;
  description: string;
}

export interface Table {
  name: string;
  layer: 'staging' | 'intermediate' | 'mart' | 'custom' | 'uploaded';
  description: string;
  grain: string;
  audience: string;
  rows: number | null;
  bytes: number | null;
  built_at: string | null;
  stale: boolean;
  columns: TableColumn[];
}

export interface SqlFunction {
  name: string;
  signature: string;
  description: string;
}

export interface QueryResult {
  columns: Column[];
  rows: Row[];
  row_count: number;
  truncated: boolean;
  elapsed_ms: number;
  bytes_scanned: number | null;
}

export interface PastQuery {
  id: string;
  sql: string;
  state: 'done' | 'failed' | 'cancelled' | 'running';
  rows: number | null;
  elapsed_ms: number | null;
  started_at: string;
  message: string | null;
}

export interface QueryLimits {
  seconds: number;
  memory_bytes: number;
  preview_rows: number;
}

export type RunState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Run {
  id: string;
  job: string;
  state: RunState;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  rows_in: number | null;
  rows_out: number | null;
  peak_memory_bytes: number | null;
  partitions: number | null;
  partitions_reused: number | null;
  error: { message: string; line?: number | null; column?: number | null } | null;
}

export interface Job {
  name: string;
  layer: Table['layer'];
  description: string;
  reads: string[];
  grain: string;
  audience: string;
  params: Record<string, string>;
  origin: 'built-in' | 'replaced' | 'custom';
  enabled: boolean;
  schedule: string;
  sql: string;
  state: 'fresh' | 'stale' | 'running' | 'failed' | 'never';
  rows: number | null;
  built_at: string | null;
  last_run: Run | null;
}
