// Says which browser a session's `User-Agent` is, as a person would: "Chrome 140 on Windows". What it does not know stays as it came.

/** Marks of browsers, the more particular first: most of them also call themselves Chrome and Safari. */
const BROWSERS: [name: string, mark: RegExp][] = [
  ['Edge', /Edg(?:A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:Chrome|HeadlessChrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/(\d+).* Safari\//],
];

/** Marks of systems; Android also says Linux, and an iPhone also says Mac. */
const SYSTEMS: [name: string, mark: RegExp][] = [
  ['Android', /Android/], ['iOS', /iPhone|iPad/], ['Windows', /Windows/], ['macOS', /Macintosh/], ['ChromeOS', /CrOS/], ['Linux', /Linux|X11/],
];

/** Name, version and system, each `null` where the text does not tell; `null` as a whole for what is no browser. */
export function browserOf(userAgent: string): { name: string; version: string; system: string | null } | null {
  for (const [name, mark] of BROWSERS) {
    const version = mark.exec(userAgent)?.[1];
    if (version) return { name, version, system: SYSTEMS.find(([, of]) => of.test(userAgent))?.[0] ?? null };
  }
  return null;
}
