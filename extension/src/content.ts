// The script in every page: it says what somebody did there, if the page is allowed, and does nothing at all if it is not.
//
// It listens to nothing until the worker hands it a policy whose sites this page's own address fits; then only to what people do
// (`isTrusted`), before the page does, and without holding the page up. What it says of an element is in `element.ts`. Each event is
// held in a ring until the client has acknowledged it, and sent again after whatever broke in between.

import {
  boxFrom, concernsSecret, describe, effectiveAddress, focused, isEditable, isSecret, masks, meant, shadowOf, targetOf,
} from "./element";
import type { FromPage, Kind, PageEvent, Policy, ToPage } from "./messages";
import { GRACE_MS } from "./messages";
import { hasCard, redacted } from "./redact";
import { randomName, Ring } from "./ring";
import { type Gate, gateOf } from "./rules";

/** How long the title of a page must stay before the page counts as loaded. */
const SETTLE_MS = 300;

/** How long a selection must stay before it counts. */
const SELECTION_MS = 500;

/** The first wait before the worker is called again, and the longest. */
const RETRY_MS = [50, 2_000] as const;

/** Characters of a value that leave the page, where a rule asks for it. */
const VALUE_MAX = 1_024;

/** Lower bounds of counted characters. */
const BUCKETS = [0, 1, 2, 6, 21, 101];

/** Inputs into which nobody writes. */
const CHOOSERS = /^(?:button|submit|reset|image|checkbox|radio|range|file|color|hidden)$/;

const ring = new Ring();
const name = randomName();
let seq = 0;
let lost = 0;
let port: chrome.runtime.Port | null = null;
let retryMs: number = RETRY_MS[0];
let graceTimer = 0;
let policy: Policy | null = null;
let gate: Gate | null = null;
let stopListening: AbortController | null = null;
/** The last address and title that were asked about, and the answer. */
let asked = { url: "", title: "", isAdmitted: false };
/** The address whose loading was told. */
let loaded = "";
let loadTimer = 0;
let selectionTimer = 0;
let hasFreshTab = false;
/** The field that somebody writes into. */
let edited: Element | null = null;

function isAdmitted(): boolean {
  const url = effectiveAddress(window);
  const title = document.title;
  if (asked.url !== url || asked.title !== title) {
    asked = { url, title, isAdmitted: gate !== null && gate(url, title) === "admitted" };
  }
  return gate !== null && asked.isAdmitted;
}

function tell(message: FromPage): void {
  try {
    port?.postMessage(message);
  } catch {
    // The port closed a moment ago; what is held is sent through the next one.
  }
}

function record(kind: Kind, more: Partial<PageEvent> = {}, at?: Event): void {
  tellDeferred();
  if (policy === null || !isAdmitted()) return;
  const time_ms = Date.now() - (at === undefined ? 0 : Math.max(0, performance.now() - at.timeStamp));
  const event: PageEvent = {
    document: name, seq: seq + 1, time_ms, kind, url: asked.url, title: redacted(asked.title).slice(0, 1_024), ...more,
  };
  if (!ring.push(event)) {
    lost += 1;
    return;
  }
  seq += 1;
  tell({ type: "event", event });
}

/** What was lost for want of room is told as soon as there is some. */
function tellLost(): void {
  if (lost === 0 || port === null) return;
  tell({ type: "lost", count: lost });
  lost = 0;
}

// — what people do —

function onPointer(event: MouseEvent): void {
  const target = targetOf(event);
  if (policy === null || target === null || !isAdmitted()) return;
  watch(target);
  if (isEchoOfLabel(target)) return;
  const element = meant(target);
  if (concernsSecret(target) || concernsSecret(element)) return;
  const button = BUTTONS[event.type];
  const said = { element: describe(element, policy), ...(button === undefined ? {} : { attributes: { button } }) };
  const isByPointer = event.detail > 0 || event.type === "contextmenu";
  if (!isByPointer) return record("click", said, event);
  const box = boxFrom(element, event);
  if (!policy.pictures) return record("click", { ...said, pointer: { box, masks: null } }, event);
  // The whole page is looked through for what a picture must not show; the page's own work goes first.
  tellDeferred();
  deferred = () => {
    const pointer = { box, masks: masks(event, (url) => gate?.(url, "") === "admitted") };
    record("click", { ...said, pointer }, event);
  };
  setTimeout(tellDeferred);
}

/** Whether the middle button was clicked just now. On X11 that pastes, and Firefox says so too where there is nothing to paste into. */
let isMiddle = false;

function onOtherButton(event: MouseEvent): void {
  if (event.button !== 1) return;
  isMiddle = true;
  setTimeout(() => (isMiddle = false));
  onPointer(event);
}

/** Which button it was, where it was not the first. */
const BUTTONS: Record<string, string> = { auxclick: "middle", contextmenu: "right" };

/** The field whose label was clicked a moment ago. */
let labelled: HTMLElement | null = null;

/** A click on a label makes the browser click its field too; that is nothing a person did. */
function isEchoOfLabel(target: Element): boolean {
  const field = target.closest("label")?.control ?? null;
  const isEcho = labelled !== null && target === labelled;
  labelled = isEcho || field === target ? null : field;
  return isEcho;
}

/** A click that waits for the end of the page's own work, or for the next event. */
let deferred: (() => void) | null = null;

function tellDeferred(): void {
  const tellIt = deferred;
  deferred = null;
  tellIt?.();
}

function isField(element: Element): boolean {
  return element instanceof HTMLTextAreaElement
    || isEditable(element)
    || (element instanceof HTMLInputElement && !CHOOSERS.test(element.type));
}

/** Text that is entered is one event, when the field is left. */
function onInput(event: Event): void {
  const element = targetOf(event);
  if (element === null) return;
  watch(element);
  if (isSecret(element)) return;
  if (isField(element)) {
    const field = isEditable(element) ? editorOf(element) : element;
    if (edited !== field) leave();
    edited = field;
  } else {
    change(element, event);
  }
}

/** The outermost element that is edited as one. */
function editorOf(element: Element): Element {
  let editor = element;
  while (editor.parentElement !== null && isEditable(editor.parentElement)) editor = editor.parentElement;
  return editor;
}

/** The field is left: by focus, by sending the form, by leaving the page. */
function leave(at?: Event): void {
  const element = edited;
  edited = null;
  if (element !== null && !isSecret(element)) change(element, at);
}

function change(element: Element, at?: Event): void {
  if (policy === null) return;
  const value = valueOf(element);
  if (hasCard(value)) return;
  const counts = isField(element) ? counted([...value].length) : {};
  const said = describe(element, policy);
  record("change", { element: said, ...counts, ...wanted("change", element, said.id, value) }, at);
}

function valueOf(element: Element): string {
  if (isEditable(element)) return element.textContent ?? "";
  return element instanceof HTMLInputElement && element.type === "file" ? "" : ((element as HTMLInputElement).value ?? "");
}

function counted(length: number): { length?: number } {
  if (policy === null || policy.value_length === "off") return {};
  return { length: policy.value_length === "exact" ? length : (BUCKETS.findLast((bound) => bound <= length) ?? 0) };
}

/** The value, where a rule asks for it; of an editable area never, unless the rule names it. */
function wanted(kind: Kind, element: Element, id: string | undefined, value: string): { value?: string } {
  if (policy === null || value === "" || hasCard(value)) return {};
  const host = /^[^:]+:\/\/([^/:]+)/.exec(asked.url)?.[1]?.toLowerCase() ?? "";
  const isNamed = policy.values.some((values) =>
    values.kinds.includes(kind)
    && (values.hosts === null || values.hosts.includes(host))
    && (values.element_ids === null ? !isEditable(element) : values.element_ids.includes((id ?? "").toLowerCase())));
  return isNamed ? { value: value.slice(0, VALUE_MAX) } : {};
}

function onClipboard(event: ClipboardEvent): void {
  const kind = event.type as "copy" | "cut" | "paste";
  const element = focusedOr(targetOf(event));
  if (policy === null || !policy.clipboard || element === null || isSecret(element)) return;
  if (kind === "paste" && isMiddle && !isField(element)) return;
  watch(element);
  const text = kind === "paste" ? (event.clipboardData?.getData("text/plain") ?? "") : selected(element);
  if (hasCard(text)) return;
  const said = describe(element, policy);
  record(kind, { element: said, ...counted([...text].length), ...wanted(kind, element, said.id, text) }, event);
}

/** Events about a selection are told to where it begins; a field that has the focus is what is meant. */
function focusedOr(target: Element | null): Element | null {
  const field = focused();
  return field !== null && isField(field) ? field : target;
}

function selected(element: Element): string {
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
    return element.value.slice(element.selectionStart ?? 0, element.selectionEnd ?? 0);
  }
  return document.getSelection()?.toString() ?? "";
}

function onSubmit(event: Event): void {
  const form = targetOf(event);
  if (policy === null || form === null) return;
  leave();
  record("submit", { element: describe(form, policy) }, event);
}

function onSelection(): void {
  clearTimeout(selectionTimer);
  selectionTimer = setTimeout(() => {
    const selection = document.getSelection();
    const element = focusedOr(beginOf(selection));
    if (policy === null || element === null || isSecret(element)) return;
    const text = selected(element);
    if (text === "" || hasCard(text)) return;
    const said = describe(meant(element), policy);
    record("select", { element: said, ...counted([...text].length), ...wanted("select", element, said.id, text) });
  }, SELECTION_MS);
}

/** The element in which a selection begins. Of a whole paragraph Firefox gives the element and a place in it, others the text. */
function beginOf(selection: Selection | null): Element | null {
  const at = selection?.anchorNode ?? null;
  const begin = at?.childNodes[selection?.anchorOffset ?? 0] ?? at;
  return begin instanceof Element ? begin : (begin?.parentElement ?? null);
}

/** Roots in which somebody did something: some events do not come out of them. */
const watched = new WeakSet<ShadowRoot>();

function watch(element: Element): void {
  const root = element.getRootNode();
  const inner = shadowOf(element);
  for (const each of [root, inner]) {
    if (!(each instanceof ShadowRoot) || watched.has(each) || stopListening === null) continue;
    watched.add(each);
    each.addEventListener("submit", trusted(onSubmit), { capture: true, passive: true, signal: stopListening.signal });
  }
}

/** Only what a person did, and nothing that goes wrong here reaches the page. */
function trusted<Given extends Event>(handle: (event: Given) => void): (event: Event) => void {
  return (event) => {
    if (!event.isTrusted || !isAdmitted()) return;
    if (chrome.runtime?.id === undefined) return end();
    handle(event as Given);
  };
}

function listen(): void {
  if (stopListening !== null) return;
  stopListening = new AbortController();
  const options = { capture: true, passive: true, signal: stopListening.signal };
  const on = <Given extends Event>(type: string, handle: (event: Given) => void) =>
    window.addEventListener(type, trusted(handle), options);
  on("click", onPointer);
  on("auxclick", onOtherButton);
  on("contextmenu", onPointer);
  on("input", onInput);
  on("focusin", (event) => {
    const target = targetOf(event);
    if (target !== null && !isSecret(target)) watch(target);
  });
  on("focusout", leave);
  on("copy", onClipboard);
  on("cut", onClipboard);
  on("paste", onClipboard);
  on("submit", onSubmit);
  on("beforeprint", (event) => record("print", {}, event));
  document.addEventListener("selectionchange", trusted(onSelection), options);
  window.addEventListener("pagehide", () => {
    tellDeferred();
    leave();
  }, options);
}

function unlisten(): void {
  stopListening?.abort();
  stopListening = null;
  deferred = null;
  edited = null;
  clearTimeout(selectionTimer);
  clearTimeout(loadTimer);
}

// — what the worker says —

function obey(next: Policy | null, hosts: string[] | null): void {
  policy = next;
  gate = next === null ? null : gateOf(next, hosts);
  asked = { url: "", title: "", isAdmitted: false };
  look();
}

/** Looks at the address again: a page that is not allowed any more is left alone at once, one that is now is listened to. */
function look(): void {
  if (!isAdmitted()) {
    loaded = "";
    return unlisten();
  }
  listen();
  if (loaded === asked.url) return;
  clearTimeout(loadTimer);
  loadTimer = setTimeout(settled, SETTLE_MS);
}

/** The page has its title: it counts as loaded. */
function settled(): void {
  if (document.readyState === "loading") {
    loadTimer = setTimeout(settled, SETTLE_MS);
    return;
  }
  if (!isAdmitted()) return unlisten();
  if (loaded === asked.url) return;
  loaded = asked.url;
  if (hasFreshTab) record("tab_activated", { attributes: { opened: "true" } });
  hasFreshTab = false;
  record("load");
}

function hear(message: ToPage): void {
  switch (message.type) {
    case "ack":
      ring.acknowledge(message.seqs);
      return tellLost();
    case "policy":
      clearTimeout(graceTimer);
      obey(message.policy, message.hosts);
      if (message.forget) lost += ring.empty();
      return tellLost();
    case "look":
      hasFreshTab ||= message.opened;
      look();
      if (message.activated && loaded !== "") record("tab_activated");
  }
}

function connect(): void {
  if (chrome.runtime?.id === undefined) return end();
  const opened = chrome.runtime.connect({ name: `page ${name}` });
  port = opened;
  opened.onMessage.addListener((message: ToPage) => {
    retryMs = RETRY_MS[0];
    hear(message);
  });
  opened.onDisconnect.addListener(() => {
    if (port !== opened) return;
    port = null;
    clearTimeout(graceTimer);
    graceTimer = setTimeout(giveUp, GRACE_MS);
    setTimeout(() => port ?? connect(), retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS[1]);
  });
  for (const event of ring.events()) tell({ type: "event", event });
}

/** Nobody speaks to this page any more: it stops, and what it holds is lost. */
function giveUp(): void {
  obey(null, null);
  lost += ring.empty();
}

/** The extension was reloaded or taken away: this script is an orphan, and its place is another's. */
function end(): void {
  obey(null, null);
  port = null;
}

// A page that comes back from the browser's memory is loaded again, without a new script.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  // Firefox leaves it its port; what was said there in the meantime was not heard.
  port?.disconnect();
  loaded = "";
  connect();
});
connect();
