// The calls about found tasks: what they are, what people said of them, and a task to take away. It keeps no state.
import { address, send } from './http';

export interface Task {
  task: string; name: string; standing: 'found' | 'confirmed' | 'rejected'; users: number; instances: number; variants: number;
  p50_s: number; p90_s: number; handling_s: number; share: number; applications: string[]; confidence: number; first: string; last: string;
}
export interface TaskStep {
  activity: string; application: string; events: number; cases: number; start_cases: number; end_cases: number;
  happy_path_rank: number | null; users: number; position: number; next_step: string | null; next_share: number;
  target: 'same' | 'progression' | 'varies'; target_by: number | null; reads: string[]; rule: string | null;
  hit_rate: number | null; held_back: number | null; automatable: boolean;
  verdict: 'known' | 'explained' | 'value_unknown' | 'target_unknown';
}
export interface TaskVariant {
  variant: string; steps: string[]; instances: number; share: number; users: number; p50_s: number; rework: boolean;
}
export interface TaskInstance {
  instance: string | number; user: number; session: string | number; start: string; events: number;
  duration_s: number; handling_s: number; confidence: number;
}
export interface Candidate {
  task: string; name: string; users: number; instances: number; applications: string[]; steps: number; automatable_steps: number;
  rai: number; determinism: number; exceptions: number; handling_p50_s: number; instances_per_week: number;
  minutes_per_week: number; potential_minutes_per_week: number;
}

export type CorrectionKind = 'confirm' | 'rename' | 'merge' | 'split' | 'reject';
export interface Correction {
  id: string; kind: CorrectionKind; task_name: string; name: string | null; other_name: string | null; step: string | null;
  state: 'holds' | 'not_found' | 'waiting' | 'withdrawn'; task: string | null; likeness: number | null;
  made_by: { id: string; name: string }; made_at: string;
}
export interface NewCorrection { kind: CorrectionKind; task: string; name?: string; other?: string; step?: string }

const project = (slug: string, rest: string) => `/projects/${encodeURIComponent(slug)}${rest}`;

export const tasksPath = {
  corrections: (slug: string) => address(project(slug, '/task-corrections')),
  document: (slug: string, task: string, format: 'html' | 'bpmn' | 'playwright') =>
    address(project(slug, `/tasks/${encodeURIComponent(task)}`), new URLSearchParams({ format })),
};
export interface TasksAnswers { corrections: { corrections: Correction[] } }

export const correctTask = (slug: string, correction: NewCorrection) =>
  send<{ id: string; run: string }>('POST', tasksPath.corrections(slug), correction);
export const withdrawCorrection = (slug: string, id: string) =>
  send<void>('DELETE', address(project(slug, `/task-corrections/${encodeURIComponent(id)}`)));
