// Small readings of a configuration that several parts of the editor share. It holds no text of its own and edits through src/xml.
import type { Problem, Vocabulary, VocabularyAttribute, VocabularyElement } from '../../client';
import { formatBytes } from '../../format';
import { type Change, insert, insertInOrder } from '../../xml/edit';
import { attributeOf, elementsOf, firstElement, type XmlElement } from '../../xml/tree';
import { offsetOf } from '../data/position';

/** The order of the sections under the root; a missing one is put in at its place. */
export const ORDER = [
  'client', 'consent', 'userAttributes', 'schedule', 'pause', 'allow', 'capture', 'screenshots', 'extension', 'rules', 'redaction', 'storage', 'upload', 'tests',
];

/** From this width of the window on there is room for sections and text side by side. */
export const BOTH_PX_MIN = 1400;

export const SECTIONS = ['applications', 'rules', 'redaction', 'screenshots', 'consent', 'schedule', 'attributes', 'capture', 'storage', 'extension', 'tests'] as const;
export type Section = (typeof SECTIONS)[number];

/** Which elements under the root a section of the editor shows. */
export const SHOWN: Record<Section, string[]> = {
  applications: ['allow'], rules: ['rules'], redaction: ['redaction'], screenshots: ['screenshots'], consent: ['consent'], schedule: ['schedule', 'pause'],
  attributes: ['userAttributes'], capture: ['capture', 'client'], storage: ['storage', 'upload'], extension: ['extension'], tests: ['tests'],
};

/** Puts `inside` into a section, which is made first where it is missing. */
export function addTo(text: string, root: XmlElement, section: string, inside: string, before: XmlElement | null = null): Change[] {
  const present = firstElement(root, section);
  if (present) return insert(text, present, inside, before);
  return insertInOrder(text, root, ORDER, section, `<${section}>\n  ${inside.split('\n').join('\n  ')}\n</${section}>`);
}

export const describedBy = (vocabulary: Vocabulary, name: string): VocabularyElement | null => vocabulary.elements.find((one) => one.id === name) ?? null;

/** "PT30S – PT1H, or nothing with PT0S": what an attribute's value may be; empty where nothing is said. */
export function rangeOf({ min, max, zero, type }: VocabularyAttribute): string {
  if (type === 'text' || min === undefined || max === undefined || min === null || max === null) return '';
  const size = (value: number | string) => (type === 'size' && typeof value === 'number' ? formatBytes(value) : String(value));
  return `${size(min)} – ${size(max)}${zero ? ', PT0S' : ''}`;
}

export const eventTypes = (vocabulary: Vocabulary): string[] => vocabulary.families.flatMap((family) => family.event_types.map((type) => type.name));

/** Problems whose place lies in a stretch of the text. */
export function problemsIn(text: string, problems: Problem[], span: { from: number; to: number }): Problem[] {
  return problems.filter((one) => {
    const at = offsetOf(text, one.line, one.column);
    return at >= span.from && at < span.to;
  });
}

/** How many problems each section has, for the marks beside their names. */
export function problemsBySection(text: string, root: XmlElement, problems: Problem[]): Map<Section, Problem[]> {
  return new Map(SECTIONS.map((section) => [section, SHOWN[section].flatMap((name) => elementsOf(root, name)).flatMap((one) => problemsIn(text, problems, one))]));
}

/** The section that shows a line, so that a press on a problem can open it. */
export function sectionAt(text: string, root: XmlElement, line: number, column: number): Section | null {
  const at = offsetOf(text, line, column);
  return SECTIONS.find((section) => SHOWN[section].some((name) => elementsOf(root, name).some((one) => at >= one.from && at < one.to))) ?? null;
}

/** A name that no other element has yet: "new rule", "new rule 2" … */
export function freeName(taken: (string | null)[], wanted: string): string {
  if (!taken.includes(wanted)) return wanted;
  let number = 2;
  while (taken.includes(`${wanted} ${number}`)) number += 1;
  return `${wanted} ${number}`;
}

export const namesOf = (elements: XmlElement[]): (string | null)[] => elements.map((one) => attributeOf(one, 'name'));

/** The names of executables that several <app> elements allow. */
export const allowedProcesses = (root: XmlElement): string[] => elementsOf(firstElement(root, 'allow'), 'app').flatMap((app) => (attributeOf(app, 'process') ?? '').split(/\s+/).filter(Boolean));

/** What a <regex> may be tried on in the browser; null where the browser does not know its notation. */
export function tryRegex(source: string): RegExp | null {
  const flags = /^\(\?([is]+)\)/.exec(source);
  try {
    return new RegExp(flags ? source.slice(flags[0].length) : source, `g${flags?.[1] ?? ''}`);
  } catch {
    return null;
  }
}

