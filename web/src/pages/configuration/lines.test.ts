// Proves the difference of two texts by lines.
import { expect, test } from 'vitest';
import { diffLines } from './lines';

const SIGNS = { same: ' ', gone: '-', new: '+', 'left out': '…' };
const shown = (old: string, now: string) => diffLines(old.replaceAll(' ', '\n'), now.replaceAll(' ', '\n')).map((line) => SIGNS[line.kind] + line.text).join('');

test.each([
  ['a b c', 'a b c', '…'],
  ['a b c', 'a x c', ' a-b+x c'],
  ['a b c', 'a b', ' a b-c'],
  ['b c', 'a b c', '+a b c'],
  ['a b c d e f g h i', 'a b c d x f g h i', '… b c d-e+x f g h…'],
  ['a b c a b b a', 'c b a b a c', '-a-b c+b a b-b a+c'],
])('%s → %s', (old, now, expected) => expect(shown(old, now)).toBe(expected));

test('the pieces of a difference make up both texts', () => {
  const letters = (seed: number, length: number) => Array.from({ length }, (_, index) => 'abc'[(index * seed * 7 + (index * index) % 5) % 3]!);
  for (let seed = 1; seed < 40; seed += 1) {
    const [old, now] = [letters(seed, 3 + (seed % 5)), letters(seed + 3, 2 + (seed % 6))];
    const lines = diffLines(old.join('\n'), now.join('\n')).filter((line) => line.kind !== 'left out');
    if (lines.length === 0) { expect(old).toEqual(now); continue; }
    const text = (without: string) => lines.filter((line) => line.kind !== without).map((line) => line.text);
    if (lines.some((line) => line.kind !== 'same') && old.length < 7 && now.length < 7) {
      expect(old.join('')).toContain(text('new').join(''));
      expect(now.join('')).toContain(text('gone').join(''));
    }
  }
});

test('line numbers count in the text they belong to', () => {
  expect(diffLines('a\nb\nc', 'a\nx\ny\nc').map(({ old, now }) => [old, now])).toEqual([[1, 1], [2, null], [null, 2], [null, 3], [3, 4]]);
});
