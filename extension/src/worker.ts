// The service worker: between pages and the client. It keeps no rule and no memory of its own that a page could not give again.
//
// The browser ends it whenever it likes; then pages call it anew, send again what was not acknowledged, and the client knows what it
// has already. Only events whose page is gone are kept here, in `storage.session`, until the client has them; they are of allowed
// pages, like everything that pages tell.

import type { FromClient, FromPage, PageEvent, Policy, Settings, Standing, ToPage } from "./messages";
import { GRACE_MS, HOST, POPUP, PROTOCOL } from "./messages";
import { redacted } from "./redact";
import { randomName } from "./ring";
import { type Gate, gateOf } from "./rules";

/** Waits before the client is called again: the first, and the longest. */
const RETRY_MS = [500, 60_000] as const;

/** How long a new extension waits for an administrator's settings: browsers give them seconds after it was installed (4.4 s were seen). */
const SETTLE_MS = 10_000;

/** Events of pages that are gone at most; of more, the oldest are lost and counted. */
const KEPT_MAX = 8_192;

/** Settings that hold. `isNew`: there may be an administrator's that have not come yet. */
interface Held extends Settings {
  isNew: boolean;
}

interface Page {
  port: chrome.runtime.Port;
  document: string;
  tab: number;
  frame: number;
}

const pages = new Set<Page>();
/** Popups that are open. */
const popups = new Set<chrome.runtime.Port>();
/** What the client has not acknowledged, by document and number. */
const unacknowledged = new Map<string, Map<number, PageEvent>>();
/** Address and title of allowed pages, for when their tab is closed. */
const allowed = new Map<number, { url: string; title: string }>();
/** Tabs that were opened a moment ago. */
const fresh = new Set<number>();
const own = randomName();
let ownSeq = 0;
let native: chrome.runtime.Port | null = null;
/** Whether the client has spoken over it. Before, nothing is sent, so that what waits goes first, in its order. */
let hasSpoken = false;
let state: Extract<FromClient, { type: "state" }> | null = null;
let whyNoClient = "starting";
let retryMs: number = RETRY_MS[0];
let retryTimer = 0;
let graceTimer = 0;
/** Nothing is recorded until they are read. */
let settings: Held | null = null;
let gate: Gate | null = null;
let front = "";

// — the client —

function connectNative(): void {
  clearTimeout(retryTimer);
  if (native !== null) return;
  const opened = chrome.runtime.connectNative(HOST);
  native = opened;
  opened.onMessage.addListener((message: FromClient) => hear(message));
  opened.onDisconnect.addListener(() => {
    // Firefox says it at the port.
    const said = (opened.error ?? chrome.runtime.lastError)?.message ?? "";
    whyNoClient = /not found|forbidden|no such native/i.test(said) ? "no_host" : "no_client";
    native = null;
    hasSpoken = false;
    void tellPopups();
    graceTimer ||= setTimeout(giveUp, GRACE_MS);
    retryTimer = setTimeout(connectNative, retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS[1]);
  });
  opened.postMessage({ type: "hello", proto: PROTOCOL, browser: browserName(), version: chrome.runtime.getManifest().version });
}

function browserName(): string {
  const brands = (navigator as unknown as { userAgentData?: { brands: { brand: string }[] } }).userAgentData?.brands ?? [];
  const known = { "Microsoft Edge": "edge", "Google Chrome": "chrome" } as Record<string, string>;
  if (navigator.userAgent.includes("Firefox/")) return "firefox";
  return brands.map((each) => known[each.brand]).find((name) => name !== undefined) ?? "chromium";
}

function hear(message: FromClient): void {
  if (message.type === "ack") return acknowledge(message.acks);
  const isFirst = !hasSpoken;
  hasSpoken = true;
  clearTimeout(graceTimer);
  graceTimer = 0;
  retryMs = RETRY_MS[0];
  state = message;
  front = "";
  obey();
  if (!isFirst) return;
  for (const events of unacknowledged.values()) {
    for (const event of events.values()) send(event);
  }
}

/** The client is away for too long: pages stop, and what they hold is lost. */
function giveUp(): void {
  graceTimer = 0;
  state = null;
  obey(true);
  let count = 0;
  for (const [document, events] of unacknowledged) {
    // What living pages hold, they count themselves.
    if (![...pages].some((page) => page.document === document)) count += events.size;
  }
  unacknowledged.clear();
  keepLost(count);
}

function acknowledge(acks: [string, number][]): void {
  const byDocument = new Map<string, number[]>();
  for (const [document, seq] of acks) {
    const events = unacknowledged.get(document);
    events?.delete(seq);
    if (events?.size === 0) unacknowledged.delete(document);
    byDocument.set(document, [...(byDocument.get(document) ?? []), seq]);
  }
  for (const page of pages) {
    const seqs = byDocument.get(page.document);
    if (seqs !== undefined) say(page, { type: "ack", seqs });
  }
  persist();
}

function send(event: PageEvent): void {
  if (!hasSpoken) return;
  try {
    native?.postMessage({ type: "event", ...event });
  } catch {
    // It closed a moment ago; everything is sent again through the next one.
  }
}

/** Holds an event until it is acknowledged, and sends it. */
function take(event: PageEvent): void {
  const events = unacknowledged.get(event.document) ?? new Map<number, PageEvent>();
  unacknowledged.set(event.document, events);
  events.set(event.seq, event);
  send(event);
}

/** An event of the worker itself: of a tab that is gone, a download, what was lost. */
function takeOwn(event: Omit<PageEvent, "document" | "seq" | "time_ms">): void {
  ownSeq += 1;
  take({ document: own, seq: ownSeq, time_ms: Date.now(), ...event });
  persist();
}

function keepLost(count: number): void {
  if (count > 0) takeOwn({ kind: "lost", url: "", title: "", lost: count });
}

/** Keeps what only the worker has. */
function persist(): void {
  const living = new Set([...pages].map((page) => page.document));
  const kept = [...unacknowledged].filter(([document]) => !living.has(document)).flatMap(([, events]) => [...events.values()]);
  if (kept.length > KEPT_MAX) {
    // One more than too many: the event that tells of it needs room too, and comes back here.
    const over = kept.slice(0, kept.length - KEPT_MAX + 1);
    for (const event of over) unacknowledged.get(event.document)?.delete(event.seq);
    return keepLost(over.length);
  }
  const isKept = kept.length > 0;
  if (isKept || hasPersisted) void chrome.storage.session.set({ kept });
  hasPersisted = isKept;
}
let hasPersisted = false;

// — pages —

function isOff(): boolean {
  return settings === null || settings.disabled || settings.isNew;
}

/** The hosts that a person, or an administrator, has named; null: those of the project. */
function hosts(): string[] | null {
  return settings?.allowedHosts ?? null;
}

function policyFor(page: Page): Policy | null {
  if (state?.policy == null || isOff()) return null;
  // A frame inside a page that is not allowed is left alone too.
  return page.frame === 0 || allowed.has(page.tab) ? state.policy : null;
}

function say(page: Page, message: ToPage): void {
  try {
    page.port.postMessage(message);
  } catch {
    pages.delete(page);
  }
}

function tellPolicy(page: Page, forget = false): void {
  say(page, { type: "policy", policy: policyFor(page), hosts: hosts(), forget });
}

/** Tells pages what holds now. */
function obey(forget = false): void {
  const policy = isOff() ? null : (state?.policy ?? null);
  gate = policy === null ? null : gateOf(policy, hosts());
  void lookAtTabs().then(() => {
    for (const page of pages) tellPolicy(page, forget);
    frontChanged();
  });
}

async function lookAtTabs(): Promise<void> {
  allowed.clear();
  for (const tab of await chrome.tabs.query({})) lookAt(tab);
}

function lookAt(tab: chrome.tabs.Tab): void {
  if (tab.id === undefined) return;
  const was = allowed.has(tab.id);
  const { url = "", title = "" } = tab;
  const is = gate !== null && gate(url, title) === "admitted";
  if (is) allowed.set(tab.id, { url, title: redacted(title) });
  else allowed.delete(tab.id);
  void chrome.action.setBadgeText({ tabId: tab.id, text: is ? "●" : "" }).catch(() => undefined);
  if (was === is) return;
  for (const page of pages) if (page.tab === tab.id && page.frame !== 0) tellPolicy(page);
}

/** Another page is in front, or the same stands differently. */
function frontChanged(): void {
  void tellFront();
  void tellPopups();
}

/** Tells the client which page is in front, if it may know. */
async function tellFront(): Promise<void> {
  const window = await chrome.windows.getLastFocused({ windowTypes: ["normal"] }).catch(() => ({ id: undefined }));
  const [tab] = window.id === undefined ? [] : await chrome.tabs.query({ active: true, windowId: window.id });
  const known = tab?.id === undefined ? undefined : allowed.get(tab.id);
  const said = { type: "tab", url: known?.url ?? null, title: known === undefined ? null : (tab?.title ?? null) };
  if (JSON.stringify(said) === front || native === null) return;
  front = JSON.stringify(said);
  native.postMessage(said);
}

chrome.runtime.onConnect.addListener((port) => {
  if (port.name === POPUP) return follow(port);
  const document = /^page ([0-9a-f]{32})$/.exec(port.name)?.[1];
  const tab = port.sender?.tab;
  if (document === undefined || tab?.id === undefined) return port.disconnect();
  connectNative();
  const page: Page = { port, document, tab: tab.id, frame: port.sender?.frameId ?? -1 };
  pages.add(page);
  port.onMessage.addListener((message: FromPage) => {
    if (message.type === "lost") return keepLost(message.count);
    take({ ...message.event, tab: page.tab, frame: page.frame });
  });
  port.onDisconnect.addListener(() => {
    pages.delete(page);
    if (unacknowledged.has(document)) persist();
  });
  void ready.then(() => {
    lookAt(tab);
    // Before the first word of the client there is nothing to say, not even no.
    if (state !== null) tellPolicy(page);
    // In Firefox a new tab is empty at first, and our script is in there too.
    const isPage = page.frame === 0 && /^https?:/.test(tab.url ?? "");
    if (isPage && fresh.delete(page.tab)) say(page, { type: "look", activated: false, opened: true });
  });
});

function lookFrom(tab: number, frame: number, activated: boolean): void {
  for (const page of pages) {
    if (page.tab === tab && page.frame === frame) say(page, { type: "look", activated, opened: false });
  }
}

chrome.tabs.onUpdated.addListener((_tab, change, tab) => {
  if (change.url === undefined && change.title === undefined && change.status === undefined) return;
  lookAt(tab);
  frontChanged();
});
chrome.tabs.onActivated.addListener(({ tabId }) => {
  lookFrom(tabId, 0, true);
  frontChanged();
});
chrome.tabs.onCreated.addListener((tab) => {
  if (tab.id !== undefined) fresh.add(tab.id);
});
chrome.tabs.onRemoved.addListener((tab) => {
  fresh.delete(tab);
  const known = allowed.get(tab);
  allowed.delete(tab);
  if (known !== undefined) takeOwn({ kind: "tab_closed", ...known, tab });
});
chrome.windows.onFocusChanged.addListener(frontChanged);
const navigated = ({ tabId, frameId }: chrome.webNavigation.Navigated): void => lookFrom(tabId, frameId, false);
chrome.webNavigation.onHistoryStateUpdated.addListener(navigated);
chrome.webNavigation.onReferenceFragmentUpdated.addListener(navigated);

chrome.downloads.onCreated.addListener((item) => {
  const from = [item.referrer, item.url].find((url) => url !== undefined && gate?.(url, "") === "admitted");
  const isNow = Date.now() - Date.parse(item.startTime) < GRACE_MS;
  if (from === undefined || item.incognito || !isNow) return;
  const tab = [...allowed].find(([, page]) => page.url === from);
  takeOwn({ kind: "download", url: from, title: tab?.[1].title ?? "", ...(tab === undefined ? {} : { tab: tab[0] }) });
});

/** Tabs that were open before the extension came have no script yet. Firefox gives them one by itself, and two would tell everything twice. */
chrome.runtime.onInstalled.addListener(async () => {
  if (browserName() === "firefox") return;
  for (const tab of await chrome.tabs.query({ url: ["http://*/*", "https://*/*"] })) {
    if (tab.id === undefined) continue;
    await chrome.scripting.executeScript({ target: { tabId: tab.id, allFrames: true }, files: ["content.js"] }).catch(() => undefined);
  }
});
// A new version waits until nothing is under way.
chrome.runtime.onUpdateAvailable.addListener(() => {
  const reload = (): void => void (unacknowledged.size === 0 ? chrome.runtime.reload() : setTimeout(reload, GRACE_MS));
  reload();
});
chrome.runtime.onStartup.addListener(connectNative);
void chrome.alarms.create("call the client", { periodInMinutes: 0.5 });
chrome.alarms.onAlarm.addListener(connectNative);
void chrome.action.setBadgeBackgroundColor({ color: "#b3261e" });

// — settings, popup —

async function readSettings(): Promise<Held> {
  type Given = { disabled: boolean | null; allowedHosts: string[] | null };
  const none: Given = { disabled: null, allowedHosts: null };
  // Where an administrator has set nothing, Firefox refuses, and that is its last word; others give them later than they are asked.
  const given: Given | null = await chrome.storage.managed.get({ ...none }).catch((): Given | null => null);
  const managed = given !== null && (given.disabled !== null || given.allowedHosts !== null);
  const own: Given & { isSettled: boolean } = await chrome.storage.local.get({ ...none, isSettled: false });
  const { disabled, allowedHosts } = managed ? given : own;
  settings = { disabled: disabled === true, allowedHosts, managed, isNew: given !== null && !managed && !own.isSettled };
  return settings;
}

chrome.storage.onChanged.addListener((_changes, area) => {
  if (area !== "session") void readSettings().then(() => obey());
});

function sentence(tab: chrome.tabs.Tab | undefined): string {
  if (settings === null) return "starting";
  if (settings.isNew) return "just_installed";
  if (settings.disabled) return settings.managed ? "disabled_managed" : "disabled_here";
  if (state === null) return whyNoClient;
  if (state.policy === null) return `why_${state.why ?? "stopped"}`;
  const url = tab?.url ?? "";
  if (!/^https?:/.test(url)) return "no_page";
  return `page_${gate?.(url, tab?.title ?? "") ?? "site"}`;
}

/** Keeps a popup up to date for as long as it is open. What is not known yet it does not wait for. */
function follow(popup: chrome.runtime.Port): void {
  popups.add(popup);
  popup.onDisconnect.addListener(() => popups.delete(popup));
  void tellPopups();
}

async function tellPopups(): Promise<void> {
  if (popups.size === 0) return;
  const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
  for (const popup of popups) popup.postMessage({ sentence: sentence(tab) } satisfies Standing);
}

chrome.runtime.onMessage.addListener((message, _sender, reply) => {
  if (message.ask !== "settings") return false;
  void ready.then(() => reply(settings satisfies Settings | null));
  return true;
});

/** What must be known before anything is recorded. */
const ready: Promise<void> = (async () => {
  const { isNew } = await readSettings();
  void tellPopups();
  if (isNew) setTimeout(() => void chrome.storage.local.set({ isSettled: true }), SETTLE_MS);
  const { kept }: { kept: PageEvent[] } = await chrome.storage.session.get({ kept: [] });
  hasPersisted = kept.length > 0;
  for (const event of kept) take(event);
  connectNative();
  if (state !== null) obey();
})();
