// Reads XML into a tree that remembers where everything stands in the text, so that an edit can touch one place and leave the rest
// as it was written. It knows no configuration, no namespaces and no document types; it changes nothing (see edit.ts).

export interface XmlAttribute {
  name: string;
  value: string;
  /** Where the name begins and where the closing quote ends. */
  from: number;
  to: number;
  valueFrom: number;
  valueTo: number;
}

export interface XmlElement {
  kind: 'element';
  name: string;
  attributes: XmlAttribute[];
  children: XmlNode[];
  parent: XmlElement | null;
  from: number;
  to: number;
  /** Where the opening tag ends, and the closing one begins; null when the element closes itself. */
  openTo: number;
  closeFrom: number | null;
}

export interface XmlText { kind: 'text' | 'comment'; text: string; from: number; to: number; parent: XmlElement | null }
export type XmlNode = XmlElement | XmlText;

/** What keeps a text from being XML, and at which character. */
export interface XmlFault { message: string; at: number }
export type XmlRead = { root: XmlElement; fault: null } | { root: null; fault: XmlFault };

/** The bounds of a configuration; a text beyond them is a fault, never a slow page. */
export const TEXT_CHARS_MAX = 1_048_576;
export const DEPTH_MAX = 16;

const NAME = /[A-Za-z_][\w:.-]*/y;
const SPACE = /\s*/y;
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

class Fault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export function readXml(text: string): XmlRead {
  try {
    if (text.length > TEXT_CHARS_MAX) throw new Fault(`the text is longer than ${TEXT_CHARS_MAX} characters`, TEXT_CHARS_MAX);
    return { root: readDocument(text), fault: null };
  } catch (cause) {
    if (cause instanceof Fault) return { root: null, fault: { message: cause.message, at: cause.at } };
    throw cause;
  }
}

/** Line and column, both from 1, of a character of the text. */
export function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}

export const elementsOf = (parent: XmlElement | null, name?: string): XmlElement[] =>
  (parent?.children ?? []).filter((node): node is XmlElement => node.kind === 'element' && (!name || node.name === name));

export const firstElement = (parent: XmlElement | null, name: string): XmlElement | null => elementsOf(parent, name)[0] ?? null;

export const attributeOf = (element: XmlElement | null, name: string): string | null =>
  element?.attributes.find((one) => one.name === name)?.value ?? null;

export const textOf = (element: XmlElement): string =>
  element.children.filter((node) => node.kind === 'text').map((node) => (node as XmlText).text).join('');

/** The attribute's value as the list of its words. */
export const wordsOf = (element: XmlElement | null, name: string): string[] => (attributeOf(element, name) ?? '').split(/\s+/).filter(Boolean);

function readDocument(text: string): XmlElement {
  let at = skipDeclaration(text);
  let root: XmlElement | null = null;
  for (;;) {
    at = skipSpace(text, at);
    if (at >= text.length) break;
    if (text.startsWith('<!--', at)) at = readComment(text, at, null).to;
    else if (text[at] !== '<') throw new Fault('there is text outside of the root element', at);
    else if (root) throw new Fault('there is a second root element', at);
    else {
      refuseDeclarations(text, at);
      root = readElement(text, at, null, 1);
      at = root.to;
    }
  }
  if (!root) throw new Fault('there is no root element', Math.max(0, text.length - 1));
  return root;
}

function skipDeclaration(text: string): number {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  if (!text.startsWith('<?xml', start)) return start;
  const end = text.indexOf('?>', start);
  if (end < 0) throw new Fault('the XML declaration does not end', start);
  return end + 2;
}

function refuseDeclarations(text: string, at: number): void {
  if (text.startsWith('<!DOCTYPE', at)) throw new Fault('document types are not allowed', at);
  if (text.startsWith('<?', at)) throw new Fault('processing instructions are not allowed', at);
}

function readElement(text: string, from: number, parent: XmlElement | null, depth: number): XmlElement {
  if (depth > DEPTH_MAX) throw new Fault(`elements are nested deeper than ${DEPTH_MAX}`, from);
  const name = readName(text, from + 1);
  const element: XmlElement = { kind: 'element', name, attributes: [], children: [], parent, from, to: 0, openTo: 0, closeFrom: null };
  let at = readAttributes(text, from + 1 + name.length, element);
  if (text.startsWith('/>', at)) {
    element.openTo = element.to = at + 2;
    return element;
  }
  if (text[at] !== '>') throw new Fault(`the tag <${name}> does not end`, Math.min(at, text.length));
  at += 1;
  element.openTo = at;
  for (;;) {
    if (at >= text.length) throw new Fault(`<${name}> is never closed`, from);
    if (text.startsWith('</', at)) return closeElement(text, at, element);
    const node = readNode(text, at, element, depth);
    element.children.push(node);
    at = node.to;
  }
}

function readNode(text: string, at: number, parent: XmlElement, depth: number): XmlNode {
  if (text.startsWith('<!--', at)) return readComment(text, at, parent);
  if (text.startsWith('<![CDATA[', at)) return readLiteral(text, at, parent);
  if (text[at] === '<') {
    refuseDeclarations(text, at);
    return readElement(text, at, parent, depth + 1);
  }
  const next = text.indexOf('<', at);
  const to = next < 0 ? text.length : next;
  return { kind: 'text', text: decode(text.slice(at, to), at), from: at, to, parent };
}

function closeElement(text: string, at: number, element: XmlElement): XmlElement {
  const name = readName(text, at + 2);
  if (name !== element.name) throw new Fault(`</${name}> closes <${element.name}>`, at);
  const end = skipSpace(text, at + 2 + name.length);
  if (text[end] !== '>') throw new Fault(`the tag </${name}> does not end`, at);
  element.closeFrom = at;
  element.to = end + 1;
  return element;
}

function readAttributes(text: string, start: number, element: XmlElement): number {
  let at = start;
  for (;;) {
    const next = skipSpace(text, at);
    if (next >= text.length || text[next] === '>' || text.startsWith('/>', next)) return next;
    if (next === at) throw new Fault(`a space is missing in <${element.name}>`, at);
    const attribute = readAttribute(text, next);
    if (attributeOf(element, attribute.name) !== null) throw new Fault(`the attribute ${attribute.name} stands twice in <${element.name}>`, next);
    element.attributes.push(attribute);
    at = attribute.to;
  }
}

function readAttribute(text: string, from: number): XmlAttribute {
  const name = readName(text, from);
  const equals = skipSpace(text, from + name.length);
  if (text[equals] !== '=') throw new Fault(`the attribute ${name} has no value`, from);
  const open = skipSpace(text, equals + 1);
  const quote = text[open];
  if (quote !== '"' && quote !== "'") throw new Fault(`the value of ${name} is not in quotes`, open);
  const close = text.indexOf(quote, open + 1);
  if (close < 0) throw new Fault(`the value of ${name} does not end`, open);
  const raw = text.slice(open + 1, close);
  const less = raw.indexOf('<');
  if (less >= 0) throw new Fault(`the value of ${name} contains "<" or its quote is missing`, open);
  return { name, value: decode(raw, open + 1), from, to: close + 1, valueFrom: open + 1, valueTo: close };
}

function readComment(text: string, from: number, parent: XmlElement | null): XmlText {
  const end = text.indexOf('-->', from + 4);
  if (end < 0) throw new Fault('the comment does not end', from);
  return { kind: 'comment', text: text.slice(from + 4, end).trim(), from, to: end + 3, parent };
}

function readLiteral(text: string, from: number, parent: XmlElement): XmlText {
  const end = text.indexOf(']]>', from);
  if (end < 0) throw new Fault('the CDATA section does not end', from);
  return { kind: 'text', text: text.slice(from + 9, end), from, to: end + 3, parent };
}

function readName(text: string, at: number): string {
  NAME.lastIndex = at;
  const name = NAME.exec(text)?.[0];
  if (!name) throw new Fault('a name is expected here', Math.min(at, text.length));
  return name;
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

function decode(raw: string, at: number): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(/&([^;\s]*);?/g, (whole, name: string, offset: number) => {
    const numeric = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const point = numeric ? parseInt(numeric[1] ?? numeric[2]!, numeric[1] ? 16 : 10) : null;
    const meant = point !== null && point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ENTITIES[name];
    if (meant === undefined || !whole.endsWith(';')) throw new Fault(`"${whole}" is no entity of XML`, at + offset);
    return meant;
  });
}
