// For development only: what the stand-in service remembers. Made-up people and clients, from a seed; nothing is written to disk.
import { randomUUID } from 'node:crypto';
import { Refused } from './refused.mjs';

const CLIENTS_SEEDED = 237;
const LIVE_MS = 1000;
const RANKS = { public: 0, signed_in: 1, admin: 2 };
export const PASSWORD = 'a long enough passphrase';

export function makeWorld({ fresh, policy, enrol_ms }) {
  const world = {
    policy, enrol_ms, setup_token: 'first-run-token', accounts: [], sessions: new Map(), tokens: [], links: new Map(), projects: [], audit: [], listeners: new Set(), timers: new Set(),
    settings: { public_url: 'https://lode.example.org', smtp: { host: '', port: 587, user: '', from: '', tls: 'starttls', password_set: false }, oidc: null, webhook_url: null },
    backups: { folder: '/mnt/backups', every_hours: 24, kept: 7, through: 'age -r age1example', made: [], progress: null, failure: null },
  };
  world.accountOf = (session) => world.accounts.find((one) => one.id === world.sessions.get(session)?.account && !one.disabled) ?? null;
  world.later = (ms, work) => {
    const timer = setTimeout(() => { world.timers.delete(timer); work(); }, ms);
    world.timers.add(timer);
  };
  const beat = setInterval(() => tellCounts(world), LIVE_MS);
  world.stop = () => { clearInterval(beat); world.timers.forEach(clearTimeout); };
  world.admit = (asked, needs) => admit(world, asked, needs);
  world.liveCounts = (project) => ({ counts: countsOf(project), events_per_min: project.clients.filter((one) => one.state === 'recording').length * 12, last_event_at: now() });
  world.record = (actor, action, project, subject, detail = {}) =>
    world.audit.unshift({ n: world.audit.length + 1, at: now(), actor: { kind: 'account', id: actor.id, name: actor.name }, action, project: project?.slug ?? null, subject, detail, hash: hex(action.length * 7919 + world.audit.length, 64) });
  if (!fresh) seed(world);
  return world;
}

export const now = () => new Date().toISOString();
export const later = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

/** Numbers that look made by chance and are the same each time. */
export function chance(seed) {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13; state >>>= 0; state ^= state >>> 17; state ^= state << 5; state >>>= 0;
    return state / 2 ** 32;
  };
}

export function hex(seed, length) {
  const next = chance(seed + 11);
  return Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('');
}

function admit(world, { account, groups }, needs) {
  const rank = RANKS[needs.permission] ?? 1;
  if (rank > 0 && !account) throw new Refused(401, 'unauthenticated', 'nobody is signed in', 'Sign in first.');
  if (rank === 2 && account.admin && !account.totp) throw new Refused(403, 'no_second_factor', 'this needs an account with a second factor', 'set one up under Account: your phone then shows a code at each login');
  if (rank === 2 && !account.admin) throw new Refused(403, 'forbidden', 'this is for administrators', 'Ask an administrator of this service.');
  if (!groups.p) return {};
  const project = world.projects.find((one) => one.slug === groups.p || one.id === groups.p);
  const member = project?.members.find((one) => one.account.id === account.id);
  if (!member) throw new Refused(404, 'not_found', `there is no project "${groups.p}"`);
  const roles = { lead: ['lead'], oversight: ['lead', 'council'], member: ['lead', 'analyst', 'viewer', 'council'], pages: ['lead', 'analyst', 'viewer'], identities: ['lead', 'council'] }[needs.permission];
  if (roles && !roles.includes(member.role)) throw new Refused(403, 'forbidden', 'your role does not allow this', 'A project lead can change your role.');
  return { project, member };
}

export function newAccount(world, { email, name, admin = false, password = PASSWORD }) {
  const account = { id: randomUUID(), email, name, admin, disabled: false, totp: false, password: true, oidc: false, created_at: now(), last_login_at: null, secret: password };
  world.accounts.push(account);
  return account;
}

export const shownAccount = ({ secret, totp_secret, recovery, ...account }) => account;

export function newProject(world, account, { name, purposes = [], retention, min_group_size = 5, preset = 'standard', kind = 'enrolled' }) {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  const project = {
    id: randomUUID(), slug, name, kind, min_group_size, created_at: now(), purposes, preset, retention: retention ?? { raw_days: 30, picture_days: 14, aggregate_months: 12, reason: null },
    members: [{ account: { id: account.id, email: account.email, name: account.name }, role: 'lead', grants: ['identities'], since: now() }],
    keys: [], invitations: [], clients: [], errors: [], letters: [], alerts: { silence_hours: 24, email: [], webhook: false }, requests: [], erasures: [],
    revisions: [], draft: null, rollout: null, events: 0, epochs: [{ id: '2026-11', created_at: now(), retired_at: null }],
  };
  world.projects.push(project);
  return project;
}

export const shownProject = (project, member) => ({
  id: project.id, slug: project.slug, name: project.name, kind: project.kind, min_group_size: project.min_group_size, created_at: project.created_at, events: project.events, users: 0,
  first_event: null, last_event: null, case_rule: 'auto', jobs: { state: 'fresh', built_at: null }, purposes: project.purposes, retention: project.retention, role: member.role, grants: member.grants,
  clients: { total: project.clients.length, recording: project.clients.filter((one) => one.state === 'recording').length }, configuration: { revision: project.revisions.at(-1)?.revision ?? null },
});

export function template(project, preset, apps, sites) {
  const browsers = ['chrome.exe', 'msedge.exe', 'firefox.exe', 'chromium'];
  const council = preset === 'works_council';
  const allow = [
    ...apps.filter((app) => !browsers.includes(app)).map((app) => `    <app process="${app}"/>`),
    ...(sites.length > 0 ? [`    <app process="${apps.filter((app) => browsers.includes(app)).join(' ') || 'msedge.exe'}">`, ...sites.map((site) => `      <site host="${site}"/>`), '    </app>'] : []),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<lodeConfig schema="1" project="${project.id}" revision="1" validUntil="${later(council ? 90 : 180).slice(0, 10)}T23:59:59Z">
  <!-- Everybody agrees to this before anything is recorded. Raise the version when more is captured. -->
  <consent version="1">
    <text lang="en">We record clicks and window changes in the applications of ${project.name}, to see where work can be made easier.</text>
  </consent>
  <schedule zone="user">
    <window days="mon-fri" from="08:00" to="18:00"/>
  </schedule>
  <pause choices="PT15M PT1H" untilResume="true"/>
  <!-- The gate: what is not named here does not exist for the client. -->
  <allow>
${allow.join('\n')}
    <never column="window_title" regex="(?i)payroll|private"/>
  </allow>
  <capture idleAfter="PT3M" elements="true"/>
  <rules>
    <!-- Titles may hold names: they travel as hashes. -->
    <rule name="allowed work">
      <on events="all" except="scroll element_focused"/>
      <log columns="@app @window @web @element @keys" hash="user_name machine_name${council ? ' window_title page_title' : ''}"/>
    </rule>
    <otherwise><drop/></otherwise>
  </rules>
  <redaction>
    <builtin patterns="email iban card"/>
  </redaction>
  <upload hold="${council ? 'PT1H' : 'PT10M'}"/>
  <tests>
    <test name="a foreign program is not even seen" expect="refused">
      <event event_type="left_click" process_name="solitaire.exe"/>
    </test>
${apps[0] ? `    <test name="a click is kept" expect="log" rule="allowed work">
      <event event_type="left_click" process_name="${apps[0]}"${browsers.includes(apps[0]) ? ` url="https://${sites[0] ?? 'a.example'}/"` : ''} user_name="muster"/>
      <result user_name="#hash"/>
    </test>
` : ''}  </tests>
</lodeConfig>
`;
}

const STATES = ['recording', 'recording', 'recording', 'recording', 'recording', 'recording', 'paused', 'outside_schedule', 'offline', 'needs_consent', 'error', 'held', 'locked', 'declined', 'blocked', 'revoked'];
const WHY = { error: 'the accessibility service does not answer', blocked: 'no place to show that recording runs', offline: null };

export function newClient(project, index, state, revision, app_key) {
  const next = chance(index * 7 + 3);
  const admitted = Math.floor(next() * 90_000) + 400;
  const waiting = state === 'offline' ? Math.floor(next() * 900) : Math.floor(next() * 40);
  const removed = Math.floor(next() * 30);
  const lost = index % 97 === 42 ? 3 : 0;
  const id = hex(index + 1000, 32);
  return {
    agent_id: `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20, 32)}`, name: `Client ${id.slice(0, 4).toUpperCase()}`,
    team: ['Accounts payable', 'Tax', null, 'Purchasing'][index % 4], state, why: WHY[state] ?? null, enrolled_at: ago(next() * 40_000 + 60), last_seen_at: state === 'offline' ? ago(3000 + next() * 4000) : ago(next() * 1.5),
    version: index % 9 === 0 ? '0.1.0' : '0.2.1', os: index % 5 === 0 ? 'linux-x11' : 'windows', config_revision: state === 'held' ? null : revision, revision_wanted: revision,
    capabilities: { keys: 'yes', pointer: 'yes', clipboard: 'yes', elements: index % 5 === 0 ? 'partial: the accessibility bus answers for some programs only' : 'yes', screenshots: index % 7 === 0 ? 'no: the compositor does not allow it' : 'yes', extension: index % 3 === 0 ? 'no: not connected' : 'yes' },
    spool: { events: waiting, bytes: waiting * 287, screenshots: 0, oldest: waiting > 0 ? ago(12 + waiting) : null },
    counters: { captured: admitted * 3, stored: admitted, merged: Math.floor(admitted / 9), filtered: { 'gate.app': Math.floor(admitted * 1.4), 'gate.site': Math.floor(admitted * 0.2), 'rule:no payment runs': 12 }, refused: 0, erased: removed },
    balance: { admitted, stored: admitted - waiting - removed - lost, waiting, removed, refused: 0, erased: 0, expired: 0, lost, exact: lost === 0 },
    last_error: state === 'error' ? { code: 'elements_unavailable', message: 'the accessibility service does not answer', help: 'Restart the desktop session. If it happens again, set elementsNever for the program that blocks it.', at: ago(9) } : null,
    clock_offset_ms: Math.floor(next() * 400) - 200, app_key, self: { rss_bytes: 9_000_000 + Math.floor(next() * 4_000_000), cpu_ms_per_min: 40 + Math.floor(next() * 60) },
    history: [{ at: ago(9), state, why: WHY[state] ?? null }, { at: ago(80), state: 'recording', why: null }, { at: ago(90), state: 'needs_consent', why: null }],
  };
}

export function countsOf(project) {
  const counts = {};
  for (const client of project.clients) counts[client.state] = (counts[client.state] ?? 0) + 1;
  return counts;
}

export function tellClient(world, project, client) {
  const { history, ...shown } = client;
  for (const listener of world.listeners) if (listener.project === project) listener.tell('client', shown);
  tellCounts(world);
}

function tellCounts(world) {
  for (const { project, tell } of world.listeners) tell('counts', world.liveCounts(project));
}

export function publishRevision(world, project, account, xml, note, percent) {
  const revision = (project.revisions.at(-1)?.revision ?? 0) + 1;
  const stamped = xml.replace(/(<lodeConfig[^>]*\brevision=")[^"]*"/, `$1${revision}"`);
  const old = project.revisions.at(-1);
  if (old) old.state = 'superseded';
  const { changes } = old ? world.policy.changesBetween(old.xml, stamped) : { changes: [] };
  const made = {
    revision, published_at: now(), published_by: { id: account.id, name: account.name }, note, percent, state: percent < 100 ? 'rolling_out' : 'active', sha256: hex(revision, 64),
    consent_version: world.policy.reach(stamped).consent ?? 0, screenshots: /screenshot="(window|desktop)"/.test(stamped), text: /columns="[^"]*\btext\b/.test(stamped), xml: stamped,
    header: JSON.stringify({ kid: 'k1', project: project.id, revision }), signature: hex(revision + 5, 86), key: hex(3, 43), changes,
  };
  project.revisions.push(made);
  project.draft = null;
  project.rollout = { revision, percent, previous: old?.revision ?? null };
  roll(world, project);
  return made;
}

/** Lets the clients take the newest revision, as many as the roll-out allows. */
export function roll(world, project) {
  const { revision, percent } = project.rollout;
  const reached = reachable(project);
  const share = reached.slice(0, Math.ceil((reached.length * percent) / 100));
  for (const client of share) client.revision_wanted = revision;
  for (const client of share) world.later(300, () => { client.config_revision = revision; tellClient(world, project, client); });
}

const reachable = (project) => project.clients.filter((one) => one.state !== 'revoked' && one.state !== 'held');

export const shownRollout = (project) => project.rollout && { ...project.rollout, clients: reachable(project).length, clients_on_new: reachable(project).filter((one) => one.config_revision === project.rollout.revision).length };

function seed(world) {
  const anna = newAccount(world, { email: 'anna@example.org', name: 'Anna Berg', admin: true });
  const ben = newAccount(world, { email: 'ben@example.org', name: 'Ben Ode' });
  const carla = newAccount(world, { email: 'carla@example.org', name: 'Carla Ruiz' });
  const project = newProject(world, anna, { name: 'Accounts payable', purposes: ['Find hand-carried data between SAP and the order pages'] });
  project.events = 48_210;
  project.members.push({ account: { id: ben.id, email: ben.email, name: ben.name }, role: 'analyst', grants: ['raw'], since: ago(9000) });
  project.members.push({ account: { id: carla.id, email: carla.email, name: carla.name }, role: 'council', grants: ['identities'], since: ago(9000) });
  project.keys.push({ id: 'k1', name: 'Pilot, building A', created_at: ago(50_000), expires_at: later(61), uses: 231, uses_max: 300, approval: 'auto', address_range: null, revoked_at: null, held: 15, enrolled: 222 });
  project.keys.push({ id: 'k2', name: 'Test laptops', created_at: ago(90_000), expires_at: later(-20), uses: 6, uses_max: 10, approval: 'hold', address_range: '10.0.0.0/8', revoked_at: null, held: 0, enrolled: 6 });
  project.keys.push({ id: 'k0', name: 'First try', created_at: ago(120_000), expires_at: later(10), uses: 1, uses_max: null, approval: 'auto', address_range: null, revoked_at: ago(60_000), held: 0, enrolled: 1 });
  for (const [name, team, state] of [['Dora Lind', 'Tax', 'enrolled'], ['Emil Noor', 'Tax', 'invited'], ['Femi Okoro', 'Purchasing', 'expired']]) {
    project.invitations.push({ id: randomUUID(), name, email: `${name.split(' ')[0].toLowerCase()}@example.org`, team, state, created_at: ago(5000), expires_at: later(20) });
  }
  publishRevision(world, project, anna, template(project, 'standard', ['saplogon.exe', 'excel.exe', 'msedge.exe'], ['orders.example.org']), 'First revision', 100);
  for (let index = 0; index < CLIENTS_SEEDED; index += 1) project.clients.push(newClient(project, index, STATES[Math.floor(chance(index + 5)() * STATES.length)], 1, 'k1'));
  project.errors = [
    { code: 'elements_unavailable', message: 'the accessibility service does not answer', help: 'Restart the desktop session. If it happens again, set elementsNever for the program that blocks it.', count: 412, clients: 15, first_seen: ago(9000), last_seen: ago(9) },
    { code: 'extension_lost', message: 'the browser extension went away while recording', help: 'Check that the extension is force-installed; the client goes on by itself when it is back.', count: 31, clients: 12, first_seen: ago(3000), last_seen: ago(200) },
  ];
  project.letters = [
    { id: randomUUID(), agent_id: project.clients[4].agent_id, seq: 4711, reason: 'the rule "SAP with pictures" is not in revision 1', at: ago(400), bytes: 912 },
    { id: randomUUID(), agent_id: project.clients[9].agent_id, seq: 12, reason: 'event_type: "klick" is no event type', at: ago(900), bytes: 318 },
  ];
  world.record(anna, 'project.created', project, { kind: 'project', id: project.id });
  world.record(anna, 'configuration.publish', project, { kind: 'revision', id: '1' }, { revision: 1, percent: 100 });
}
