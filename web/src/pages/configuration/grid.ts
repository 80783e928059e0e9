// What a <log> does with each column, read from its words and written back into as few of them as possible.
// It knows columns and groups from the vocabulary; it decides nothing about redaction, which comes later.
import type { Vocabulary } from '../../client';
import { type Change, insert, markup, remove, setAttribute, setWords } from '../../xml/edit';
import { attributeOf, elementsOf, wordsOf, type XmlElement } from '../../xml/tree';

export type Fate = 'sent' | 'hashed' | 'replaced' | 'dropped';
export const FATES: Fate[] = ['sent', 'hashed', 'replaced', 'dropped'];

/** The words of a <log>: columns and groups as they are written. */
export interface LogWords { columns: string[]; omit: string[]; hash: string[]; replace: { columns: string[]; with: string }[] }

const REMOVED = '(removed)';

export function readLog(log: XmlElement): LogWords {
  return {
    columns: wordsOf(log, 'columns'), omit: wordsOf(log, 'omit'), hash: wordsOf(log, 'hash'),
    replace: elementsOf(log, 'replace').map((one) => ({ columns: wordsOf(one, 'columns'), with: attributeOf(one, 'with') ?? REMOVED })),
  };
}

/** Columns and groups, as far as the words of a <log> need them. */
export type Columns = Pick<Vocabulary, 'columns' | 'groups'>;

/** The columns that words stand for. Unknown words stand for nothing; the check tells about them. */
export function expand(words: string[], { columns, groups }: Columns): Set<string> {
  return new Set(words.flatMap((word) => {
    if (word === 'all') return columns.filter((column) => column.in_all).map((column) => column.name);
    return groups.find((group) => group.name === word)?.columns ?? columns.filter((column) => column.name === word).map((column) => column.name);
  }));
}

/** Hashed as soon as it is logged, unless it is named singly. */
const isPseudonym = (name: string, { columns }: Columns): boolean => columns.some((column) => column.name === name && column.hashed_unless_named);

export function fateOf(log: LogWords, columns: Columns, name: string): Fate {
  const named = new Set([...expand(log.columns, columns), ...expand(log.hash, columns), ...log.replace.flatMap((one) => [...expand(one.columns, columns)])]);
  if (!named.has(name) || expand(log.omit, columns).has(name)) return 'dropped';
  if (log.replace.some((one) => expand(one.columns, columns).has(name))) return 'replaced';
  if (expand(log.hash, columns).has(name)) return 'hashed';
  return isPseudonym(name, columns) && !log.columns.includes(name) ? 'hashed' : 'sent';
}

/** The words after one column was given another fate. Groups stay where they still say what is meant. */
export function withFate(log: LogWords, columns: Columns, name: string, fate: Fate): LogWords {
  if (fateOf(log, columns, name) === fate) return log;
  const next: LogWords = {
    columns: log.columns.filter((word) => word !== 'none'),
    omit: without(log.omit, columns, name),
    hash: without(log.hash, columns, name),
    replace: log.replace.map((one) => ({ ...one, columns: without(one.columns, columns, name) })),
  };
  const covered = expand(next.columns.filter((word) => word !== name), columns).has(name);
  if (fate === 'dropped') {
    next.columns = next.columns.filter((word) => word !== name);
    if (covered) next.omit.push(name);
  } else if (fate === 'sent') {
    const mustBeNamed = !covered || isPseudonym(name, columns);
    if (mustBeNamed && !next.columns.includes(name)) next.columns.push(name);
  } else if (fate === 'hashed') {
    // Named singly beside a hash would read as a contradiction.
    next.columns = next.columns.filter((word) => word !== name);
    next.hash.push(name);
  } else if (next.replace.length > 0) next.replace[0]!.columns.push(name);
  else next.replace.push({ columns: [name], with: REMOVED });
  return { ...next, columns: next.columns.length > 0 ? next.columns : ['none'] };
}

/** Several columns at once, such as a whole group. */
export const withFates = (log: LogWords, columns: Columns, names: string[], fate: Fate): LogWords =>
  names.reduce((now, name) => withFate(now, columns, name, fate), log);

/** The changes that make an element say these words. */
export function writeLog(text: string, element: XmlElement, log: LogWords): Change[] {
  const written = elementsOf(element, 'replace');
  return [
    ...setAttribute(text, element, 'columns', log.columns.join(' ')),
    ...setWords(text, element, 'omit', log.omit),
    ...setWords(text, element, 'hash', log.hash),
    ...written.flatMap((one, index) => {
      const words = log.replace[index]?.columns ?? [];
      return words.length > 0 ? setWords(text, one, 'columns', words) : remove(text, one);
    }),
    ...log.replace.slice(written.length).flatMap((one) => insert(text, element, markup('replace', { columns: one.columns.join(' '), with: one.with === REMOVED ? null : one.with }))),
  ];
}

/** Words that no longer mean `name`: it is taken out, and a group that means it gives way to its other columns. */
function without(words: string[], columns: Columns, name: string): string[] {
  return words.flatMap((word) => {
    if (word === name) return [];
    const meant = [...expand([word], columns)];
    return meant.includes(name) ? meant.filter((other) => other !== name) : [word];
  });
}
