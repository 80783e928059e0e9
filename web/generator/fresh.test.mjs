// The checked-in types of the client are those of the checked-in document.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generated } from './generate.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const document = read('../../schemas/openapi.json');

test('generated.ts is what the OpenAPI document gives; if not: npm run generate', async () => {
  expect(await generated()).toBe(read('../src/client/generated.ts'));
});

test('a member that is renamed changes the types, and so does a word that an answer can be', async () => {
  const renamed = (from, to) => generated(JSON.parse(document.replaceAll(`"${from}"`, `"${to}"`)));
  const now = await generated();
  for (const [from, to] of [['min_group_size', 'group_size_min'], ['running_jobs', 'making_tables']]) {
    const then = await renamed(from, to);
    expect(now).toContain(from);
    expect(then).toContain(to);
    expect(then).not.toContain(from);
  }
});
