// Looks up the words of the pages in the catalogue, fills in parameters and picks the plural. No page holds words of its own.
// Pages that few open bring their own words along (see service.ts), so that the first page does not carry them.
import { en } from './en';
import type { configurationWords } from './en-configuration';
import type { serviceWords } from './en-service';
import type { tasksWords } from './en-tasks';

type Entry = string | { one: string; other: string };
type Catalogue = typeof en & typeof serviceWords & typeof configurationWords & typeof tasksWords;
export type TextKey = keyof Catalogue;

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type EntryNames<E> = E extends { one: infer One; other: infer Other } ? Names<One> | Names<Other> | 'count' : Names<E>;
type ParametersOf<K extends TextKey> = [EntryNames<Catalogue[K]>] extends [never]
  ? []
  : [parameters: Record<EntryNames<Catalogue[K]>, string | number>];

/** The keys whose words take no parameters. */
export type PlainKey = { [K in TextKey]: [EntryNames<Catalogue[K]>] extends [never] ? K : never }[TextKey];

const catalogue: Partial<Record<TextKey, Entry>> = { ...en };

/** Adds the words of pages that are loaded later. */
export const learn = (words: Partial<Record<TextKey, Entry>>) => void Object.assign(catalogue, words);

export const locale = 'en';
const plural = new Intl.PluralRules(locale);
const number = new Intl.NumberFormat(locale);

export function fill(entry: Entry, parameters: Record<string, string | number> = {}): string {
  const text = typeof entry === 'string' ? entry : entry[plural.select(Number(parameters.count)) === 'one' ? 'one' : 'other'];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number.format(value) : value;
  });
}

/** The words for `key`; numbers among the parameters are written for the language, `count` picks the plural. */
export function t<K extends TextKey>(key: K, ...parameters: ParametersOf<K>): string {
  return fill(catalogue[key] ?? key, parameters[0] as Record<string, string | number> | undefined);
}
