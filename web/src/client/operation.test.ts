// Proves how an address is written, and that the compiler refuses what the document does not have.
import { expect, test } from 'vitest';
import { at } from './operation';

test('a path is filled, the rest becomes the query, a list as one name several times', () => {
  expect(at('/projects/{project}/analyses/{name}', { project: 'a/b', name: 'cases', application: ['Excel', 'A&B'], variant: undefined, limit: 5 }))
    .toBe('/api/v1/projects/a%2Fb/analyses/cases?application=Excel&application=A%26B&limit=5');
  expect(at('/status')).toBe('/api/v1/status');
});

test('what the document does not have does not compile', () => {
  // @ts-expect-error: no such path
  at('/project/{project}/analyses', { project: 'a' });
  // @ts-expect-error: no such parameter
  at('/projects/{project}/runs', { project: 'a', task: 'b' });
  // @ts-expect-error: the parameter of the path is missing
  at('/projects/{project}/runs', { job: 'b' });
  // @ts-expect-error: this path can be posted to only
  at('/login');
});
