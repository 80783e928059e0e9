// Walks through the service's pages in a real browser: first run, wizard, editor, people, clients. Each test goes on where the last one ended.
// LODE_URL and LODE_SETUP_TOKEN name a fresh service; without LODE_URL a stand-in is started (dev/fake.mjs), which proves the pages alone.
// LODE_FLEET is a command that gets the address and an app key and enrols a simulated client; the stand-in does that by itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startFake } from '../dev/fake.mjs';
import { address, openPage, startBrowser, useAddress, violations } from './browser.mjs';

const GREEN_MS_MAX = 5_000;
const LIVE_MS_MAX = 5_000;
const TAKEN_MS_MAX = 60_000;
const ADMIN = { name: 'Anna Berg', email: `anna-${Date.now()}@example.org`, password: 'plum carriage under nine lanterns' };
const VIEWER = { name: 'Vera Holm', email: `vera-${Date.now()}@example.org`, password: 'seven quiet harbours and a kite' };
const name = `Orders ${Date.now()}`;

let browser;
let page;
let fake = null;
let fleet = null;
let token = process.env.LODE_SETUP_TOKEN;
let project;
/** Codes of the admin that work once, as soon as there is a second factor. */
let recovery = [];

before(async () => {
  if (!process.env.LODE_URL) {
    fake = await startFake({ fresh: true });
    useAddress(fake.url);
    token = fake.setup_token;
  }
  browser = await startBrowser();
  page = await openPage(browser);
});

after(async () => {
  await browser?.close();
  fleet?.kill();
  fake?.close();
});

let stopped = null;

/** One step of the walk. After a step has failed the others cannot go on, so they fail at once and say which it was; LODE_SHOTS names a folder for a picture. */
function step(title, options, walk = options) {
  test(title, typeof options === 'object' ? options : {}, async (context) => {
    if (stopped) assert.fail(`not walked, because this failed: ${stopped}`);
    try {
      await walk(context);
    } catch (cause) {
      stopped = title;
      if (process.env.LODE_SHOTS) await picture(process.env.LODE_SHOTS);
      throw cause;
    }
  });
}

/** A picture of every page that is open, with the number it was opened at. */
async function picture(folder) {
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [number, one] of pages.entries()) await one.screenshot({ path: join(folder, `failed-${number}.png`), fullPage: true });
}

/** Opens an address and waits until nothing is loading. A page that listens live never falls silent, so the network is no sign. */
async function open(place, on = page) {
  await on.goto(address + place);
  await ready(on);
}
const ready = (on = page) => on.waitForFunction(() => document.querySelector('h1, h2') && !document.querySelector('.skeleton, [aria-busy="true"]'));
const press = (label, on = page) => on.getByRole('button', { name: label, exact: true }).click();
const says = (text, on = page) => on.getByText(text).first().waitFor();

async function signIn(who, on = page) {
  await on.getByLabel('E-mail address').fill(who.email);
  await on.getByLabel('Password').fill(who.password);
  await press('Sign in', on);
  if (!recovery.length || who.password !== ADMIN.password) return;
  await on.getByLabel(/code/i).fill(recovery.pop());
  await press('Sign in', on);
}

/** The code that an authenticator application shows now (RFC 6238): six digits, for half a minute. */
function codeNow(secret) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/[^A-Z2-7]/g, '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

step('u2_the set-up link makes the first account, once', async () => {
  await open(`/setup#${token}`);
  await page.getByLabel('Name').fill(ADMIN.name);
  await page.getByLabel('E-mail address').fill(ADMIN.email);
  await page.getByLabel('Password').fill(ADMIN.password);
  await press('Make the first account');
  await page.getByRole('heading', { name: 'How does the project begin?' }).waitFor();
  const again = await fetch(`${address}/api/v1/setup`, { method: 'POST', headers: { 'content-type': 'application/json', origin: address }, body: JSON.stringify({ token, ...ADMIN }) });
  assert.equal(again.status, 404);
});

step('a wrong password is told, and the right one leads back to the page one wanted', async () => {
  await page.context().clearCookies();
  await open('/new');
  await signIn({ ...ADMIN, password: 'not the right one at all' });
  await page.locator('.error-note').waitFor();
  await signIn(ADMIN);
  await page.getByRole('heading', { name: 'How does the project begin?' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/new');
});

step('s9_an admin whom a stolen password would be manages nothing, until a second factor is set up', async () => {
  await open('/service/accounts');
  await says('this needs an account with a second factor');
  await page.getByRole('link', { name: 'Set up a second factor' }).first().click();
  await press('Set it up');
  const secret = await page.locator('pre[aria-label="Secret for your authenticator application"]').innerText();
  await page.getByLabel(/^Code/).fill(fake ? '123456' : codeNow(secret));
  await press('Switch it on');
  recovery = (await page.locator('pre[aria-label="Recovery codes"]').innerText()).trim().split(/\s+/);
  assert.equal(new Set(recovery).size, 10);
  await open('/service/accounts');
  await page.getByRole('row', { name: new RegExp(ADMIN.name) }).waitFor();
  await open('/new');
});

step('u2_the wizard leads to a key, and the first client turns it green', async () => {
  await page.getByRole('button', { name: /Record with Lode/ }).click();
  await page.getByLabel('Name of the project').fill(name);
  await page.getByLabel('What is it for?').fill('See where orders wait');
  await press('Next');
  await page.getByRole('radio', { name: /Standard/ }).check();
  await press('Next');
  await press('+ excel.exe');
  await press('+ msedge.exe');
  assert.equal(await page.getByRole('button', { name: 'Next' }).isDisabled(), true, 'a browser without sites is not let through');
  await page.getByRole('textbox', { name: 'Sites inside the browser' }).or(page.getByRole('combobox', { name: 'Sites inside the browser' })).fill('https://Orders.example.org/new');
  await page.keyboard.press('Enter');
  await press('Next');
  await says('The configuration is valid and its tests pass.');
  const xml = await page.locator('.new-xml').innerText();
  assert.match(xml, /host="orders\.example\.org"/);
  assert.doesNotMatch(xml, /process="[^"]*msedge\.exe[^"]*"\/>/, 'no browser is allowed everywhere');
  await press('Publish and make an app key');
  const key = await page.locator('pre[aria-label="App key"]').innerText();
  assert.match(key, /^lodek_/);
  await page.locator('[data-arrived="0"]').waitFor();
  if (process.env.LODE_FLEET) fleet = spawn(process.env.LODE_FLEET, [address, key], { stdio: 'inherit', shell: true });
  const list = await (await page.request.get(`${address}/api/v1/projects`)).json();
  project = list.projects.find((one) => one.name === name).slug;
  if (process.env.LODE_URL && !process.env.LODE_FLEET) return;
  const begun = await firstClient();
  await page.locator('[data-arrived]:not([data-arrived="0"])').waitFor({ timeout: GREEN_MS_MAX });
  assert.ok(Date.now() - begun <= GREEN_MS_MAX, `${Date.now() - begun} ms`);
  await page.getByRole('link', { name: 'See the clients' }).click();
  await page.getByRole('heading', { level: 1, name: 'Clients' }).waitFor();
});

/** Waits until the service itself knows a client; from then the page has its time. */
async function firstClient() {
  const begun = Date.now();
  while (Date.now() - begun < TAKEN_MS_MAX) {
    const { total } = await (await page.request.get(`${address}/api/v1/projects/${project}/clients`)).json();
    if (total > 0) return Date.now();
  }
  return assert.fail('no client has enrolled; look at what LODE_FLEET says');
}

/** True where the service does not know a call yet; the page then says so, and the step looks at that alone. */
async function missing(call, place) {
  const answer = await page.request.get(`${address}/api/v1/projects/${project}/${call}`);
  if (answer.status() !== 404) return false;
  await open(place);
  await page.locator('[data-missing="true"]').waitFor();
  return true;
}

step('u3_the clients page shows state and balance, and follows live', { skip: process.env.LODE_URL && !process.env.LODE_FLEET }, async () => {
  await open(`/p/${project}/clients`);
  await page.locator('[data-live="true"]').waitFor();
  await page.locator('tbody [data-state="recording"]').first().waitFor({ timeout: fake ? LIVE_MS_MAX : TAKEN_MS_MAX });
  await says('lost = 0');
  await page.locator('tbody th button').first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/admitted − .* stored − .* waiting/).waitFor();
  const state = dialog.locator('[data-state="revoked"]').first();
  await press('Revoke', dialog);
  await page.getByRole('dialog', { name: /^Revoke/ }).getByRole('button', { name: 'Revoke', exact: true }).click();
  await state.waitFor({ timeout: LIVE_MS_MAX });
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /Revoked/ }).first().waitFor();
});

const text = () => page.evaluate(() => document.querySelector('.cm-content').cmTile?.view?.state.doc.toString() ?? document.querySelector('.cm-content').innerText);

step('an edit in the sections stands in the text, and the rest of the text stays', async () => {
  await open(`/p/${project}/configuration?view=both&section=applications`);
  await page.locator('.cm-content').waitFor();
  const before = await text();
  await page.getByRole('group', { name: 'excel.exe', exact: true }).getByRole('combobox', { name: 'Executables' }).fill('winword.exe');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.cm-content').innerText.includes('excel.exe winword.exe'));
  const lines = (await text()).split('\n').filter((line) => !before.split('\n').includes(line));
  assert.deepEqual(lines.map((line) => line.trim()), ['<app process="excel.exe winword.exe"/>']);
});

step('more than before asks for a new consent, and one press raises the version', async () => {
  await page.locator('[data-valid="false"]').waitFor();
  await page.getByRole('button', { name: /^Consent/ }).click();
  await press('Raise to 2');
  await page.locator('[data-valid="true"][data-checking="false"]').waitFor();
});

step('text that is broken is told at its line, and the sections wait until it is mended', async () => {
  await findInText('<rules>');
  await page.keyboard.press('End');
  await page.keyboard.type('<rule');
  await page.locator('.cm-lint-marker-error').first().waitFor();
  await says('The sections can be shown again as soon as the text is whole XML.');
  for (let count = 0; count < '<rule'.length; count += 1) await page.keyboard.press('Backspace');
  await page.locator('[data-valid="true"][data-checking="false"]').waitFor();
});

step('a wrong word is told with line and column, and a press on it goes there', async () => {
  await findInText('@window');
  await page.keyboard.type('@window windowtitle');
  await page.locator('[data-valid="false"]').waitFor();
  await page.getByRole('button', { name: /1 error/ }).click();
  const problem = page.locator('.problem').first();
  assert.match(await problem.innerText(), /Line \d+, column \d+[\s\S]*windowtitle/);
  await problem.click();
  await page.waitForFunction(() => document.activeElement?.classList.contains('cm-content'));
  assert.match(await page.locator('.cm-activeLine').innerText(), /windowtitle/);
  await findInText(' windowtitle');
  await page.keyboard.press('Delete');
  await page.locator('[data-valid="true"][data-checking="false"]').waitFor();
});

/** Marks words in the text, as a person does with the mouse. */
async function findInText(words) {
  await page.locator('.cm-content').click();
  await page.evaluate((wanted) => {
    const walker = document.createTreeWalker(document.querySelector('.cm-content'), NodeFilter.SHOW_TEXT);
    const line = [...document.querySelectorAll('.cm-line')].find((one) => one.textContent.includes(wanted));
    if (!line) throw new Error(`no line with ${wanted}`);
    const at = line.textContent.indexOf(wanted);
    const range = document.createRange();
    let seen = 0;
    walker.currentNode = line;
    for (let node = walker.nextNode(); node && line.contains(node); node = walker.nextNode()) {
      const end = seen + node.length;
      if (at >= seen && at < end) range.setStart(node, at - seen);
      if (at + wanted.length > seen && at + wanted.length <= end) range.setEnd(node, at + wanted.length - seen);
      seen = end;
    }
    document.getSelection().removeAllRanges();
    document.getSelection().addRange(range);
  }, words);
  await page.waitForFunction((wanted) => document.getSelection().toString() === wanted, words);
}

step('a rule is copied and moved with the keyboard alone, and the grid of columns writes its words', async () => {
  await open(`/p/${project}/configuration?view=both&section=rules&rule=0`);
  await press('Copy the rule');
  await page.getByLabel('Name', { exact: true }).fill('no titles');
  const up = page.getByRole('button', { name: 'Move up: no titles' });
  await up.focus();
  await page.keyboard.press('Enter');
  await says('no titles is now 1 of 2');
  await page.getByRole('radio', { name: 'window_title: Hashed' }).check();
  await page.getByRole('button', { name: 'Add a condition' }).click();
  await page.getByLabel('Values').fill('winword.exe|notepad.exe');
  const xml = await text();
  assert.ok(xml.indexOf('name="no titles"') < xml.indexOf('name="allowed work"'));
  assert.match(xml, /<equals column="process_name" values="winword\.exe\|notepad\.exe"\/>/);
  await page.locator('[data-valid="true"][data-checking="false"]').waitFor();
  assert.match(await page.getByRole('group', { name: 'When' }).innerText(), /Add to this group|Add a condition/);
});

step('the preview tells what each rule and each column would become', async () => {
  await page.getByRole('link', { name: 'Preview' }).click();
  await page.getByRole('group', { name: 'What each rule does' }).getByRole('row', { name: /no titles/ }).waitFor();
  await page.locator('.preview-events summary').first().click();
  await page.getByRole('columnheader', { name: 'Before' }).first().waitFor();
});

step('u7_publishing shows what changes and whom it reaches, then goes out in steps', async () => {
  await page.getByRole('link', { name: 'Changes' }).click();
  await page.locator('.diff-new', { hasText: 'excel.exe winword.exe' }).waitFor();
  await says('captures more');
  await press('Publish …');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/Affects \d+ (person|people)/).waitFor();
  await dialog.getByLabel('Note').fill('Word, too');
  await dialog.getByRole('radio', { name: '5 %', exact: true }).check();
  await press('Sign and publish', dialog);
  await says('Revision 2 for 5 % of the clients');
  await press('Widen to 100 %');
  await says('Revision 2 for 100 % of the clients');
});

step('u7_one press goes back to the revision before', async () => {
  await press('Roll back to revision 1');
  await says('Revision 3 for 100 % of the clients');
  await page.getByRole('link', { name: 'Revisions' }).click();
  await page.getByRole('row', { name: /Revision 2.*Rolled back/ }).waitFor();
  await page.getByRole('button', { name: 'Revision 3', exact: true }).click();
  assert.doesNotMatch(await page.getByRole('dialog').locator('.diff').innerText().catch(() => ''), /\+.*winword/);
  await page.keyboard.press('Escape');
});

let joinLink;

step('people are invited from a list, and what is no person is told', async () => {
  await open(`/p/${project}/people/invitations`);
  await press('Invite people');
  await page.getByLabel('One person per line').fill('name,email,team\nDora Lind,dora@example.org,Tax\nEmil Noor,not an address,Tax');
  await press('Invite 2 people');
  await says('1 line was not taken');
  const links = await page.locator('.link-list').innerText();
  assert.match(links, /Dora Lind[\s\S]*\/join\//);
  joinLink = /\/join\/\S+/.exec(links)[0];
  await press('Done');
  await page.getByRole('row', { name: /Dora Lind.*Invited/ }).waitFor();
});

step('u8_who is invited reads in plain words what is recorded, without an account', async () => {
  const theirs = await openPage(browser, { bypassCSP: true });
  await open(joinLink, theirs);
  await says('What is recorded, and what is not', theirs);
  await says(/Pause at any time, without a reason/, theirs);
  await theirs.locator('pre', { hasText: 'lodek_' }).waitFor();
  assert.deepEqual(await violations(theirs), []);
  await theirs.context().close();
});

step('a key that is revoked is told to be, without a new load', async () => {
  await page.getByRole('link', { name: 'App keys' }).click();
  await press(`Revoke ${name}`);
  await press('Revoke', page.getByRole('dialog'));
  await page.getByRole('row', { name: new RegExp(`${name}.*Revoked`) }).waitFor();
});

step('s11_a viewer is let in by a link, sees its pages only, and is told who can change that', async () => {
  await page.getByRole('link', { name: 'Members' }).click();
  await press('Add a member');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('E-mail address').fill(VIEWER.email);
  await dialog.getByLabel('Name').fill(VIEWER.name);
  await dialog.getByRole('radio', { name: /^Viewer/ }).check();
  await press('Add a member', dialog);
  const link = await dialog.locator('pre').innerText();
  await press('Done', dialog);
  const theirs = await openPage(browser);
  await theirs.goto(link.replace(/^https?:\/\/[^/]+/, address));
  await theirs.getByLabel('New password').fill(VIEWER.password);
  await press('Set the password and sign in', theirs);
  await theirs.waitForURL((url) => !url.pathname.startsWith('/password/'));
  await ready(theirs);
  assert.equal(await theirs.getByRole('link', { name: 'Configuration' }).count(), 0);
  await open(`/p/${project}/configuration`, theirs);
  await says('Your role does not open this page', theirs);
  await says(/A project lead can change your role/, theirs);
  assert.deepEqual(theirs.faults, []);
  await theirs.context().close();
});

/** Makes somebody one who may approve: a request needs a second one from the start. */
async function letDecide(person) {
  const members = `${address}/api/v1/projects/${project}/members`;
  const known = (await (await page.request.get(members)).json()).members.find((member) => member.account.email === person.email);
  const answer = await page.request.put(`${members}/${known.account.id}`, { data: { role: 'council', grants: ['identities'] } });
  assert.equal(answer.status(), 200, await answer.text());
}

step('a name is lifted by two people only', async () => {
  if (await missing('requests', `/p/${project}/privacy/requests`)) return;
  await open(`/p/${project}/people/members`);
  await press(`Change ${ADMIN.name}`);
  await page.getByRole('checkbox', { name: /^Identities/ }).check();
  await press('Save', page.getByRole('dialog'));
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await letDecide(VIEWER);
  await open(`/p/${project}/privacy/requests`);
  await press('Ask');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox').selectOption({ label: 'Show smaller groups' });
  await dialog.getByLabel('Smallest group that is shown, people').fill('3');
  await dialog.getByLabel('Reason').fill('A small team');
  await press('Ask', dialog);
  const row = page.getByRole('row', { name: /Show smaller groups/ });
  await row.getByText('Another person must approve').waitFor();
  assert.equal(await row.getByRole('button', { name: 'Approve' }).count(), 0);
  await press('Withdraw', row);
  await row.getByText('Refused').waitFor();
});

step('d6_raising the smallest group works at once', async () => {
  if (await missing('privacy', `/p/${project}/privacy/protection`)) return;
  await open(`/p/${project}/privacy/protection`);
  await page.getByLabel('Smallest group that is shown, people').fill('7');
  await press('Save');
  await says('Saved.');
});

step('a token for a program is shown once', async () => {
  await open('/account');
  await press('New token');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('notebook');
  await press('Make the token', dialog);
  assert.match(await dialog.locator('pre').innerText(), /^lodet_/);
  await press('Done', dialog);
  await page.getByRole('row', { name: /notebook/ }).waitFor();
  assert.equal(await page.getByText('lodet_').count(), 0);
});

step('u8_the service saves itself while it goes on', async () => {
  await open('/service/backups');
  await says('None yet.');
  await press('Back up now');
  await page.getByRole('row', { name: /lode-\d{8}-\d{6}-\d{3}\.tar\.zst/ }).waitFor();
});

step('d10_oversight shows revisions, counters and the chain, and no content', async () => {
  if (!(await missing('council', `/p/${project}/oversight`))) {
    await open(`/p/${project}/oversight`);
    await says('Revision 3');
    await says('Every event is accounted for.');
  }
  await page.getByRole('link', { name: 'Audit log' }).click();
  await says(/The chain is whole/);
  await page.getByRole('row', { name: /configuration\.publish/ }).first().waitFor();
});

const PAGES = () => [
  '/new', '/account', '/service/accounts', '/service/settings', '/service/backups', '/service/audit', `/p/${project}/privacy/protection`, `/p/${project}/privacy/requests`, `/p/${project}/privacy/erasures`,
  `/p/${project}/privacy/documents`, `/p/${project}/oversight`, `/p/${project}/oversight/audit`, `/p/${project}/clients`, `/p/${project}/clients/errors`, `/p/${project}/clients/letters`, `/p/${project}/people/members`, `/p/${project}/people/keys`, `/p/${project}/people/invitations`,
  ...['applications', 'rules&rule=0', 'redaction', 'screenshots', 'consent', 'schedule', 'attributes', 'capture', 'storage', 'extension', 'tests'].map((section) => `/p/${project}/configuration?view=visual&section=${section}`),
  `/p/${project}/configuration?view=both&section=rules&rule=0`, `/p/${project}/configuration?view=text`, `/p/${project}/configuration/preview`, `/p/${project}/configuration/changes`, `/p/${project}/configuration/revisions`,
];

/** All four looks with the stand-in where LODE_AXE=all asks for it; one look at each page otherwise, which is what a build has time for. */
const LOOKS = process.env.LODE_AXE === 'all' ? [['light', 1280], ['light', 390], ['dark', 1280], ['dark', 390]] : [['light', 1280]];

for (const [theme, width] of LOOKS) {
  step(`u6_axe finds nothing: ${theme}, ${width} px wide`, async () => {
    const looked = await openPage(browser, { theme, width, bypassCSP: true });
    await open('/new', looked);
    const found = (await violations(looked)).map((line) => `sign-in · ${line}`);
    await signIn(ADMIN, looked);
    await looked.getByRole('heading', { name: 'How does the project begin?' }).waitFor();
    for (const one of PAGES()) {
      await open(one, looked);
      for (const line of await violations(looked)) found.push(`${one} · ${line}`);
      const beyond = await looked.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (beyond > 0) found.push(`${one} · ${beyond} px wider than the window`);
    }
    assert.deepEqual(found, []);
    await looked.context().close();
  });
}

step('no page made the browser complain', () => assert.deepEqual(page.faults, []));
