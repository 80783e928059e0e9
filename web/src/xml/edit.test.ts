// Proves that edits touch what they mean and nothing else: comments, spacing and unknown parts stay byte for byte.
import { expect, test } from 'vitest';
import { applyChanges, type Change, duplicate, insert, insertInOrder, markup, move, remove, rename, setAttribute, setText, setWords, unwrap, wrap } from './edit';
import { elementsOf, firstElement, placeOf, readXml, textOf, type XmlElement } from './tree';

const CONFIGURATION = `<?xml version="1.0"?>
<!-- the head stays -->
<lodeConfig   schema="1"
    revision='17'>
  <!-- what is seen -->
  <allow>
    <app process="saplogon.exe saplgpad.exe"/> <app process="excel.exe"/>
    <app process="chrome.exe"><site host="a.example"/></app>
  </allow>
  <rules>     <!-- the first that matches decides -->
    <!-- keeps F110
         out -->
    <rule name="one"><drop/></rule> <!-- said of one -->

    <rule name="two">
      <unknown thing="x &amp; y"/>
    </rule>
    <rule name="three"/>
  </rules>
</lodeConfig>
`;

const root = (text: string): XmlElement => {
  const read = readXml(text);
  if (read.fault) throw new Error(read.fault.message);
  return read.root;
};

/** Edits the configuration above and tells the lines that went (-) and came (+). */
function diff(edit: (text: string, root: XmlElement) => Change[], text = CONFIGURATION): string[] {
  const changed = applyChanges(text, edit(text, root(text)));
  expect(readXml(changed).fault).toBeNull();
  const [old, now] = [text.split('\n'), changed.split('\n')];
  let start = 0;
  while (start < old.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return [...old.slice(start, old.length - end).map((line) => `-${line}`), ...now.slice(start, now.length - end).map((line) => `+${line}`)];
}

const rules = (one: XmlElement) => elementsOf(firstElement(one, 'rules'), 'rule');
const apps = (one: XmlElement) => elementsOf(firstElement(one, 'allow'), 'app');

test('an attribute is changed in its own quotes', () => {
  expect(diff((text, one) => setAttribute(text, one, 'revision', "1'8"))).toEqual(["-    revision='17'>", "+    revision='1&apos;8'>"]);
});

test('an attribute is added behind the last one and taken away with its space', () => {
  expect(diff((text, one) => setAttribute(text, apps(one)[1]!, 'path', '"C:" & <D>'))).toEqual([
    '-    <app process="saplogon.exe saplgpad.exe"/> <app process="excel.exe"/>',
    '+    <app process="saplogon.exe saplgpad.exe"/> <app process="excel.exe" path="&quot;C:&quot; &amp; &lt;D&gt;"/>',
  ]);
  expect(diff((text, one) => setAttribute(text, one, 'revision', null))).toEqual(['-<lodeConfig   schema="1"', "-    revision='17'>", '+<lodeConfig   schema="1">']);
});

test('the same value again changes nothing', () => {
  expect(diff((text, one) => setAttribute(text, one, 'schema', '1'))).toEqual([]);
  expect(diff((text, one) => setWords(text, one, 'nothing', []))).toEqual([]);
  // Not even the way in which it was written.
  const text = "<a b='x > y'/>";
  expect(setAttribute(text, root(text), 'b', 'x > y')).toEqual([]);
});

test('one of several elements on a line is taken away alone', () => {
  expect(diff((text, one) => remove(text, apps(one)[1]!))).toEqual([
    '-    <app process="saplogon.exe saplgpad.exe"/> <app process="excel.exe"/>', '+    <app process="saplogon.exe saplgpad.exe"/>',
  ]);
  expect(diff((text, one) => remove(text, apps(one)[0]!))).toEqual([
    '-    <app process="saplogon.exe saplgpad.exe"/> <app process="excel.exe"/>', '+    <app process="excel.exe"/>',
  ]);
});

test('an element on its own line takes the line and its comments along', () => {
  expect(diff((text, one) => remove(text, rules(one)[0]!))).toEqual([
    '-    <!-- keeps F110', '-         out -->', '-    <rule name="one"><drop/></rule> <!-- said of one -->',
  ]);
});

test('a new element stands on its own line, indented as its neighbours', () => {
  expect(diff((text, one) => insert(text, firstElement(one, 'allow')!, markup('app', { process: 'teams.exe', path: '' })))).toEqual(['+    <app process="teams.exe"/>']);
  expect(diff((text, one) => insert(text, rules(one)[2]!, '<on events="all"/>\n<drop/>'))).toEqual([
    '-    <rule name="three"/>', '+    <rule name="three">', '+      <on events="all"/>', '+      <drop/>', '+    </rule>',
  ]);
});

test('in an element on one line the new one stands on that line too', () => {
  expect(applyChanges('<w><all><a/></all></w>', insert('<w><all><a/></all></w>', firstElement(root('<w><all><a/></all></w>'), 'all')!, '<b/>'))).toBe('<w><all><a/><b/></all></w>');
});

test('a missing section is put at its place in the order of the format', () => {
  expect(diff((text, one) => insertInOrder(text, one, ['client', 'allow', 'capture', 'rules'], 'capture', '<capture elements="false"/>'))).toEqual(['+  <capture elements="false"/>']);
  const changed = applyChanges(CONFIGURATION, insertInOrder(CONFIGURATION, root(CONFIGURATION), ['client', 'allow', 'capture', 'rules'], 'client', '<client/>'));
  expect(changed).toContain('<client/>\n  <!-- what is seen -->\n  <allow>');
});

test('a rule moves with its comments, and what stands between the rules stays', () => {
  expect(diff((text, one) => move(text, rules(one)[0]!, 1))).toEqual([
    '-    <!-- keeps F110', '-         out -->', '-    <rule name="one"><drop/></rule> <!-- said of one -->', '-', '-    <rule name="two">', '-      <unknown thing="x &amp; y"/>', '-    </rule>',
    '+    <rule name="two">', '+      <unknown thing="x &amp; y"/>', '+    </rule>', '+', '+    <!-- keeps F110', '+         out -->', '+    <rule name="one"><drop/></rule> <!-- said of one -->',
  ]);
});

test('moving there and back is the text as it was', () => {
  for (const [from, to] of [[0, 2], [2, 0], [1, 2]] as const) {
    const there = applyChanges(CONFIGURATION, move(CONFIGURATION, rules(root(CONFIGURATION))[from]!, to));
    expect(rules(root(there)).map((one) => one.attributes[0]!.value)[to]).toBe(['one', 'two', 'three'][from]);
    expect(applyChanges(there, move(there, rules(root(there))[to]!, from))).toBe(CONFIGURATION);
  }
});

test('moving beyond the ends changes nothing', () => {
  expect(diff((text, one) => move(text, rules(one)[2]!, 3))).toEqual([]);
});

test('a copy of a rule stands behind it with its new name', () => {
  expect(diff((text, one) => duplicate(text, rules(one)[2]!, { name: 'four' }))).toEqual(['+    <rule name="four"/>']);
});

test('names, wraps and texts change in place', () => {
  const text = '<when><all><a/></all></when>';
  const all = firstElement(root(text), 'all')!;
  expect(applyChanges(text, rename(all, 'any'))).toBe('<when><any><a/></any></when>');
  expect(applyChanges(text, wrap(all, 'not'))).toBe('<when><not><all><a/></all></not></when>');
  expect(applyChanges(text, unwrap(all))).toBe('<when><a/></when>');
  const changed = applyChanges('<text lang="en"/>', setText('<text lang="en"/>', root('<text lang="en"/>'), 'a < b & c'));
  expect(changed).toBe('<text lang="en">a &lt; b &amp; c</text>');
  expect(textOf(root(changed))).toBe('a < b & c');
});

test.each([
  ['<a>\n  <b></a>', 'closes <b>', 2, 6], ['<a b=1/>', 'not in quotes', 1, 6], ['<a b="1" b="2"/>', 'twice', 1, 10], ['<a>&nbsp;</a>', 'no entity', 1, 4],
  ['<!DOCTYPE a><a/>', 'document types', 1, 1], ['<a/><b/>', 'second root', 1, 5], ['<a><?php ?></a>', 'processing', 1, 4], ['<a', 'does not end', 1, 3],
  ['<a b="<c>"/>', 'contains', 1, 6], ['', 'no root', 1, 1], ['<a>', 'never closed', 1, 1], ['<a b="1"c="2"/>', 'space is missing', 1, 9],
  [`${'<a>'.repeat(17)}${'</a>'.repeat(17)}`, 'deeper than 16', 1, 49],
])('%s is told to be at fault: %s', (text, message, line, column) => {
  const { fault } = readXml(text);
  expect(fault?.message).toContain(message);
  expect(placeOf(text, fault!.at)).toEqual({ line, column });
});
