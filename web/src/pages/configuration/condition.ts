// The conditions of rules as trees: which kinds there are, one sentence for each, and the edits of the builder.
import { type Change, insert, markup, remove, rename, setAttribute, unwrap, wrap } from '../../xml/edit';
import { attributeOf, elementsOf, firstElement, type XmlElement } from '../../xml/tree';

export const GROUPS = ['all', 'any', 'not'] as const;
export const COMPARISONS = ['equals', 'contains', 'startsWith', 'glob', 'regex', 'present'] as const;
export type Group = (typeof GROUPS)[number];
export type Comparison = (typeof COMPARISONS)[number];

export const isGroup = (name: string): name is Group => (GROUPS as readonly string[]).includes(name);
export const isComparison = (name: string): name is Comparison => (COMPARISONS as readonly string[]).includes(name);

/** A new comparison before anything was chosen: true for one program, so that the text stays valid. */
const FIRST = markup('equals', { column: 'process_name', value: 'excel.exe' });

/** The condition of a rule; null where it always matches. */
export const conditionOf = (rule: XmlElement): XmlElement | null => elementsOf(firstElement(rule, 'when'))[0] ?? null;

/** What a comparison looks for, one value per line of its field. */
export function valuesOf(comparison: XmlElement): string[] {
  return attributeOf(comparison, 'values')?.split('|') ?? [attributeOf(comparison, 'value') ?? ''];
}

/** One value is written as `value`, several as `values`; a value that contains `|` can only stand alone. */
export function setValues(text: string, comparison: XmlElement, values: string[]): Change[] {
  const several = values.length > 1;
  const [now, gone] = several ? ['values', 'value'] : ['value', 'values'];
  const said = several ? values.join('|') : (values[0] ?? '');
  const old = comparison.attributes.find((one) => one.name === gone);
  if (!old) return setAttribute(text, comparison, now!, said);
  if (comparison.attributes.some((one) => one.name === now)) return [...setAttribute(text, comparison, now!, said), ...setAttribute(text, comparison, gone!, null)];
  // The other attribute becomes this one in its place.
  return [{ from: old.from, to: old.from + old.name.length, insert: now! }, ...setAttribute(text, comparison, gone!, said)];
}

/** Adds a condition to a rule: the first one as it is, a second one beside it in an <all>. */
export function addCondition(text: string, rule: XmlElement): Change[] {
  const when = firstElement(rule, 'when');
  const present = conditionOf(rule);
  if (!when) return insert(text, rule, `<when>${FIRST}</when>`, elementsOf(rule).find((one) => one.name === 'log' || one.name === 'drop') ?? null);
  if (!present) return insert(text, when, FIRST);
  if (present.name === 'all' || present.name === 'any') return insert(text, present, FIRST);
  return [{ from: present.from, to: present.from, insert: '<all>' }, { from: present.to, to: present.to, insert: `${FIRST}</all>` }];
}

export const addInto = (text: string, group: XmlElement): Change[] => insert(text, group, FIRST);

/** Takes a condition away; a group or a <when> that it leaves empty goes too. */
export function removeCondition(text: string, condition: XmlElement): Change[] {
  const parent = condition.parent;
  if (parent && elementsOf(parent).length === 1 && (isGroup(parent.name) || parent.name === 'when')) return removeCondition(text, parent);
  return remove(text, condition);
}

/** Changes what a condition is. Between groups and comparisons the inside cannot stay, so a comparison goes into the group. */
export function changeKind(text: string, condition: XmlElement, kind: Group | Comparison): Change[] {
  if (condition.name === kind) return [];
  if (isGroup(kind) && isComparison(condition.name)) return wrap(condition, kind);
  if (isComparison(kind) && isGroup(condition.name)) return elementsOf(condition).length === 1 ? unwrap(condition) : [];
  if (kind === 'not' && elementsOf(condition).length > 1) return wrap(condition, kind);
  const renamed = rename(condition, kind);
  if (kind === 'present') return [...renamed, ...['value', 'values', 'case'].flatMap((name) => setAttribute(text, condition, name, null))];
  const bare = condition.name === 'present';
  return bare ? [...renamed, ...setAttribute(text, condition, 'value', '')] : renamed;
}

export interface Words { all: string; any: string; not: string; comparison: Record<Comparison, string>; or: string; unknown: string }

/** One sentence: "process_name is excel.exe and (window_title contains F110 or …)". */
export function describe(condition: XmlElement, words: Words, inside = false): string {
  const { name } = condition;
  if (name === 'not') return `${words.not} (${elementsOf(condition).map((one) => describe(one, words)).join(' ')})`;
  if (isGroup(name)) {
    const said = elementsOf(condition).map((one) => describe(one, words, true)).join(` ${words[name]} `);
    return inside && elementsOf(condition).length > 1 ? `(${said})` : said;
  }
  if (!isComparison(name)) return words.unknown;
  const column = attributeOf(condition, 'column') ?? '';
  const value = name === 'present' ? '' : ` ${valuesOf(condition).join(` ${words.or} `)}`;
  return `${column} ${words.comparison[name]}${value}`;
}
