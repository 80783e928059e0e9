// Proves which role and grant opens what.
import { expect, test } from 'vitest';
import type { Grant, Role } from '../client';
import { may, type Need } from './permissions';

const NEEDS: Need[] = ['member', 'pages', 'sql', 'raw', 'pictures', 'lead', 'oversight', 'identities', 'admin'];
const opens = (role: Role, grants: Grant[] = []) => NEEDS.filter((need) => may(need, { role, grants })).join(' ');

test('s11_a role opens what its row of the table says', () => {
  expect(opens('lead')).toBe('member pages sql lead oversight');
  expect(opens('analyst')).toBe('member pages sql');
  expect(opens('viewer')).toBe('member pages');
  expect(opens('council')).toBe('member oversight');
});

test('d10_the council sees no content, whatever else it was granted', () => {
  expect(opens('council', ['raw', 'identities'])).toBe('member oversight identities');
});

test('single instances need the role and the grant', () => {
  expect(opens('analyst', ['raw'])).toContain('raw');
  expect(opens('viewer', ['raw'])).not.toContain('raw');
});

test('being an administrator gives no right in a project', () => {
  expect(may('lead', { role: 'viewer', grants: [] }, true)).toBe(false);
  expect(may('admin', null, true)).toBe(true);
});
