// Proves how lists of people are counted and written.
import { expect, test } from 'vitest';
import { countPeople, linksAsCsv } from './csv';

test.each([['', 0], ['Dora', 1], ['name,email\nDora,d@x\n\n', 1], ['Name\nDora\nEmil', 2], ['Namely, n@x', 1]])('%j names %i', (csv, people) => expect(countPeople(csv)).toBe(people));

test('s14_a name that a spreadsheet would take for a formula is made harmless', () => {
  expect(linksAsCsv([{ name: '=1+1', email: null, team: 'A, "B"', link: 'https://x/join/1' }])).toBe('name,email,team,link\r\n\'=1+1,,"A, ""B""",https://x/join/1\r\n');
});
