// What page, worker and client say to each other. Twin of `crates/agent/src/browser/message.rs` and `rules.rs`.

/** The version of what worker and client speak. */
export const PROTOCOL = 1;

/** What the browser calls the client's relay by. */
export const HOST = "org.lode.agent";

/** By what name a popup calls the worker. */
export const POPUP = "popup";

/** How long pages go on without the client, until they stop and what they hold is counted as lost. */
export const GRACE_MS = 5_000;

export type Kind =
  | "click" | "change" | "copy" | "cut" | "paste" | "submit" | "select" | "load"
  | "tab_activated" | "tab_closed" | "download" | "print" | "lost";

/** x, y, width, height in physical pixels. */
export type Box = [number, number, number, number];

/** An element of a page; never what is in it. */
export interface ElementRecord {
  role: string;
  name?: string;
  id?: string;
  class?: string;
  path?: string;
  row?: string;
  column?: string;
}

/** What lies around the pointer, from the pointer. */
export interface Pointer {
  box: Box | null;
  /** What a picture must not show; null if that cannot be told, and then there is no picture. */
  masks: Box[] | null;
}

/** One thing that somebody did; `document` and `seq` name it for ever. */
export interface PageEvent {
  document: string;
  seq: number;
  time_ms: number;
  kind: Kind;
  url: string;
  title: string;
  tab?: number;
  frame?: number;
  element?: ElementRecord;
  pointer?: Pointer;
  length?: number;
  value?: string;
  lost?: number;
  attributes?: Record<string, string>;
}

/** Where a rule asks for values; null: everywhere. */
export interface Values {
  kinds: Kind[];
  hosts: string[] | null;
  element_ids: string[] | null;
}

/** What of the project's configuration concerns pages. */
export interface Policy {
  revision: number;
  sites: "all" | { host: string; path: string }[];
  never: { column: string; glob?: string; regex?: string }[];
  values: Values[];
  name_max: number;
  clipboard: boolean;
  pictures: boolean;
  value_length: "off" | "exact" | "bucket";
  row_labels: boolean;
  test_ids: string[];
}

/** What the client says. */
export type FromClient =
  | { type: "state"; recording: boolean; why: string | null; policy: Policy | null }
  | { type: "ack"; acks: [document: string, seq: number][] };

/** What the worker says to a page. */
export type ToPage =
  | { type: "policy"; policy: Policy | null; hosts: string[] | null; forget: boolean }
  | { type: "ack"; seqs: number[] }
  | { type: "look"; activated: boolean; opened: boolean };

/** What a page says to the worker. Nothing of a page that is not allowed is among it. */
export type FromPage =
  | { type: "event"; event: PageEvent }
  | { type: "lost"; count: number };

/** What the worker says to a popup. */
export interface Standing {
  /** The key of the sentence. */
  sentence: string;
}

/** What the options ask the worker for: the settings that hold, an administrator's or a person's own. */
export interface Settings {
  managed: boolean;
  disabled: boolean;
  /** Pages of these hosts at most; null: those of the project. */
  allowedHosts: string[] | null;
}
