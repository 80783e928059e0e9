// Reads the column names from the first line of a CSV text. It reads nothing else; the service does the real work.

/** The separators in use, most common first. */
const SEPARATORS = [',', ';', '\t'];

export function readHeader(text: string): string[] {
  const line = text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '';
  // A separator inside quotes separates nothing.
  const bare = line.replace(/"(?:[^"]|"")*"/g, '');
  const separator = SEPARATORS.reduce((best, one) => (bare.split(one).length > bare.split(best).length ? one : best));
  const names = line.match(new RegExp(`"(?:[^"]|"")*"|[^${separator}]+`, 'g')) ?? [];
  return names.map((name) => name.replace(/^"|"$/g, '').replaceAll('""', '"').trim()).filter(Boolean);
}
