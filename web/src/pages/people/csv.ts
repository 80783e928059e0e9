// The two small CSV texts of invitations: how many people a pasted list names, and the links as a file for spreadsheets.

/** Cells that a spreadsheet would take for a formula get an apostrophe in front. */
const FORMULA = /^[=+\-@\t\0]/;

/** People named in a list of lines; a head "name,…" and empty lines do not count. */
export function countPeople(csv: string): number {
  const lines = csv.split('\n').map((line) => line.trim()).filter(Boolean);
  return lines.length - (/^name\s*(,|$)/i.test(lines[0] ?? '') ? 1 : 0);
}

export function linksAsCsv(people: { name: string; email: string | null; team: string | null; link: string }[]): string {
  const rows = people.map((one) => [one.name, one.email ?? '', one.team ?? '', one.link].map(cell).join(','));
  return `${['name,email,team,link', ...rows].join('\r\n')}\r\n`;
}

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
