// Walks through the screenshots in a real browser on the real service, whose pictures simulated clients draw and send.
// LODE_URL and LODE_SETUP_TOKEN name a fresh service; LODE_FLEET is a command that gets the address and an app key. Each step goes on where the last one ended.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { address, openPage, startBrowser, violations } from './browser.mjs';

const ARRIVED_MS_MAX = 60_000;
const LEAD = { name: 'Anna Berg', email: 'anna@example.org', password: 'plum carriage under nine lanterns' };
const ANALYST = { name: 'Ben Rau', email: 'ben@example.org', password: 'seven quiet harbours and a kite' };
/** What the made-up windows draw where their element is. */
const ELEMENT = [40, 96, 200];

let browser;
let page;
let fleet;
let slug;

before(async () => {
  browser = await startBrowser();
  page = await openPage(browser);
  const api = caller(page);
  const account = await api('POST', '/setup', { token: process.env.LODE_SETUP_TOKEN, ...LEAD });
  const project = await api('POST', '/projects', { name: 'Orders', kind: 'enrolled' });
  slug = project.slug;
  const apps = ['excel.exe', 'outlook.exe', 'saplogon.exe'].map((app) => `app=${app}`).join('&');
  const { xml } = await api('GET', `/projects/${slug}/template?preset=standard&${apps}`);
  await api('POST', `/projects/${slug}/configuration/publish`, { xml: withPictures(xml), note: '', percent: 100 });
  await api('PUT', `/projects/${slug}/members/${account.id}`, { role: 'lead', grants: ['raw', 'pictures'] });
  const made = await api('POST', `/projects/${slug}/members`, { email: ANALYST.email, name: ANALYST.name, role: 'analyst', grants: ['raw'] });
  // Not in the lead's browser, which would be signed in as somebody else by it.
  const theirs = await openPage(browser);
  await caller(theirs)('POST', `/password-links/${made.link.split('/password/')[1]}`, { password: ANALYST.password });
  await theirs.context().close();
  const { key } = await api('POST', `/projects/${slug}/app-keys`, { name: 'fleet' });
  fleet = spawn(process.env.LODE_FLEET, [address, key], { stdio: 'ignore', shell: true, detached: true });
  await until(async () => (await api('GET', `/projects/${slug}/analyses/screenshots?limit=1`).catch(() => ({ total: 0 }))).total > 40);
  // Enough: what is looked at from here on stands still.
  process.kill(-fleet.pid);
});

after(async () => {
  await browser?.close();
  try { process.kill(-fleet.pid); } catch { /* it has ended */ }
});

const caller = (on) => async (method, path, body) => {
  const answer = await on.request.fetch(`${address}/api/v1${path}`, { method, data: body, headers: { origin: address } });
  const text = await answer.text();
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${text}`);
  return text ? JSON.parse(text) : null;
};

/** Waits for something that only happens elsewhere, by asking again. */
async function until(is) {
  const end = Date.now() + ARRIVED_MS_MAX;
  while (!(await is())) {
    assert.ok(Date.now() < end, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const withPictures = (xml) => xml
  .replace('</consent>', '<pictures lang="en">Pictures of the windows are taken.</pictures></consent>')
  .replace('<rules>', '<screenshots enabled="true"/><rules>')
  .replace('<log ', '<log screenshot="window" ');

const shown = (on = page) => on.locator('.picture[data-shown]').getAttribute('data-shown');
/** Opens an address and waits for its picture. */
async function open(place, on = page) {
  await on.goto(address + place);
  await on.locator('.screenshots .picture[data-shown], .event-fact').first().waitFor();
}
/** The colour of the picture at shares of its sides, read from what the browser decoded. */
const colourAt = (left, top) => page.evaluate(([x, y]) => {
  const image = document.querySelector('.picture img');
  const canvas = Object.assign(document.createElement('canvas'), { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext('2d').drawImage(image, 0, 0);
  return [...canvas.getContext('2d').getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data].slice(0, 3);
}, [left, top]);
const shares = () => page.locator('.picture-element').evaluate((mark) => [mark.style.left, mark.style.top, mark.style.width, mark.style.height].map((side) => Number.parseFloat(side) / 100));

test('the mark stands where the element is in the pixels, on one picture after the other', async () => {
  await open(`/p/${slug}/screenshots`);
  const seen = new Set();
  for (let count = 0; count < 8; count += 1) {
    const [left, top, width, height] = await shares();
    assert.deepEqual(await colourAt(left + width / 2, top + height / 2), ELEMENT);
    for (const [x, y] of [[left - 0.01, top + height / 2], [left + width + 0.01, top + height / 2], [left + width / 2, top - 0.01], [left + width / 2, top + height + 0.01]]) {
      assert.notDeepEqual(await colourAt(x, y), ELEMENT);
    }
    const before = await shown();
    seen.add(before);
    await page.keyboard.press(count % 2 ? 'j' : 'ArrowRight');
    await page.waitForFunction((id) => { const now = document.querySelector('.picture')?.dataset.shown; return now && now !== id; }, before);
  }
  assert.equal(seen.size, 8);
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction((known) => known.includes(document.querySelector('.picture')?.dataset.shown), [...seen]);
});

test('the address is a permanent link, and stopping at a type passes over the others', async () => {
  const id = await shown();
  const again = await page.context().newPage();
  await again.goto(page.url());
  await again.locator('.picture[data-shown]').waitFor();
  assert.equal(await shown(again), id);
  await again.close();
  const types = await page.getByLabel('Stop at').locator('option').allInnerTexts();
  await page.getByLabel('Stop at').selectOption(types.at(-1));
  await page.locator('.screenshots-head h2').click();
  const events = await caller(page)('GET', `/projects/${slug}/analyses/screenshots?limit=10000`);
  const column = (name) => events.columns.findIndex((one) => one.name === name);
  await page.keyboard.press('ArrowRight');
  await until(async () => {
    const event = new URL(page.url()).searchParams.get('event');
    const row = events.rows.find((one) => String(one[column('event')]) === event);
    return row && row[column('event_type')] === types.at(-1);
  });
});

test('zoomed in, the element stays in sight and the picture scrolls by keyboard', async () => {
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  const inside = () => page.evaluate(() => {
    const frame = document.querySelector('.picture-frame').getBoundingClientRect();
    const mark = document.querySelector('.picture-element').getBoundingClientRect();
    return mark.left >= frame.left - 1 && mark.right <= frame.right + 1;
  });
  await page.waitForFunction(() => document.querySelector('.picture-frame-zoomed'));
  assert.ok(await inside());
  await page.getByRole('button', { name: 'Fit all' }).click();
});

test('a reported picture is gone for others at once; a lead looks, and shows it again', async () => {
  const id = await shown();
  await page.getByRole('button', { name: 'Report as sensitive' }).click();
  await page.getByText('Nobody but project leads sees it until you decide.').waitFor();
  await page.getByRole('button', { name: 'Show it again' }).click();
  await page.getByRole('button', { name: 'Report as sensitive' }).waitFor();
  const { entries } = await caller(page)('GET', `/projects/${slug}/audit?limit=200`);
  const told = entries.filter((entry) => entry.subject?.id === id).map((entry) => entry.action);
  for (const action of ['picture.open', 'picture.report', 'picture.release']) assert.ok(told.includes(action), `${action}: ${told}`);
});

test('with the keyboard alone a lead covers a part, which is black from then on', async () => {
  const [left, top] = [0.5, 0.5];
  assert.notDeepEqual(await colourAt(left, top), [0, 0, 0]);
  await page.getByRole('button', { name: 'Cover a part' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('.picture-cover').waitFor();
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cover for good' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('.picture-mask', { hasText: 'covered by a lead' }).waitFor();
  await page.waitForFunction(() => document.querySelector('.picture')?.dataset.shown);
  await until(async () => (await colourAt(left, top)).every((value) => value === 0));
});

test('the timeline shows the picture beside its event, and leads to it large', async () => {
  const event = new URL(page.url()).searchParams.get('event');
  await page.getByRole('link', { name: 'In the timeline' }).click();
  await page.locator('.picture[data-shown]').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('event'), event);
  const id = await shown();
  await page.getByRole('link', { name: 'Larger' }).click();
  await page.locator('.screenshots .picture[data-shown]').waitFor();
  assert.equal(await shown(), id);
});

test('who has no grant for pictures sees neither them nor that there are any', async () => {
  const theirs = await openPage(browser);
  const api = caller(theirs);
  await api('POST', '/login', { email: ANALYST.email, password: ANALYST.password });
  await theirs.goto(`${address}/p/${slug}/screenshots`);
  await theirs.getByText('Your role does not open this page').waitFor();
  assert.equal(await theirs.getByRole('link', { name: 'Screenshots' }).count(), 0);
  const events = await api('GET', `/projects/${slug}/analyses/time_line?limit=5`);
  assert.ok(events.rows.length > 0 && events.columns.every((column) => column.name !== 'screenshot_id'));
  const refused = await theirs.request.get(`${address}/api/v1/projects/${slug}/screenshots/${await shown()}/png`);
  assert.equal(refused.status(), 403);
  assert.deepEqual(theirs.faults, []);
  await theirs.context().close();
});

for (const [theme, width] of [['light', 1280], ['dark', 390]]) {
  test(`axe finds nothing: ${theme}, ${width} px wide`, async () => {
    const looked = await openPage(browser, { theme, width, bypassCSP: true });
    await caller(looked)('POST', '/login', { email: LEAD.email, password: LEAD.password });
    for (const place of ['screenshots', 'timeline']) {
      await open(`/p/${slug}/${place}`, looked);
      assert.deepEqual(await violations(looked), []);
      const beyond = await looked.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(beyond <= 0, `${place}: ${beyond} px wider than the window`);
      if (process.env.LODE_SHOTS) await looked.screenshot({ path: `${process.env.LODE_SHOTS}/${place}-${theme}-${width}.png` });
    }
    await looked.context().close();
  });
}

test('no page made the browser complain', () => assert.deepEqual(page.faults, []));
