// Edits an XML text by touching as little of it as possible: comments, order, spaces and whatever these pages do not know stay
// byte for byte. Every function gives changes to the text it was read from; nothing here keeps state or reads anew.
import { attributeOf, elementsOf, type XmlElement, type XmlNode } from './tree';

/** Replaces the characters `from` to `to` by `insert`. */
export interface Change { from: number; to: number; insert: string }

const INDENT = '  ';

/** The text with all changes made. They count in the old text and must not overlap. */
export function applyChanges(text: string, changes: Change[]): string {
  return [...changes].sort((a, b) => b.from - a.from || b.to - a.to).reduce((now, { from, to, insert }) => now.slice(0, from) + insert + now.slice(to), text);
}

export const escapeText = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
export const escapeValue = (value: string): string => escapeText(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');

/** An element in one line: `markup('app', {process: 'excel.exe'})`. Absent and empty values are left out. */
export function markup(name: string, attributes: Record<string, string | null | undefined>, inside = ''): string {
  const written = Object.entries(attributes).filter(([, value]) => value).map(([key, value]) => ` ${key}="${escapeValue(value!)}"`).join('');
  return inside ? `<${name}${written}>${inside}</${name}>` : `<${name}${written}/>`;
}

/** Sets, adds or (null) removes one attribute. */
export function setAttribute(text: string, element: XmlElement, name: string, value: string | null): Change[] {
  const present = element.attributes.find((one) => one.name === name);
  if (!present) {
    if (value === null) return [];
    const at = element.attributes.at(-1)?.to ?? element.from + 1 + element.name.length;
    return [{ from: at, to: at, insert: ` ${name}="${escapeValue(value)}"` }];
  }
  if (value === null) return [{ from: skipBack(text, present.from, /\s/), to: present.to, insert: '' }];
  if (value === present.value) return [];
  const quote = text[present.valueTo] === "'" ? escapeText(value).replaceAll("'", '&apos;') : escapeValue(value);
  return [{ from: present.valueFrom, to: present.valueTo, insert: quote }];
}

/** Replaces what an element holds by a text. Its children go, so use it only where there is text alone. */
export function setText(text: string, element: XmlElement, value: string): Change[] {
  const inside = escapeText(value);
  if (element.closeFrom !== null) return [{ from: element.openTo, to: element.closeFrom, insert: inside }];
  return [{ from: skipBack(text, element.openTo - 2, /\s/), to: element.to, insert: `>${inside}</${element.name}>` }];
}

/** Gives an element another name and keeps all it holds. */
export function rename(element: XmlElement, name: string): Change[] {
  const open = { from: element.from + 1, to: element.from + 1 + element.name.length, insert: name };
  if (element.closeFrom === null) return [open];
  return [open, { from: element.closeFrom + 2, to: element.closeFrom + 2 + element.name.length, insert: name }];
}

/** Takes an element away, with the comments that belong to it and the line it leaves empty. */
export function remove(text: string, element: XmlElement): Change[] {
  const block = blockOf(text, element);
  const from = skipBack(text, block.from, /[ \t]/);
  const alone = (from === 0 || text[from - 1] === '\n') && /^[ \t]*(\r?\n|$)/.test(text.slice(block.to));
  if (!alone) {
    const first = from === 0 || text[from - 1] === '\n';
    const rest = /^[ \t]*/.exec(text.slice(block.to))![0].length;
    return [first ? { from: block.from, to: block.to + rest, insert: '' } : { from, to: block.to, insert: '' }];
  }
  const end = text.indexOf('\n', block.to);
  return [{ from, to: end < 0 ? text.length : end + 1, insert: '' }];
}

/** Puts `inside` into `parent`, before one of its children or (null) behind the last; on a line of its own, unless the parent stands on one line. */
export function insert(text: string, parent: XmlElement, inside: string, before: XmlElement | null = null): Change[] {
  if (isOneLine(text, parent)) return insertInLine(parent, inside, before);
  const indent = childIndent(text, parent);
  const lines = inside.split('\n').join(`\n${indent}`);
  if (before) {
    const at = blockOf(text, before).from;
    return [{ from: at, to: at, insert: `${lines}\n${indent}` }];
  }
  const last = elementsOf(parent).at(-1);
  if (last) {
    const at = blockOf(text, last).to;
    return [{ from: at, to: at, insert: `\n${indent}${lines}` }];
  }
  const outer = indentOf(text, parent.from);
  if (parent.closeFrom === null) {
    return [{ from: skipBack(text, parent.openTo - 2, /\s/), to: parent.to, insert: `>\n${indent}${lines}\n${outer}</${parent.name}>` }];
  }
  const end = skipBack(text, parent.closeFrom, /\s/);
  return [{ from: Math.max(end, parent.openTo), to: parent.closeFrom, insert: `\n${indent}${lines}\n${outer}` }];
}

const isOneLine = (text: string, parent: XmlElement) =>
  parent.closeFrom !== null && elementsOf(parent).length > 0 && !text.slice(parent.openTo, parent.closeFrom).includes('\n');

function insertInLine(parent: XmlElement, inside: string, before: XmlElement | null): Change[] {
  const at = before?.from ?? parent.closeFrom!;
  return [{ from: at, to: at, insert: inside }];
}

/** Puts a wrapping element around one: `<x/>` becomes `<not><x/></not>`. */
export function wrap(element: XmlElement, name: string): Change[] {
  return [{ from: element.from, to: element.from, insert: `<${name}>` }, { from: element.to, to: element.to, insert: `</${name}>` }];
}

/** Takes an element's own tags away and leaves what it holds. */
export function unwrap(element: XmlElement): Change[] {
  if (element.closeFrom === null) return [{ from: element.from, to: element.to, insert: '' }];
  return [{ from: element.from, to: element.openTo, insert: '' }, { from: element.closeFrom, to: element.to, insert: '' }];
}

/**
 * Moves an element to another place among its siblings of the same name. Comments on the lines before it, and one behind it on its own line,
 * go along; what stands between the siblings stays where it is.
 */
export function move(text: string, element: XmlElement, to: number): Change[] {
  const siblings = elementsOf(element.parent, element.name);
  const from = siblings.indexOf(element);
  if (from < 0 || to < 0 || to >= siblings.length || from === to) return [];
  const [first, last] = from < to ? [from, to] : [to, from];
  const blocks = siblings.slice(first, last + 1).map((one) => blockOf(text, one));
  const written = blocks.map((block) => text.slice(block.from, block.to));
  const gaps = blocks.slice(1).map((block, index) => text.slice(blocks[index]!.to, block.from));
  if (from < to) written.push(written.shift()!);
  else written.unshift(written.pop()!);
  const joined = written.map((one, index) => one + (gaps[index] ?? '')).join('');
  return [{ from: blocks[0]!.from, to: blocks.at(-1)!.to, insert: joined }];
}

/** A whole new element after another, as like it as its text: the way to copy a rule. */
export function duplicate(text: string, element: XmlElement, attributes: Record<string, string>): Change[] {
  const copy = text.slice(element.from, element.to);
  const changed = Object.entries(attributes).flatMap(([name, value]) => setAttribute(text, element, name, value))
    .map(({ from, to, insert: inside }) => ({ from: from - element.from, to: to - element.from, insert: inside }));
  const at = blockOf(text, element).to;
  return [{ from: at, to: at, insert: `\n${indentOf(text, element.from)}${applyChanges(copy, changed)}` }];
}

/** Sets an attribute of a child of `root` that may be missing; a missing child is put where `order` wants it. */
export function setInSection(text: string, root: XmlElement, order: string[], name: string, attribute: string, value: string | null): Change[] {
  const section = elementsOf(root, name)[0];
  if (section) return setAttribute(text, section, attribute, value);
  return value === null ? [] : insertInOrder(text, root, order, name, markup(name, { [attribute]: value }));
}

/** Puts a missing section at its place in the order of the format. */
export function insertInOrder(text: string, root: XmlElement, order: string[], name: string, inside: string): Change[] {
  const later = order.slice(order.indexOf(name) + 1);
  return insert(text, root, inside, elementsOf(root).find((one) => later.includes(one.name)) ?? null);
}

/** An attribute that is a list of words; an empty list removes it. */
export const setWords = (text: string, element: XmlElement, name: string, words: string[]): Change[] =>
  words.length === 0 && attributeOf(element, name) === null ? [] : setAttribute(text, element, name, words.length ? words.join(' ') : null);

/** The span of an element with the comments that speak about it. */
export function blockOf(text: string, element: XmlElement): { from: number; to: number } {
  const siblings = element.parent?.children ?? [element];
  const index = siblings.indexOf(element);
  let from = element.from;
  for (let at = index - 1; at >= 0; at -= 1) {
    const node = siblings[at]!;
    if (isBlank(node, text)) continue;
    if (node.kind !== 'comment' || !startsItsLine(text, node.from) || newlines(text.slice(node.to, from)) !== 1) break;
    from = node.from;
  }
  let to = element.to;
  for (const node of siblings.slice(index + 1)) {
    if (isBlank(node, text) && !text.slice(node.from, node.to).includes('\n')) continue;
    if (node.kind === 'comment' && !text.slice(element.to, node.from).includes('\n') && endsItsLine(text, node.to)) to = node.to;
    break;
  }
  return { from, to };
}

const isBlank = (node: XmlNode, text: string) => node.kind === 'text' && text.slice(node.from, node.to).trim() === '';
const newlines = (text: string) => text.split('\n').length - 1;
const startsItsLine = (text: string, at: number) => { const from = skipBack(text, at, /[ \t]/); return from === 0 || text[from - 1] === '\n'; };
const endsItsLine = (text: string, at: number) => /^[ \t]*(\r?\n|$)/.test(text.slice(at));

function skipBack(text: string, at: number, what: RegExp): number {
  let from = at;
  while (from > 0 && what.test(text[from - 1]!)) from -= 1;
  return from;
}

function indentOf(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return /^[ \t]*/.exec(line)![0];
}

function childIndent(text: string, parent: XmlElement): string {
  const own = elementsOf(parent).find((one) => startsItsLine(text, one.from));
  return own ? indentOf(text, own.from) : indentOf(text, parent.from) + INDENT;
}
