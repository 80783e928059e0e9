// Proves that the catalogues hold no word that nobody says, and that none of them overwrites another.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en } from './en';
import { configurationWords } from './en-configuration';
import { serviceWords } from './en-service';
import { tasksWords } from './en-tasks';

const SOURCE = new URL('../', import.meta.url);
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name) && !name.startsWith('text/') && !name.endsWith('.test.ts'));
const sources = files.map((name) => readFileSync(new URL(name, SOURCE), 'utf8'));
const said = sources.join('\n');
/** "outcome.screenshot.${one}" says every key that begins like this. */
const beginnings = [...said.matchAll(/`([\w.-]+\.)\$\{/g)].map((match) => match[1]!);

test.each([['en', en], ['service', serviceWords], ['configuration', configurationWords], ['tasks', tasksWords]])('every word of %s is said somewhere', (_, words) => {
  const silent = Object.keys(words).filter((key) => !said.includes(`'${key}'`) && !beginnings.some((beginning) => key.startsWith(beginning)));
  // Titles of columns are looked up by the names that the service gives.
  expect(silent.filter((key) => !key.startsWith('column.'))).toEqual([]);
});

test('the catalogues share no key, so that none overwrites another', () => {
  const keys = [en, serviceWords, configurationWords, tasksWords].flatMap((words) => Object.keys(words));
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
});

