// One record type per analysis, with the columns the contract names. Nothing here runs.

/** Names one case or session; the service may use numbers. */
export type Key = string | number;

export interface Overview {
  events: number; users: number; sessions: number; cases: number; applications: number; activities: number;
  active_h: number; first_event: string | null; last_event: string | null; copy_paste_pairs: number;
  switches: number; switches_per_active_hour: number | null; round_trips: number;
}
export interface Bucket { bucket: string; bucket_s: number; events: number; active_s: number; users: number }
export interface Application {
  application: string; active_s: number; share: number; accesses: number; users: number; events: number;
  focus_p50_s: number | null; focus_p90_s: number | null;
}
export interface Screen { application: string; screen: string | null; active_s: number; events: number; users: number }
export interface FocusBlocks { application: string; from_s: number; to_s: number | null; blocks: number }
export interface Switch {
  from_application: string; to_application: string; switches: number; round_trips: number; users: number;
}
export interface CopyPaste {
  from_application: string; from_screen: string | null; from_element: string | null;
  to_application: string; to_screen: string | null; to_element: string | null;
  pairs: number; users: number; p50_s: number | null;
}
export interface ProcessNode {
  activity: string; application: string; events: number; cases: number; start_cases: number; end_cases: number;
  happy_path_rank: number | null; users: number;
}
export interface ProcessEdge {
  from_activity: string; to_activity: string; frequency: number; cases: number;
  p50_s: number | null; p90_s: number | null; mean_s: number | null;
}
export interface Variant {
  variant: string; activities: string[]; cases: number; share: number; events: number;
  p50_s: number | null; p90_s: number | null; users: number; rework: boolean; example_case: Key | null;
}
export interface Case {
  case: Key; label?: string | null; user: Key | null; start: string; end: string; events: number;
  duration_s: number; handling_s: number; variant: string | null;
}
export interface Session {
  session: Key; user: Key | null; start: string; end: string; events: number;
  active_s: number; idle_s: number; applications: number;
}
export interface TimelineEvent {
  event: number; session: Key; case: Key | null; user: Key | null; time: string; gap_s: number | null;
  application: string | null; screen: string | null; activity: string | null; event_type: string; element: string | null;
  window_title: string | null; url_host: string | null; text_length: number | null;
  /** Left out for those who may see no pictures. */
  screenshot_id?: string | null;
}
/** An event that has a picture; the box is that of its element, in pixels of the virtual desktop as the pointer is. */
export interface PictureEvent {
  event: number; session: Key; case: Key | null; user: Key | null; time: string; application: string | null; screen: string | null;
  activity: string | null; event_type: string; element: string | null; box_x: number | null; box_y: number | null;
  box_width: number | null; box_height: number | null; mouse_x: number | null; mouse_y: number | null; screenshot_id: string;
}
export interface Coverage {
  day: string; agents: number; users: number; events: number; first_event: string; last_event: string;
  gaps: number; lost_events: number; rejected_rows?: number;
}

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
  /** Instances in which the task's script was followed, of these in the same order, of these with the same values; the same for all steps. */
  replayed: number | null; replayed_in_order: number | null; replayed_exactly: number | null;
  /** Instances in which the script did this step as the person did, and in which it differed, by how. */
  replay_same: number | null; replay_missing: number | null; replay_added: number | null; replay_other_order: number | null;
  replay_other_value: number | null; replay_unknown_value: number | null;
}
export interface TaskVariant {
  variant: string; steps: string[]; instances: number; share: number; users: number; p50_s: number; rework: boolean;
}
/** Steps that at least half of a task's instances do in this order, whatever comes between; of `looked_at` instances. */
export interface TaskPattern {
  rank: number; steps: string[]; instances: number; looked_at: number; share: number; users: number; cohesion: number;
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
