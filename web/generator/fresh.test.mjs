// The checked-in types of the client are those of the checked-in document.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generated } from './generate.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('generated.ts is what the OpenAPI document gives; if not: npm run generate', async () => {
  expect(await generated()).toBe(read('../src/client/generated.ts'));
});

test('a member that is renamed changes the types, and one that is narrowed cannot go unnoticed', async () => {
  const document = read('../../schemas/openapi.json');
  const renamed = (from, to) => generated(JSON.parse(document.replaceAll(`"${from}"`, `"${to}"`)));
  expect(await renamed('min_group_size', 'group_size_min')).not.toBe(await generated());
  await expect(renamed('case_rule', 'rule_of_cases')).rejects.toThrow('ProjectShown/case_rule');
});
