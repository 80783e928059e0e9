// For development only: the calls of the stand-in service, each with who may make it and what it answers.
import { randomUUID } from 'node:crypto';
import { Refused } from './refused.mjs';
import { vocabulary } from './policy.mjs';
import {
  countsOf, hex, later, newAccount, newClient, newProject, now, publishRevision, roll, shownAccount, shownProject, shownRollout, tellClient, template,
} from './world.mjs';

const PASSWORD_CHARS_MIN = 12;
const CODE = '123456';

export const routes = [];
/** `/projects/{p}/clients` with `{name}` for each part that varies. */
function route(method, path, permission, handler, extra = {}) {
  routes.push([method, new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`), { permission, ...extra }, handler]);
}
const paged = (rows, query, name) => {
  const [limit, offset] = [Number(query.get('limit') ?? 100), Number(query.get('offset') ?? 0)];
  return { [name]: rows.slice(offset, offset + limit), total: rows.length };
};
const missing = (what) => new Refused(404, 'not_found', `there is no such ${what}`);
const found = (row, what) => { if (!row) throw missing(what); return row; };

// Access
route('GET', '/status', 'public', () => ({ version: '0.2.0', loopback_only: true, data_folder: '', control: 'sqlite', projects: 0, started_at: now() }));
route('GET', '/me', 'public', (world, { account }) => ({
  account: account && shownAccount(account), open: false, setup_needed: world.accounts.length === 0, oidc: world.settings.oidc && { name: world.settings.oidc.name },
  projects: account ? world.projects.flatMap((project) => project.members.filter((one) => one.account.id === account.id).map(({ role, grants }) => ({ id: project.id, slug: project.slug, name: project.name, role, grants }))) : [],
}));
route('POST', '/setup', 'public', (world, asked) => {
  const { token, email, name, password } = asked.body;
  if (world.accounts.length > 0) throw missing('page');
  if (token !== world.setup_token) throw new Refused(401, 'unauthenticated', 'this set-up token is not the one of this service', 'It is printed where the service was started.');
  goodPassword(password);
  return enter(world, asked, newAccount(world, { email, name, password, admin: true }), 201);
});
route('POST', '/login', 'public', (world, asked) => {
  const { email, password, code } = asked.body;
  const account = world.accounts.find((one) => one.email === email && one.secret === password && !one.disabled);
  if (!account) throw new Refused(401, 'unauthenticated', 'e-mail address or password is wrong');
  const spent = account.recovery?.delete(code);
  if (account.totp && code !== CODE && !spent) throw new Refused(401, 'second_factor', code ? 'the code is wrong or was used before' : 'a code is needed', 'Open your authenticator application.');
  return enter(world, asked, account, 200);
});
route('POST', '/logout', 'public', (world, asked) => { world.sessions.delete(asked.session); asked.cookie = ''; });
route('PATCH', '/me', 'signed_in', (_, { account, body }) => shownAccount(Object.assign(account, { name: body.name })));
route('POST', '/me/password', 'signed_in', (_, { account, body }) => {
  if (body.current !== account.secret) throw new Refused(401, 'second_factor', 'the present password is wrong');
  goodPassword(body.password);
  account.secret = body.password;
});
route('POST', '/me/totp', 'signed_in', (_, { account }) => ({ secret: 'JBSWY3DPEHPK3PXP', uri: `otpauth://totp/Lode:${account.email}?secret=JBSWY3DPEHPK3PXP&issuer=Lode` }));
route('PUT', '/me/totp', 'signed_in', (_, { account, body }) => {
  if (body.code !== CODE) throw new Refused(400, 'bad_request', 'the code is wrong', 'Check the clock of your telephone.');
  account.totp = true;
  account.recovery = new Set(Array.from({ length: 10 }, (_one, index) => `${hex(index, 5)}-${hex(index + 50, 5)}`));
  return { recovery_codes: [...account.recovery] };
});
route('DELETE', '/me/totp', 'signed_in', (_, { account, body }) => {
  if (body.code !== CODE) throw new Refused(400, 'bad_request', 'the code is wrong');
  account.totp = false;
});
route('GET', '/me/sessions', 'signed_in', (world, { account, session }) => ({
  sessions: [...world.sessions].filter(([, one]) => one.account === account.id).map(([id, one]) => ({ id: one.id, created_at: one.at, seen_at: now(), address: '127.0.0.1', user_agent: 'Chromium on Linux', current: id === session })),
}));
route('DELETE', '/me/sessions/{id}', 'signed_in', (world, { groups }) => { for (const [key, one] of world.sessions) if (one.id === groups.id) world.sessions.delete(key); });
route('GET', '/me/tokens', 'signed_in', (world, { account }) => ({ tokens: world.tokens.filter((one) => one.account === account.id) }));
route('POST', '/me/tokens', 'signed_in', (world, asked) => {
  const token = { id: randomUUID(), account: asked.account.id, name: asked.body.name, project: asked.body.project, read_only: asked.body.read_only, created_at: now(), expires_at: later(asked.body.days), last_used_at: null };
  world.tokens.push(token);
  asked.status = 201;
  return { ...token, token: `lodet_${hex(world.tokens.length, 40)}` };
});
route('DELETE', '/me/tokens/{id}', 'signed_in', (world, { groups }) => { world.tokens = world.tokens.filter((one) => one.id !== groups.id); });
route('GET', '/password-links/{token}', 'public', (world, { groups }) => { const account = found(world.links.get(groups.token), 'link'); return { email: account.email, name: account.name }; });
route('POST', '/password-links/{token}', 'public', (world, asked) => {
  const account = found(world.links.get(asked.groups.token), 'link');
  goodPassword(asked.body.password);
  world.links.delete(asked.groups.token);
  account.secret = asked.body.password;
  return enter(world, asked, account, 200);
});

function goodPassword(password) {
  if ((password ?? '').length < PASSWORD_CHARS_MIN) throw new Refused(400, 'bad_request', `a password needs ${PASSWORD_CHARS_MIN} characters`, 'A sentence of a few words is easy to remember.');
}
function enter(world, asked, account, status) {
  asked.cookie = randomUUID();
  asked.status = status;
  account.last_login_at = now();
  world.sessions.set(asked.cookie, { id: randomUUID(), account: account.id, at: now() });
  return shownAccount(account);
}
function passwordLink(world, account) {
  const token = hex(world.links.size + 77, 32);
  world.links.set(token, account);
  return `/password/${token}`;
}

// Service
route('GET', '/accounts', 'admin', (world, { query }) => paged(world.accounts.map(shownAccount), query, 'accounts'));
route('POST', '/accounts', 'admin', (world, asked) => {
  if (world.accounts.some((one) => one.email === asked.body.email)) throw new Refused(409, 'conflict', 'there is an account with this address');
  const account = newAccount(world, asked.body);
  asked.status = 201;
  return { account: shownAccount(account), link: passwordLink(world, account) };
});
route('PATCH', '/accounts/{id}', 'admin', (world, { groups, body }) => shownAccount(Object.assign(found(world.accounts.find((one) => one.id === groups.id), 'account'), body)));
route('POST', '/accounts/{id}/reset', 'admin', (world, { groups }) => ({ link: passwordLink(world, found(world.accounts.find((one) => one.id === groups.id), 'account')) }));
route('GET', '/service/settings', 'admin', (world) => world.settings);
route('PUT', '/service/settings', 'admin', (world, { body }) => Object.assign(world.settings, body));
route('GET', '/service/backups', 'admin', (world) => world.backups);
route('POST', '/service/backups', 'admin', (world, asked) => {
  const moment = new Date();
  const name = `lode-${moment.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-000.tar.zst.age`;
  world.backups.made.unshift({ name, made_at: moment.toISOString(), bytes: 48_213_004 });
  asked.status = 202;
  return world.backups;
});
const auditRows = (rows, query) => paged(rows.filter((one) => one.action.includes(query.get('action') ?? '') && one.actor.name.includes(query.get('actor') ?? '')), query, 'entries');
route('GET', '/audit', 'admin', (world, { query }) => auditRows(world.audit, query));
route('GET', '/audit/head', 'signed_in', (world) => ({ n: world.audit.length, hash: hex(9, 64), signed_at: now(), signature: hex(10, 86), key: hex(11, 43), verified: true, broken_at: null }));
route('GET', '/projects/{p}/audit', 'oversight', (world, { query, project }) => auditRows(world.audit.filter((one) => one.project === project.slug), query));

// Projects, people, keys
route('GET', '/projects', 'signed_in', (world, { account }) => ({ projects: world.projects.flatMap((project) => project.members.filter((one) => one.account.id === account.id).map((member) => shownProject(project, member))) }));
route('POST', '/projects', 'signed_in', (world, asked) => {
  const project = newProject(world, asked.account, asked.body);
  world.record(asked.account, 'project.created', project, { kind: 'project', id: project.id });
  asked.status = 201;
  return shownProject(project, project.members[0]);
});
route('GET', '/projects/{p}', 'member', (_, { project, member }) => shownProject(project, member));
route('DELETE', '/projects/{p}', 'lead', (world, { project }) => { world.projects = world.projects.filter((one) => one !== project); });
route('GET', '/projects/{p}/members', 'lead', (_, { project }) => ({ members: project.members }));
route('POST', '/projects/{p}/members', 'lead', (world, asked) => {
  const { email, name, role, grants } = asked.body;
  const present = world.accounts.find((one) => one.email === email);
  const account = present ?? newAccount(world, { email, name: name || email.split('@')[0] });
  const member = { account: { id: account.id, email, name: account.name }, role, grants, since: now() };
  asked.project.members.push(member);
  asked.status = 201;
  return { ...member, ...(present ? {} : { link: passwordLink(world, account) }) };
});
route('PUT', '/projects/{p}/members/{account_id}', 'lead', (_, { project, groups, body }) => {
  const member = found(project.members.find((one) => one.account.id === groups.account_id), 'member');
  if (body.role !== 'lead' && member.role === 'lead' && project.members.filter((one) => one.role === 'lead').length === 1) throw new Refused(409, 'conflict', 'a project needs a lead', 'Make somebody else the lead first.');
  return Object.assign(member, body);
});
route('DELETE', '/projects/{p}/members/{account_id}', 'lead', (_, { project, groups }) => { project.members = project.members.filter((one) => one.account.id !== groups.account_id); });
route('GET', '/projects/{p}/app-keys', 'lead', (_, { project }) => ({ app_keys: project.keys }));
route('POST', '/projects/{p}/app-keys', 'lead', (world, asked) => {
  const { project, body } = asked;
  const key = { id: randomUUID(), name: body.name, created_at: now(), expires_at: later(body.days), uses: 0, uses_max: body.uses_max, approval: body.approval, address_range: body.address_range, revoked_at: null, held: 0, enrolled: 0 };
  project.keys.unshift(key);
  asked.status = 201;
  // A client that enrols by itself soon after, as it would on a desktop where the lines are run.
  world.later(world.enrol_ms, () => enrol(world, project, key, 'needs_consent'));
  const secret = `lodek_${hex(project.keys.length, 40)}`;
  return { app_key: key, key: secret, install: installLines(secret) };
});
route('DELETE', '/projects/{p}/app-keys/{id}', 'lead', (_, { project, groups }) => { found(project.keys.find((one) => one.id === groups.id), 'key').revoked_at = now(); });
route('POST', '/projects/{p}/app-keys/{id}/purge', 'lead', (_, { project, groups }) => {
  const key = found(project.keys.find((one) => one.id === groups.id), 'key');
  const purged = project.clients.filter((one) => one.app_key === key.id && one.state === 'held').length;
  project.clients = project.clients.filter((one) => one.app_key !== key.id || one.state !== 'held');
  Object.assign(key, { revoked_at: now(), held: 0 });
  return { purged };
});
route('GET', '/projects/{p}/invitations', 'lead', (_, { project, query }) => paged(project.invitations, query, 'invitations'));
route('POST', '/projects/{p}/invitations', 'lead', (world, asked) => {
  const rejects = [];
  const made = [];
  (asked.body.csv ?? '').split('\n').forEach((line, index) => {
    const [name, email, team] = line.split(',').map((one) => one.trim());
    if (!line.trim() || (index === 0 && /^name\b/i.test(line))) return;
    if (email && !email.includes('@')) return rejects.push({ line: index + 1, reason: `"${email}" is no e-mail address` });
    made.push({ id: randomUUID(), name, email: email || null, team: team || null, state: 'invited', created_at: now(), expires_at: later(30), link: `/join/${hex(asked.project.invitations.length + index, 24)}` });
  });
  asked.project.invitations.unshift(...made.map(({ link, ...one }) => one));
  asked.status = 201;
  return { invitations: made, rejects };
});
route('DELETE', '/projects/{p}/invitations/{id}', 'lead', (_, { project, groups }) => { found(project.invitations.find((one) => one.id === groups.id), 'invitation').state = 'revoked'; });
route('GET', '/join/{token}', 'public', (world) => ({
  project: world.projects[0]?.name ?? 'Accounts payable', purposes: world.projects[0]?.purposes ?? [], state: 'invited', consent: [{ lang: 'en', text: 'Until 28 February we record clicks and window changes in SAP, Excel and the order pages.' }],
  what: ['Lode records which windows of SAP, Excel and orders.example.org you use, and which buttons and fields, Monday to Friday from 8:00 to 18:00.', 'It does not record what you type, no pictures, no other program and no other web page.', 'Your name is replaced by a code before it leaves your computer.'], install: installLines('lodek_personal'),
}));

function enrol(world, project, key, state) {
  const client = newClient(project, project.clients.length + 500, key.approval === 'hold' ? 'held' : state, project.revisions.at(-1)?.revision ?? null, key.id);
  project.clients.push(client);
  key.uses += 1;
  key.enrolled += 1;
  tellClient(world, project, client);
  if (key.approval === 'auto') world.later(world.enrol_ms, () => { client.state = 'recording'; tellClient(world, project, client); });
}

function installLines(key) {
  const server = 'https://lode.example.org';
  return [
    { system: 'linux', title: 'Linux, without administrator rights', lines: `curl -fsSLO ${server}/client/lode-agent.tar.gz\ntar xzf lode-agent.tar.gz\nprintf '%s' '${key}' > lode.key\n./lode-agent/install.sh --server ${server} --key-file lode.key` },
    { system: 'debian', title: 'Debian and Ubuntu, for all users', lines: `curl -fsSLO ${server}/client/lode-agent.deb\nsudo apt-get install ./lode-agent.deb\nlode-agent enroll --server ${server} --key ${key}` },
    { system: 'windows', title: 'Windows, one user', lines: `msiexec /i lode-agent.msi SERVER=${server} KEY=${key}` },
    { system: 'windows_msi', title: 'Windows, silent', lines: `msiexec /i lode-agent.msi /qn SERVER=${server} KEY=${key}` },
  ];
}

// Clients
const clean = ({ history, ...client }) => client;
route('GET', '/projects/{p}/clients', 'oversight', (_, { project, query }) => {
  const [search, state, team, sort] = ['search', 'state', 'team', 'sort'].map((name) => query.get(name) ?? '');
  const rows = project.clients.filter((one) => (!search || `${one.name} ${one.agent_id} ${one.team ?? ''}`.toLowerCase().includes(search.toLowerCase())) && (!state || one.state === state) && (!team || one.team === team));
  const by = { last_seen: (one) => one.last_seen_at, version: (one) => one.version, waiting: (one) => one.spool.events, state: (one) => one.state }[sort.replace('-', '')];
  if (by) rows.sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0) * (sort.startsWith('-') ? -1 : 1));
  return { ...paged(rows.map(clean), query, 'clients'), counts: countsOf(project) };
});
const clientOf = ({ project, groups }) => found(project.clients.find((one) => one.agent_id === groups.agent), 'client');
route('POST', '/projects/{p}/clients/approve', 'lead', (world, { project, body }) => {
  const held = project.clients.filter((one) => one.state === 'held' && (!body.app_key || one.app_key === body.app_key));
  for (const client of held) { client.state = 'needs_consent'; tellClient(world, project, client); }
  return { approved: held.length };
});
route('GET', '/projects/{p}/clients/{agent}', 'oversight', (_, asked) => clientOf(asked));
const change = (world, asked, next) => { const client = Object.assign(clientOf(asked), next); client.history.unshift({ at: now(), state: client.state, why: null }); tellClient(world, asked.project, client); return clean(client); };
route('PATCH', '/projects/{p}/clients/{agent}', 'lead', (world, asked) => change(world, asked, { team: asked.body.team || null }));
route('POST', '/projects/{p}/clients/{agent}/approve', 'lead', (world, asked) => change(world, asked, { state: 'needs_consent' }));
route('POST', '/projects/{p}/clients/{agent}/revoke', 'lead', (world, asked) => change(world, asked, { state: 'revoked' }));
route('GET', '/projects/{p}/client-errors', 'oversight', (_, { project }) => ({ errors: project.errors, total: project.errors.length }));
route('GET', '/projects/{p}/dead-letters', 'lead', (_, { project, query }) => paged(project.letters, query, 'dead_letters'));
route('POST', '/projects/{p}/dead-letters/{id}/replay', 'lead', (_, { project, groups }) => { project.letters = project.letters.filter((one) => one.id !== groups.id); return { outcome: 'stored' }; });
route('DELETE', '/projects/{p}/dead-letters/{id}', 'lead', (_, { project, groups }) => { project.letters = project.letters.filter((one) => one.id !== groups.id); });
route('GET', '/projects/{p}/live', 'oversight', () => undefined, { live: true });
route('GET', '/projects/{p}/alerts', 'lead', (_, { project }) => project.alerts);
route('PUT', '/projects/{p}/alerts', 'lead', (_, { project, body }) => Object.assign(project.alerts, body));
route('GET', '/projects/{p}/balance', 'oversight', (_, { project }) => balance(project));
function balance(project) {
  const sum = (name) => project.clients.reduce((total, one) => total + one.balance[name], 0);
  const lost = sum('lost');
  return { clients: project.clients.length, admitted: sum('admitted'), waiting: sum('waiting'), removed: sum('removed'), refused: sum('refused'), stored: sum('stored'), erased: 0, expired: 0, lost, exact: lost === 0, by_rule: [{ rule: 'gate.app', filtered: 120_400 }, { rule: 'gate.site', filtered: 9_310 }] };
}

// Configuration
route('GET', '/config/vocabulary', 'signed_in', () => vocabulary);
const short = ({ xml, header, signature, key, changes, ...revision }) => revision;
route('GET', '/projects/{p}/configuration', 'oversight', (_, { project }) => ({ draft: project.draft, published: project.revisions.at(-1) ? short(project.revisions.at(-1)) : null, rollout: shownRollout(project), preset: project.preset }));
route('PUT', '/projects/{p}/configuration/draft', 'lead', (_, { project, account, body }) => { project.draft = { xml: body.xml, saved_at: now(), saved_by: account.name }; return { saved_at: project.draft.saved_at }; });
const checked = (world, { project, body }) => world.policy.check(body.xml, project.revisions.at(-1)?.xml ?? null, { people: project.clients.length, clients: project.clients.length });
route('POST', '/projects/{p}/configuration/check', 'lead', checked);
route('POST', '/projects/{p}/configuration/preview', 'lead', (world, asked) => world.policy.preview(asked.body.xml, SAMPLE));
route('POST', '/projects/{p}/configuration/explain', 'lead', (world, { body }) => world.policy.explain(body.xml, body.event));
route('POST', '/projects/{p}/configuration/publish', 'lead', (world, asked) => {
  const { problems, valid } = checked(world, asked);
  if (!valid) throw new Refused(422, 'policy', 'the configuration has errors', 'Mend them, then publish.', problems);
  asked.status = 201;
  world.record(asked.account, 'configuration.publish', asked.project, null, { percent: asked.body.percent });
  return short(publishRevision(world, asked.project, asked.account, asked.body.xml, asked.body.note, asked.body.percent));
});
route('POST', '/projects/{p}/configuration/rollout', 'lead', (world, { project, body }) => {
  project.rollout.percent = body.percent;
  Object.assign(project.revisions.at(-1), { percent: body.percent, state: body.percent === 100 ? 'active' : 'rolling_out' });
  roll(world, project);
  return shownRollout(project);
});
route('POST', '/projects/{p}/configuration/rollback', 'lead', (world, asked) => {
  const old = found(asked.project.revisions.find((one) => one.revision === asked.body.revision), 'revision');
  const present = asked.project.revisions.at(-1);
  const made = publishRevision(world, asked.project, asked.account, old.xml, asked.body.note, 100);
  present.state = 'rolled_back';
  asked.status = 201;
  return short(made);
});
route('GET', '/projects/{p}/configuration/revisions', 'oversight', (_, { project, query }) => paged([...project.revisions].reverse().map(short), query, 'revisions'));
route('GET', '/projects/{p}/configuration/revisions/{n}', 'oversight', (_, { project, groups }) => found(project.revisions.find((one) => one.revision === Number(groups.n)), 'revision'));
route('GET', '/projects/{p}/configuration/template', 'lead', (_, { project, query }) => ({ xml: template(project, query.get('preset'), (query.get('apps') ?? '').split(' ').filter(Boolean), (query.get('sites') ?? '').split(' ').filter(Boolean)) }));

const SAMPLE = Array.from({ length: 120 }, (_, index) => [
  { event_type: 'left_click', process_name: 'saplogon.exe', application: 'SAP Logon', window_title: 'FB60 Enter vendor invoice', element_role: 'button', element_name: 'Post', user_name: 'muster', mouse_x: '120' },
  { event_type: 'copy', process_name: 'excel.exe', application: 'Excel', window_title: 'orders.xlsx', element_role: 'cell', row_label: '12', column_label: 'B', user_name: 'muster', text: 'ACME Ltd' },
  { event_type: 'page_loaded', process_name: 'msedge.exe', application: 'Edge', window_title: 'Order 4711 - Edge', url: 'https://orders.example.org/orders/4711?t=abc', url_host: 'orders.example.org', url_template: 'https://orders.example.org/orders/{id}', page_title: 'Order of m.muster@example.org', user_name: 'muster' },
  { event_type: 'left_click', process_name: 'spotify.exe', application: 'Spotify', window_title: 'A song', user_name: 'muster' },
  { event_type: 'scroll', process_name: 'excel.exe', application: 'Excel', window_title: 'orders.xlsx', wheel_units: '3', user_name: 'muster' },
  { event_type: 'page_loaded', process_name: 'msedge.exe', application: 'Edge', window_title: 'News - Edge', url: 'https://news.example.com/', url_host: 'news.example.com', page_title: 'News', user_name: 'muster' },
][index % 6]);

// Privacy
route('GET', '/projects/{p}/privacy', 'oversight', (_, { project }) => ({ min_group_size: project.min_group_size, retention: project.retention, purposes: project.purposes, preset: project.preset, key_epochs: project.epochs }));
route('PATCH', '/projects/{p}/privacy', 'lead', (_, { project, body, account }) => {
  if (body.min_group_size < project.min_group_size) ask(project, account, { kind: 'lower_k', subject: null, value: body.min_group_size, reason: '' });
  else Object.assign(project, body);
  return { min_group_size: project.min_group_size, retention: project.retention, purposes: project.purposes, preset: project.preset, key_epochs: project.epochs };
});
function ask(project, account, wish) {
  const request = { id: randomUUID(), ...wish, asked_by: { id: account.id, name: account.name }, asked_at: now(), state: 'open', decided_by: null, decided_at: null };
  project.requests.unshift(request);
  return request;
}
route('GET', '/projects/{p}/requests', 'identities', (_, { project }) => ({ requests: project.requests }));
route('POST', '/projects/{p}/requests', 'identities', (_, asked) => { asked.status = 201; return ask(asked.project, asked.account, asked.body); });
for (const [word, state] of [['approve', 'approved'], ['refuse', 'refused']]) {
  route('POST', `/projects/{p}/requests/{id}/${word}`, 'identities', (_, { project, groups, account }) => {
    const request = found(project.requests.find((one) => one.id === groups.id), 'request');
    if (word === 'approve' && request.asked_by.id === account.id) throw new Refused(403, 'forbidden', 'who asks cannot approve', 'Another person with the right must approve it.');
    if (word === 'approve' && request.kind === 'lower_k') project.min_group_size = request.value;
    return Object.assign(request, { state, decided_by: { id: account.id, name: account.name }, decided_at: now() });
  });
}
route('GET', '/projects/{p}/requests/{id}', 'identities', (_, { project, groups }) => { const request = found(project.requests.find((one) => one.id === groups.id), 'request'); return { ...request, ...(request.state === 'approved' && request.kind === 'reidentify' ? { person: { name: 'Dora Lind', email: 'dora@example.org' } } : {}) }; });
route('GET', '/projects/{p}/erasures', 'lead', (_, { project }) => ({ erasures: project.erasures }));
route('POST', '/projects/{p}/erasures', 'lead', (_, asked) => {
  const erasure = { id: randomUUID(), state: 'done', subject: asked.body.agent_id ?? asked.body.user, asked_at: now(), done_at: now(), certificate: { rows: 4120, marts: 9, pictures: 0, dead_letters: 1, files_rewritten: 3, sha256: hex(21, 64), signature: hex(22, 86) } };
  asked.project.erasures.unshift(erasure);
  asked.status = 202;
  return erasure;
});
route('GET', '/projects/{p}/people/{agent}/export', 'lead', (_, { groups }) => ({ file: `{"agent_id":"${groups.agent}"}\n`, type: 'application/json', name: 'own-data.json' }));
route('GET', '/projects/{p}/council', 'oversight', (world, { project }) => ({
  configuration: [...project.revisions].reverse().map(({ xml, ...one }) => one), balance: balance(project), k: project.min_group_size, retention: project.retention, preset: project.preset,
  audit_head: { n: world.audit.length, hash: hex(9, 64), signed_at: now(), signature: hex(10, 86), key: hex(11, 43), verified: true, broken_at: null }, screenshots: project.revisions.at(-1)?.screenshots ?? false, text: project.revisions.at(-1)?.text ?? false,
}));
route('GET', '/projects/{p}/documents/{document}', 'oversight', (_, { project, groups }) => ({ file: `# ${groups.document}\n\nProject ${project.name}, smallest group ${project.min_group_size}.\n`, type: 'text/markdown; charset=utf-8', name: `${groups.document}.md` }));
