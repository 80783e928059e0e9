// Proves what the visual editor makes of words and conditions: the column grid, the condition builder, sections put at their place.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Vocabulary } from '../../client';
import { applyChanges, type Change, move, setAttribute } from '../../xml/edit';
import { elementsOf, firstElement, readXml, type XmlElement } from '../../xml/tree';
import { addCondition, changeKind, conditionOf, describe, removeCondition, setValues, type Words } from './condition';
import { type Fate, fateOf, readLog, withFate, withFates, writeLog } from './grid';
import { addTo, freeName, problemsIn, rangeOf, sectionAt, tryRegex } from './model';

/** The vocabulary that the parser's generated file tells. */
const VOCABULARY = JSON.parse(readFileSync(new URL('../../../../schemas/config-vocabulary.json', import.meta.url), 'utf8')) as Vocabulary;
const FREE = VOCABULARY.columns.filter((column) => column.decided_by_rules);
const FIXTURES = new URL('../../../../fixtures/configuration/', import.meta.url);
const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.xml')).map((name) => [name, readFileSync(new URL(name, FIXTURES), 'utf8')] as const);

const root = (text: string): XmlElement => {
  const read = readXml(text);
  if (read.fault) throw new Error(read.fault.message);
  return read.root;
};
const edited = (text: string, edit: (text: string, element: XmlElement) => Change[]): string => {
  const changed = applyChanges(text, edit(text, root(text)));
  expect(readXml(changed).fault).toBeNull();
  return changed;
};
const fate = (log: string, name: string) => fateOf(readLog(root(log)), VOCABULARY, name);

test.each([
  ['<log columns="@app"/>', 'process_name', 'sent'], ['<log columns="@app"/>', 'window_title', 'dropped'], ['<log columns="all"/>', 'text', 'dropped'],
  ['<log columns="all text"/>', 'text', 'sent'], ['<log columns="all" omit="@window"/>', 'window_title', 'dropped'], ['<log columns="@app" hash="window_title"/>', 'window_title', 'hashed'],
  ['<log columns="all"/>', 'user_name', 'hashed'], ['<log columns="@app user_name"/>', 'user_name', 'sent'], ['<log columns="user_name" hash="@person"/>', 'user_name', 'hashed'],
  ['<log columns="@app"><replace columns="window_title"/></log>', 'window_title', 'replaced'], ['<log columns="none"/>', 'process_name', 'dropped'],
])('%s: %s is %s', (log, name, expected) => expect(fate(log, name)).toBe(expected));

const LOGS = [
  '<log columns="@app"/>', '<log columns="all" omit="@app"/>', '<log columns="all text" hash="@person window_title"/>', '<log columns="none"/>',
  '<log columns="@app"><replace columns="@person window_title" with="mail"/></log>', "<log\n  columns='user_name machine_name'\n/>",
];

test('whatever a column was, it becomes what was chosen, and no other column changes', () => {
  for (const log of LOGS) {
    const before = readLog(root(log));
    for (const { name, hashable } of FREE) {
      for (const wanted of (hashable ? ['sent', 'hashed', 'replaced', 'dropped'] : ['sent', 'dropped']) as Fate[]) {
        const changed = edited(log, (text, element) => writeLog(text, element, withFate(before, VOCABULARY, name, wanted)));
        const after = readLog(root(changed));
        expect([log, name, fateOf(after, VOCABULARY, name)]).toEqual([log, name, wanted]);
        for (const other of FREE.filter((one) => one.name !== name)) expect([changed, other.name, fateOf(after, VOCABULARY, other.name)]).toEqual([changed, other.name, fateOf(before, VOCABULARY, other.name)]);
      }
    }
  }
});

test('a fate that a column has already changes no byte', () => {
  for (const log of LOGS) {
    for (const { name } of FREE) expect(edited(log, (text, element) => writeLog(text, element, withFate(readLog(element), VOCABULARY, name, fate(log, name))))).toBe(log);
  }
});

test('the words stay as short as they can', () => {
  const change = (log: string, name: string, wanted: Fate) => edited(log, (text, element) => writeLog(text, element, withFate(readLog(element), VOCABULARY, name, wanted)));
  expect(change('<log columns="@app @window"/>', 'application', 'dropped')).toBe('<log columns="@app @window" omit="application"/>');
  expect(change('<log columns="@app @window" omit="application"/>', 'application', 'sent')).toBe('<log columns="@app @window"/>');
  expect(change('<log columns="@app" hash="@person"/>', 'custom1', 'dropped')).toBe('<log columns="@app" hash="user_name machine_name custom2 custom3 custom4 custom5"/>');
  expect(change('<log columns="@app"/>', 'window_title', 'replaced')).toBe('<log columns="@app">\n  <replace columns="window_title"/>\n</log>');
  expect(change('<log columns="@app"><replace columns="window_title"/></log>', 'window_title', 'sent')).toBe('<log columns="@app window_title"></log>');
  expect(change('<log columns="text"/>', 'text', 'dropped')).toBe('<log columns="none"/>');
});

test('a whole group is set at once', () => {
  expect(withFates({ columns: ['@app'], omit: [], hash: [], replace: [] }, VOCABULARY, ['user_name', 'machine_name', 'custom1'], 'hashed').hash).toEqual(['user_name', 'machine_name', 'custom1']);
});

const WORDS: Words = { all: 'and', any: 'or', not: 'not', or: 'or', unknown: '?', comparison: { equals: 'is', contains: 'contains', startsWith: 'begins with', glob: 'fits', regex: 'matches', present: 'is there' } };
const rule = (when: string) => `<rule name="r">\n  <on events="all"/>\n${when}  <drop/>\n</rule>`;

test.each([
  ['<when><equals column="a" values="x|y"/></when>', 'a is x or y'],
  ['<when><all><equals column="a" value="x"/><any><contains column="b" value="1"/><present column="c"/></any></all></when>', 'a is x and (b contains 1 or c is there)'],
  ['<when><not><regex column="a" value="^x"/></not></when>', 'not (a matches ^x)'],
  ['<when><sometime/></when>', '?'],
])('%s is said as "%s"', (when, said) => expect(describe(conditionOf(root(rule(when)))!, WORDS)).toBe(said));

test('the first condition makes a <when>, the second an <all> around both, the third goes into it', () => {
  const one = edited(rule(''), addCondition);
  expect(one).toBe(rule('  <when><equals column="process_name" value="excel.exe"/></when>\n'));
  const two = edited(one, addCondition);
  expect(describe(conditionOf(root(two))!, WORDS)).toBe('process_name is excel.exe and process_name is excel.exe');
  expect(elementsOf(conditionOf(root(edited(two, addCondition)))!)).toHaveLength(3);
});

test('the last condition takes the empty groups and the <when> with it', () => {
  const text = rule('  <when><all><not><present column="a"/></not></all></when>\n');
  expect(edited(text, (now, element) => removeCondition(now, firstElement(firstElement(conditionOf(element)!, 'not'), 'present')!))).toBe(rule(''));
});

const kind = (when: string, wanted: Parameters<typeof changeKind>[2]) => {
  const text = rule(`<when>${when}</when>`);
  return /<when>(.*)<\/when>/s.exec(edited(text, (now, element) => changeKind(now, conditionOf(element)!, wanted)))![1];
};

test('a condition changes its kind and keeps what it can', () => {
  expect(kind('<all><present column="a"/><present column="b"/></all>', 'any')).toBe('<any><present column="a"/><present column="b"/></any>');
  expect(kind('<all><present column="a"/><present column="b"/></all>', 'not')).toBe('<not><all><present column="a"/><present column="b"/></all></not>');
  expect(kind('<equals column="a" value="x" case="exact"/>', 'contains')).toBe('<contains column="a" value="x" case="exact"/>');
  expect(kind('<equals column="a" value="x" case="exact"/>', 'present')).toBe('<present column="a"/>');
  expect(kind('<present column="a"/>', 'equals')).toBe('<equals column="a" value=""/>');
  expect(kind('<equals column="a" value="x"/>', 'not')).toBe('<not><equals column="a" value="x"/></not>');
  expect(kind('<not><equals column="a" value="x"/></not>', 'equals')).toBe('<equals column="a" value="x"/>');
});

test('one value and several are written each in its own way', () => {
  const set = (comparison: string, values: string[]) => edited(comparison, (text, element) => setValues(text, element, values));
  expect(set('<equals column="a" value="x" case="exact"/>', ['x', 'y'])).toBe('<equals column="a" values="x|y" case="exact"/>');
  expect(set('<equals column="a" values="x|y"/>', ['z'])).toBe('<equals column="a" value="z"/>');
  expect(set('<equals column="a"/>', ['z'])).toBe('<equals column="a" value="z"/>');
});

const CONFIGURATION = '<lodeConfig>\n  <consent version="1"/>\n  <rules>\n    <rule name="a"/>\n  </rules>\n</lodeConfig>';

test('an application in a configuration without a gate makes the gate, at its place', () => {
  expect(edited(CONFIGURATION, (text, element) => addTo(text, element, 'allow', '<app process="excel.exe"/>'))).toBe(
    '<lodeConfig>\n  <consent version="1"/>\n  <allow>\n    <app process="excel.exe"/>\n  </allow>\n  <rules>\n    <rule name="a"/>\n  </rules>\n</lodeConfig>',
  );
});

test('a problem is found at its element and its section', () => {
  const problem = { severity: 'error' as const, code: 'x', line: 4, column: 11, message: '', hint: null };
  const one = elementsOf(firstElement(root(CONFIGURATION), 'rules'))[0]!;
  expect(problemsIn(CONFIGURATION, [problem], one)).toHaveLength(1);
  for (const line of [2, 5]) expect(problemsIn(CONFIGURATION, [{ ...problem, line }], one)).toHaveLength(0);
  expect(sectionAt(CONFIGURATION, root(CONFIGURATION), 4, 11)).toBe('rules');
  expect(sectionAt(CONFIGURATION, root(CONFIGURATION), 1, 1)).toBeNull();
});

test('new names are free ones', () => expect(freeName(['new rule', 'new rule 2'], 'new rule')).toBe('new rule 3'));

test('a pattern is tried as far as the browser knows its notation', () => {
  expect('Gehalt x'.match(tryRegex('(?i)gehalt')!)).toEqual(['Gehalt']);
  expect(tryRegex('(')).toBeNull();
});

test('ranges are told as the vocabulary has them', () => {
  const attribute = (element: string, name: string) => VOCABULARY.elements.find((one) => one.id === element)!.attributes.find((one) => one.name === name)!;
  expect(rangeOf(attribute('capture', 'idleAfter'))).toBe('PT1M – PT30M, PT0S');
  expect(rangeOf(attribute('storage', 'keepFreePercent'))).toBe('1 – 50');
  expect(rangeOf(attribute('rule', 'name'))).toBe('');
});

test.each(fixtures)('%s: an edit of every attribute and back is the text as it was, and touches its own line alone', (_, text) => {
  const elements = (element: XmlElement): XmlElement[] => [element, ...elementsOf(element).flatMap(elements)];
  const count = elements(root(text)).length;
  for (let index = 0; index < count; index += 1) {
    for (const attribute of elements(root(text))[index]!.attributes) {
      const changed = edited(text, (now, element) => setAttribute(now, elements(element)[index]!, attribute.name, 'x & "y"'));
      expect(changed.split('\n').filter((line, at) => line !== text.split('\n')[at])).toHaveLength(1);
      expect(edited(changed, (now, element) => setAttribute(now, elements(element)[index]!, attribute.name, attribute.value)).replaceAll('&gt;', '>')).toBe(text.replaceAll('&gt;', '>'));
    }
  }
});

test.each(fixtures)('%s: every rule to every place and back is the text as it was', (_, text) => {
  const rules = (one: XmlElement) => elementsOf(firstElement(one, 'rules'), 'rule');
  const count = rules(root(text)).length;
  for (let from = 0; from < count; from += 1) {
    for (let to = 0; to < count; to += 1) {
      const there = edited(text, (now, element) => move(now, rules(element)[from]!, to));
      expect(edited(there, (now, element) => move(now, rules(element)[to]!, from))).toBe(text);
    }
  }
});
