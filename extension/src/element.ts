// What may be said of an element: what it is, what it is called, where it stands. Never what is in it.

import type { Box, ElementRecord, Policy } from "./messages";
import { redacted } from "./redact";

/** Elements between an element and the top of its path at most. */
const DEPTH_MAX = 24;

/** Sisters that are counted for a place in a path; behind them, a place is not told. */
const SISTERS_MAX = 500;

/** Areas that a picture can have painted over at most. */
const MASKS_MAX = 32;

const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable=false])";
const ACTIONABLE = `a[href], button, summary, option, label, area, ${FIELDS}, [role], td, th, img, video, audio`;

/** Names that fields for secrets go by, besides what their types say. */
const SECRET_NAMES =
  /pass(?:word|wd|code|phrase)|passwor[dt]|kennwort|\bpwd|pwd\b|cvc|cvv|card.?(?:num|no\b)|cc.?num|kartennummer|\botp|one.?time|einmal|security.?code|secret|\bpin\b|\btan\b|\bssn\b/i;

/** Fields that were once seen as secrets stay so: a button that shows the password changes the type. */
const everSecret = new WeakSet<Element>();

/** Whether nothing of a field may be told: passwords, payment, one-time codes. Elements of other frames are asked too, and those
 * are made by other constructors; so tags and attributes are looked at. */
export function isSecret(element: Element): boolean {
  if (everSecret.has(element)) return true;
  if (element.tagName !== "INPUT" && element.tagName !== "TEXTAREA" && !isEditable(element)) return false;
  const tokens = (element.getAttribute("autocomplete") ?? "").toLowerCase().split(/\s+/);
  const named = ["name", "id", "aria-label", "placeholder"].map((name) => element.getAttribute(name) ?? "").join(" ");
  const secret = element.getAttribute("type")?.toLowerCase() === "password"
    || tokens.some((token) => token.startsWith("cc-") || token === "one-time-code" || token.endsWith("-password"))
    || SECRET_NAMES.test(named)
    || !["", "none"].includes(getComputedStyle(element).getPropertyValue("-webkit-text-security"));
  if (secret) everSecret.add(element);
  return secret;
}

/** Whether the element, or a field that it labels, is a secret. */
export function concernsSecret(element: Element): boolean {
  if (isSecret(element)) return true;
  const label = element.closest("label");
  return label?.control != null && isSecret(label.control);
}

export function isEditable(element: Element): boolean {
  return (element as HTMLElement).isContentEditable === true;
}

/** The root inside an element, open or closed. */
export function shadowOf(element: Element): ShadowRoot | null {
  if (element.shadowRoot !== null) return element.shadowRoot;
  if (!(element instanceof HTMLElement) || !mayHost(element)) return null;
  // Firefox gives it at the element itself.
  return "openOrClosedShadowRoot" in element
    ? (element.openOrClosedShadowRoot as ShadowRoot | null)
    : chrome.dom.openOrClosedShadowRoot(element);
}

/** Only these and elements of one's own can have a root, by the standard of the DOM. */
const HOSTS = new Set(
  "ARTICLE ASIDE BLOCKQUOTE BODY DIV FOOTER H1 H2 H3 H4 H5 H6 HEADER MAIN NAV P SECTION SPAN".split(" "),
);

function mayHost(element: Element): boolean {
  return HOSTS.has(element.tagName) || element.tagName.includes("-");
}

/** What an event is about, inside of all roots. */
export function targetOf(event: Event): Element | null {
  let target = event.composedPath()[0];
  if (target instanceof Text) target = target.parentElement ?? undefined;
  if (!(target instanceof Element)) return null;
  let element: Element = target;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const root = shadowOf(element);
    if (root === null) break;
    const isAtPoint = event instanceof MouseEvent && event.detail + event.button > 0;
    const inner: Element | null = isAtPoint ? root.elementFromPoint(event.clientX, event.clientY) : root.activeElement;
    if (inner === null || inner === element) break;
    element = inner;
  }
  return element;
}

/** The element with the focus, inside of all roots. */
export function focused(): Element | null {
  let element = document.activeElement;
  for (let depth = 0; element !== null && depth < DEPTH_MAX; depth++) {
    const inner: Element | null = shadowOf(element)?.activeElement ?? null;
    if (inner === null) break;
    element = inner;
  }
  return element;
}

/** The element that a person means who points at this one: the button around an icon. */
export function meant(element: Element): Element {
  let at: Element | null = element;
  for (let depth = 0; at !== null && depth < DEPTH_MAX; depth++) {
    if (at.matches(ACTIONABLE)) return at;
    at = at.parentElement ?? hostOf(at);
  }
  return element;
}

function hostOf(element: Element): Element | null {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

const ROLES: Record<string, string> = {
  A: "link", AREA: "link", BUTTON: "button", TEXTAREA: "textbox", OPTION: "option", IMG: "img", SUMMARY: "button", TABLE: "table",
  TD: "cell", TH: "columnheader", TR: "row", LI: "listitem", UL: "list", OL: "list", NAV: "navigation", MAIN: "main", FORM: "form",
  DIALOG: "dialog", LABEL: "label", H1: "heading", H2: "heading", H3: "heading", H4: "heading", H5: "heading", H6: "heading",
  P: "paragraph", ARTICLE: "article", HTML: "document", BODY: "document", VIDEO: "video", AUDIO: "audio", IFRAME: "document",
};

const INPUT_ROLES: Record<string, string> = {
  button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox", radio: "radio", range: "slider",
  number: "spinbutton", search: "searchbox", file: "button", color: "button",
};

/** What it is, in ARIA's words. */
export function roleOf(element: Element): string {
  const given = element.getAttribute("role")?.trim().split(/\s+/)[0];
  if (given) return given.toLowerCase();
  if (element instanceof HTMLInputElement) return INPUT_ROLES[element.type] ?? "textbox";
  if (element instanceof HTMLSelectElement) return element.multiple || element.size > 1 ? "listbox" : "combobox";
  if (isEditable(element)) return "textbox";
  return ROLES[element.tagName] ?? "generic";
}

/** Roles whose own text is their name, not their content. */
const NAMED_BY_TEXT = new Set(
  "button link tab menuitem menuitemcheckbox menuitemradio checkbox radio switch heading label columnheader rowheader".split(" "),
);

/** What it is called: by its author, never by what somebody wrote into it. */
export function nameOf(element: Element, max: number): string | undefined {
  return short(labelled(element) ?? ownText(element), max);
}

function labelled(element: Element): string | undefined {
  const said = element.getAttribute("aria-label")?.trim();
  if (said) return said;
  const root = element.getRootNode();
  if (root instanceof Document || root instanceof ShadowRoot) {
    const ids = element.getAttribute("aria-labelledby")?.trim().split(/\s+/) ?? [];
    const text = ids.map((id) => root.getElementById(id)).map((label) => (label ? visibleText(label) : "")).join(" ").trim();
    if (text) return text;
  }
  if ("labels" in element) {
    const labels = [...((element as HTMLInputElement).labels ?? [])].map(visibleText).join(" ").trim();
    if (labels) return labels;
  }
  if (element instanceof HTMLInputElement && ["submit", "reset", "button"].includes(element.type)) return element.value;
  const attribute = ["alt", "title", "placeholder"].map((name) => element.getAttribute(name)?.trim()).find(Boolean);
  return attribute ?? element.querySelector?.("img[alt]")?.getAttribute("alt") ?? undefined;
}

function ownText(element: Element): string | undefined {
  return NAMED_BY_TEXT.has(roleOf(element)) ? visibleText(element) : undefined;
}

/** The text of an element, without what was written into fields inside of it. */
function visibleText(element: Element): string {
  if (element.querySelector(FIELDS) === null && !isEditable(element)) return element.textContent ?? "";
  const parts: string[] = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
    node instanceof Element && node.matches(FIELDS) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node instanceof Text) parts.push(node.data);
  }
  return parts.join(" ");
}

/** Folded, redacted, and left out rather than cut where it is too long. */
function short(text: string | undefined, max: number): string | undefined {
  const folded = text?.replace(/\s+/g, " ").trim();
  return folded && folded.length <= max ? redacted(folded) : undefined;
}

/** Ids that a program made up, which are others after the next start. */
const GENERATED = /\d{3,}|[0-9a-f]{8,}|^[:«]|^(?:ember|react|mui|radix|headlessui|ext-gen|yui|gwt|__)/i;

function stableId(element: Element, testIds: string[]): string | undefined {
  const test = testIds.map((name) => element.getAttribute(name)).find(Boolean);
  return test ?? (element.id !== "" && !GENERATED.test(element.id) ? element.id : undefined);
}

/** Tags and ids from the page to the element; `>>>` goes into a root. */
export function pathOf(element: Element, testIds: string[]): string {
  const parts: string[] = [];
  let at: Element | null = element;
  for (let depth = 0; at !== null && depth < DEPTH_MAX; depth++) {
    const tag = at.tagName.toLowerCase();
    const id = stableId(at, testIds);
    parts.unshift(id === undefined ? tag + placeOf(at) : `${tag}#${id}`);
    const parent: Element | null = at.parentElement;
    const host: Element | null = parent === null ? hostOf(at) : null;
    if (host !== null) parts.unshift(">>>");
    else if (id !== undefined && at.getRootNode() instanceof Document) break;
    at = parent ?? host;
  }
  return parts.join(" > ").replaceAll(" > >>> > ", " >>> ");
}

/** Which of its sisters of the same tag an element is; nothing if it has none, or too many. */
function placeOf(element: Element): string {
  let [place, count] = [1, 0];
  let sister = element.previousElementSibling;
  for (; sister !== null && count < SISTERS_MAX; sister = sister.previousElementSibling, count++) {
    if (sister.tagName === element.tagName) place += 1;
  }
  if (sister !== null) return "";
  if (place > 1) return `:nth-of-type(${place})`;
  let next = element.nextElementSibling;
  for (count = 0; next !== null && count < SISTERS_MAX; next = next.nextElementSibling, count++) {
    if (next.tagName === element.tagName) return ":nth-of-type(1)";
  }
  return "";
}

/** What stands at the head of the row and of the column. */
function headers(element: Element, max: number): { row?: string; column?: string } {
  const cell = element.closest("td, th, [role=gridcell], [role=cell]");
  const found: { row?: string; column?: string } = {};
  if (cell === null) return found;
  const row = cell.closest("tr, [role=row]");
  const rowHeader = row?.querySelector("th[scope=row], [role=rowheader]") ?? row?.querySelector("th");
  const table = cell.closest("table");
  const place = cell instanceof HTMLTableCellElement ? cell.cellIndex : Number(cell.getAttribute("aria-colindex")) - 1;
  const top = table?.tHead?.rows[0] ?? table?.rows[0];
  const columnHeader = top?.cells[place] ?? cell.closest("[role=grid], [role=table]")?.querySelectorAll("[role=columnheader]")[place];
  const rowName = rowHeader && rowHeader !== cell ? short(visibleText(rowHeader), max) : undefined;
  const isHeader = columnHeader instanceof Element && (columnHeader.tagName === "TH" || columnHeader.getAttribute("role") === "columnheader");
  const columnName = isHeader && columnHeader !== cell ? short(visibleText(columnHeader), max) : undefined;
  if (rowName !== undefined) found.row = rowName;
  if (columnName !== undefined) found.column = columnName;
  return found;
}

/** Everything that may be said of an element. */
export function describe(element: Element, policy: Policy): ElementRecord {
  const record: ElementRecord = { role: roleOf(element), path: pathOf(element, policy.test_ids) };
  const name = nameOf(element, policy.name_max);
  const id = stableId(element, policy.test_ids);
  const type = element instanceof HTMLInputElement ? `[${element.type}]` : "";
  record.class = element.tagName.toLowerCase() + type;
  if (name !== undefined) record.name = name;
  if (id !== undefined) record.id = id;
  return policy.row_labels ? { ...record, ...headers(element, policy.name_max) } : record;
}

/** Where an element lies, from the pointer, in physical pixels. */
export function boxFrom(element: Element, pointer: MouseEvent): Box {
  return fromPointer(element.getBoundingClientRect(), 0, 0, pointer);
}

function fromPointer(rect: DOMRect, dx: number, dy: number, pointer: MouseEvent): Box {
  const scale = window.devicePixelRatio;
  const left = Math.floor((rect.left + dx - pointer.clientX) * scale);
  const top = Math.floor((rect.top + dy - pointer.clientY) * scale);
  return [left, top, Math.ceil(rect.width * scale), Math.ceil(rect.height * scale)];
}

/**
 * What a picture of the window must not show, from the pointer: secret fields, and frames into which nobody here can look.
 * Null if that cannot be told, or if the focus is on a secret.
 */
export function masks(pointer: MouseEvent, mayShow: (url: string) => boolean): Box[] | null {
  const atFocus = focused();
  if (atFocus !== null && isSecret(atFocus)) return null;
  const found: Box[] = [];
  let [dx, dy] = [0, 0];
  let top: Window = window;
  try {
    while (top !== top.parent) {
      const frame = top.frameElement;
      if (frame === null) return null;
      const rect = frame.getBoundingClientRect();
      [dx, dy] = [dx - rect.left - frame.clientLeft, dy - rect.top - frame.clientTop];
      top = top.parent;
    }
    collect(top.document, dx, dy);
  } catch {
    // A frame of another origin above this one: what else the window shows is not known.
    return null;
  }
  return found.length > MASKS_MAX ? null : found;

  function collect(root: Document | ShadowRoot, dx: number, dy: number): void {
    for (const element of root.querySelectorAll("*")) {
      const isFrame = element.tagName === "IFRAME" || element.tagName === "FRAME" || element.tagName === "EMBED" || element.tagName === "OBJECT";
      if (isFrame) {
        const rect = element.getBoundingClientRect();
        if (rect.width * rect.height === 0) continue;
        const inner = contentOf(element);
        if (inner === null || !mayShow(addressOfFrame(inner))) found.push(fromPointer(rect, dx, dy, pointer));
        else collect(inner, dx + rect.left + element.clientLeft, dy + rect.top + element.clientTop);
      } else if (isSecret(element)) {
        const rect = element.getBoundingClientRect();
        if (rect.width * rect.height > 0) found.push(fromPointer(rect, dx, dy, pointer));
      } else {
        const shadow = shadowOf(element);
        if (shadow !== null) collect(shadow, dx, dy);
      }
    }
  }
}

function contentOf(frame: Element): Document | null {
  try {
    return (frame as HTMLIFrameElement).contentDocument ?? null;
  } catch {
    return null;
  }
}

function addressOfFrame(inner: Document): string {
  return effectiveAddress(inner.defaultView ?? window);
}

/** The address that a page goes by: a frame without one of its own goes by its parent's, if it may look at it. */
export function effectiveAddress(view: Window): string {
  let at = view;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const url = at.location.href;
    if (!url.startsWith("about:") || at === at.parent) return url;
    try {
      void at.parent.location.href;
    } catch {
      return "about:blank";
    }
    at = at.parent;
  }
  return "about:blank";
}
