// Whether a page may be looked at: the gate of the client, once more in the page, before anything leaves it.
//
// Every doubt is a no: an address that is none, a pattern that this browser cannot read. The client asks again with its own code,
// so what is written differently there can only take away.

import type { Policy } from "./messages";

export type Verdict = "admitted" | "site" | "narrowed" | "never" | "unreadable_rule";

/** Tells of an address and a title whether they may be seen. */
export type Gate = (url: string, title: string) => Verdict;

/** Compiles the gate of a policy; `hosts`, if there are any, only narrow it. */
export function gateOf(policy: Policy, hosts: string[] | null): Gate {
  const sites = policy.sites === "all"
    ? null
    : policy.sites.map((site) => ({ host: site.host, path: site.path === "/**" ? null : glob(site.path, true, true) }));
  const nevers = policy.never.map((never) => ({
    column: never.column,
    pattern: never.glob === undefined ? regex(never.regex ?? "") : glob(never.glob, false, false),
  }));
  return (url, title) => {
    const address = addressOf(url);
    if (address === null) return "site";
    const path = address.path === "" ? "/" : address.path;
    const isAllowed = sites === null
      || sites.some((site) => hostFits(site.host, address.host) && (site.path === null || site.path.test(path)));
    if (!isAllowed) return "site";
    if (hosts !== null && !hosts.some((host) => hostFits(host, address.host))) return "narrowed";
    const columns: Record<string, string> = { url, url_host: address.host, page_title: title, window_title: title };
    for (const { column, pattern } of nevers) {
      if (pattern === null) return "unreadable_rule";
      if (pattern.test(columns[column] ?? "")) return "never";
    }
    return "admitted";
  };
}

/** Host and path of a page of the web, taken apart as the client does it; null for every other address. */
export function addressOf(url: string): { host: string; path: string } | null {
  const match = /^https?:\/\/([^/\\?#]*)([^?#]*)/i.exec(url);
  if (match === null) return null;
  const authority = (match[1] ?? "").replace(/^.*@/, "").toLowerCase();
  return { host: authority.replace(/:\d+$/, ""), path: match[2] ?? "" };
}

function hostFits(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*")) return host === pattern;
  const end = pattern.slice(1);
  return host.length > end.length && host.endsWith(end);
}

/** A glob that the whole value fits. Within `parts`, a single star stays inside one part of a path. */
export function glob(text: string, parts: boolean, exactCase: boolean): RegExp {
  const [one, some] = parts ? ["[^/\\\\]", "[^/\\\\]*"] : [".", ".*"];
  const source = text.replace(/\*\*+|\*|\?|[^*?]+/g, (piece) => {
    if (piece.startsWith("**")) return ".*";
    if (piece === "*") return some;
    return piece === "?" ? one : piece.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, exactCase ? "su" : "isu");
}

/** Classes that mean more letters to the client than to a browser. */
const WIDER: Record<string, string> = { "\\d": "\\p{Nd}", "\\w": "[\\p{L}\\p{M}\\p{Nd}\\p{Pc}\\p{Nl}]" };

/** A regular expression of the client's kind; null if this browser has no such thing. */
export function regex(text: string): RegExp | null {
  const [, flags, source] = /^(?:\(\?([ims]+)\))?([\s\S]*)$/.exec(text) ?? [];
  if (source === undefined || /\(\?[a-zA-Z-]*[a-zA-Z][):-]|\\[AzxQE]|\\p[A-Z]|\[[^\]]*\\[dw]|\[\[:|&&/.test(source)) return null;
  const wide = source.replace(/\\[\s\S]/g, (escape) => WIDER[escape] ?? escape).replace(/\(\?P</g, "(?<");
  try {
    return new RegExp(wide, `${flags ?? ""}u`);
  } catch {
    return null;
  }
}
