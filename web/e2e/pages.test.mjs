// Walks through the pages in a real browser against a running service: LODE_URL names it.
// A project of its own is made by dropping a log on the window; the later tests look at that project.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { address, dropFile, openPage, settled, smallLog, startBrowser, violations, visit } from './browser.mjs';

const CANCEL_MS_MAX = 2_000;
const ENDLESS = 'SELECT count(*) FROM generate_series(1, 100000000000)';
const PAGES = ['overview', 'applications', 'switching', 'copy-paste', 'map', 'variants', 'tasks', 'automation', 'timeline', 'data', 'data/sql', 'data/jobs', 'data/runs', 'data/exports', 'import'];

const name = `Orders ${Date.now()}`;
const log = smallLog();
let browser;
let page;
let project;

before(async () => {
  browser = await startBrowser();
  page = await openPage(browser);
});

after(async () => {
  if (project) await fetch(`${address}/api/v1/projects/${project}`, { method: 'DELETE', headers: { 'content-type': 'application/json', origin: address } });
  await browser?.close();
});

test('a log dropped on the window becomes a project with figures', async () => {
  await visit(page, '/');
  await dropFile(page, 'orders.csv', log.text);
  await page.getByLabel('Into the project').selectOption({ label: 'A new project' });
  await page.getByLabel('Name of the new project').fill(name);
  await page.getByRole('button', { name: 'Import 1 file' }).click();
  await page.locator('[data-state="done"]').waitFor({ timeout: 60_000 });
  const result = await page.locator('article.upload').innerText();
  assert.match(result, new RegExp(`${log.good} stored`));
  assert.match(result, new RegExp(`${log.broken} rejected`));
  assert.match(result, new RegExp(`Line ${log.good + 2}:`));
  project = new URL(page.url()).pathname.split('/')[2];
  await page.getByRole('link', { name: 'See the figures' }).click();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await settled(page);
  assert.match(await page.locator('.figures').first().innerText(), new RegExp(`Events\\s+${log.good}`));
});

test('the same bytes again are told to be a duplicate', async () => {
  await visit(page, `/p/${project}/import`);
  await dropFile(page, 'orders.csv', log.text);
  await page.getByRole('button', { name: 'Import 1 file' }).click();
  await page.locator('[data-state="duplicate"]').waitFor({ timeout: 30_000 });
});

test('every page opens without an error', async () => {
  for (const one of PAGES) {
    await visit(page, `/p/${project}/${one}`);
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, one);
    assert.equal(await page.locator('.error-note').count(), 0, `${one}: ${await page.locator('.error-note').allInnerTexts()}`);
  }
});

test('a press on an application filters, and the filter holds on the next page', async () => {
  await visit(page, `/p/${project}/overview`);
  await page.locator('.bar-row', { hasText: 'Excel' }).first().click();
  await page.getByRole('button', { name: /Remove the filter Application: .*Excel/ }).waitFor();
  await page.getByRole('link', { name: 'Variants' }).first().click();
  await page.getByRole('button', { name: /Remove the filter Application: .*Excel/ }).waitFor();
  assert.match(page.url(), /application=.*Excel/);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  assert.doesNotMatch(page.url(), /application=/);
});

test('from an activity of the map one comes to its cases and their events', async () => {
  await visit(page, `/p/${project}/map`);
  await page.locator('.map-node[data-activity]').first().click();
  await page.getByRole('link', { name: 'Cases with this activity' }).click();
  await page.getByRole('heading', { level: 1, name: 'Timeline' }).waitFor();
  await page.getByRole('option').first().waitFor();
  assert.match(page.url(), /step=/);
  assert.match(page.url(), /case=/);
});

test('from a path of the map one comes to the cases with that step', async () => {
  await visit(page, `/p/${project}/map`);
  await page.getByRole('button', { name: 'Fit all' }).click();
  const step = page.locator('.map-step').filter({ hasNot: page.locator('title', { hasText: /Start|End/ }) }).first();
  await step.locator('text').click();
  await page.getByRole('link', { name: 'Cases with this step' }).click();
  await page.getByText(/Cases with the step/).waitFor();
  await page.getByRole('option').first().waitFor();
});

test('the map has a slider with a field, a table twin and pictures', async () => {
  await visit(page, `/p/${project}/map`);
  await page.getByLabel('Activities, %').fill('90');
  await page.waitForURL(/activities=90/);
  const [picture] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download: Process map' }).click().then(() => page.getByRole('button', { name: 'Picture as PNG' }).click()),
  ]);
  assert.match(picture.suggestedFilename(), /\.png$/);
  await page.getByRole('radio', { name: 'Table' }).check();
  assert.equal(await page.getByRole('table').count(), 2);
});

test('the task behind the orders is found, opened and renamed with the keyboard, and the name survives a new run of the jobs', async () => {
  await visit(page, `/p/${project}/tasks`);
  const first = page.getByRole('table').first().getByRole('link').first();
  const before = await first.innerText();
  await tabTo(before);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 2, name: before }).waitFor();
  await settled(page);
  assert.ok(await page.locator('.map-node[data-activity]').count() > 2, 'the flow is not drawn');
  await tabTo('Rename');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('Enter an order');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 2, name: 'Enter an order' }).waitFor({ timeout: 30_000 });
  const again = await fetch(`${address}/api/v1/projects/${project}/runs`, { method: 'POST', headers: { 'content-type': 'application/json', origin: address }, body: '{"all":true}' });
  const { run } = await again.json();
  await page.waitForFunction(async ([slug, id]) => {
    const { runs } = await (await fetch(`/api/v1/projects/${slug}/runs?run=${id}&limit=1000`)).json();
    return runs.some((one) => one.job === 'automation_candidates' && one.state === 'done');
  }, [project, run], { timeout: 60_000, polling: 500 });
  await visit(page, `/p/${project}/tasks`);
  await page.getByRole('link', { name: 'Enter an order' }).waitFor();
  assert.match(await page.getByRole('table').last().innerText(), /Holds/);
});

test('from a task one comes to an instance in the time line', async () => {
  await visit(page, `/p/${project}/tasks`);
  await page.getByRole('link', { name: 'Enter an order' }).click();
  await settled(page);
  await page.getByRole('link', { name: /Open in the timeline/ }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Timeline' }).waitFor();
  await page.getByRole('option').first().waitFor();
  assert.match(page.url(), /session=.*event=|event=.*session=/);
});

test('a candidate shows its factors, where values come from, and comes down as a document', async () => {
  await visit(page, `/p/${project}/automation`);
  const candidate = page.locator('.candidate').first();
  for (const factor of ['Steps a robot can do (RAI)', 'Determinism', 'Exceptions', 'Time per week', 'Potential per week']) await candidate.getByText(factor, { exact: true }).waitFor();
  await candidate.getByText('Where values come from and go to').waitFor();
  const tried = candidate.getByRole('region', { name: 'The script, tried on what was recorded' });
  assert.match(await tried.innerText(), /Followed in \d+ recorded instances\. In \d+ \(/);
  await page.getByRole('button', { name: 'Take away: Enter an order' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Document to read and print' }).click()]);
  assert.match(file.suggestedFilename(), /\.html$/);
  const stream = await file.createReadStream();
  assert.match(Buffer.concat(await stream.toArray()).toString('utf8'), /<h1>Enter an order<\/h1>/);
});

test('SQL runs, and an error is marked at its place', async () => {
  await visit(page, `/p/${project}/data/sql`);
  await writeSql('SELECT count(*) AS events FROM stg_events');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('[data-query="done"]').waitFor();
  assert.match(await page.getByRole('table').first().innerText(), /events/);
  await writeSql('SELECT 1\nFROM no_such_table_here');
  await page.keyboard.press('Control+Enter');
  await page.locator('[data-query="failed"]').waitFor();
  await page.locator('.error-note').waitFor();
});

test('an endless query stops within two seconds', async () => {
  await visit(page, `/p/${project}/data/sql`);
  await writeSql(ENDLESS);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('[data-query="running"]').waitFor();
  await page.waitForTimeout(500);
  const begun = Date.now();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('[data-query="failed"]', { hasText: 'Cancelled' }).waitFor({ timeout: 10_000 });
  const took_ms = Date.now() - begun;
  assert.ok(took_ms <= CANCEL_MS_MAX, `${took_ms} ms`);
});

test('a table comes down as a file', async () => {
  await visit(page, `/p/${project}/applications`);
  await page.getByRole('button', { name: 'Download: Applications by active time' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  const stream = await file.createReadStream();
  const text = Buffer.concat(await stream.toArray()).toString('utf8');
  assert.match(text, /^application,/);
  assert.match(text, /Excel/);
});

test('the keyboard alone leads from the start to the events of a case', async () => {
  await visit(page, `/p/${project}/overview`);
  await page.keyboard.press('Tab');
  assert.equal(await focusedText(), 'Skip to content');
  await tabTo('Process map');
  await page.keyboard.press('Enter');
  await settled(page);
  await tabUntil(() => document.activeElement?.classList.contains('map-node') ?? false);
  const first = await page.evaluate(() => document.activeElement.dataset.activity);
  await page.keyboard.press('ArrowDown');
  const second = await page.evaluate(() => document.activeElement.dataset.activity);
  assert.notEqual(second, first);
  await page.keyboard.press('Enter');
  await tabTo('Cases with this activity');
  await page.keyboard.press('Enter');
  await page.getByRole('option').first().waitFor();
  await tabUntil(() => document.activeElement?.getAttribute('role') === 'listbox');
  await page.keyboard.press('ArrowDown');
  await page.waitForURL(/event=/);
  assert.equal(await page.locator('[aria-selected="true"]').getAttribute('aria-posinset'), '2');
});

test('a link to an event opens that event', async () => {
  const link = page.url();
  await visit(page, new URL(link).pathname + new URL(link).search);
  assert.equal(await page.locator('[aria-selected="true"]').getAttribute('aria-posinset'), '2');
});

for (const theme of ['light', 'dark']) {
  for (const width of [1280, 390]) {
    test(`axe finds nothing: ${theme}, ${width} px wide`, async () => {
      const looked = await openPage(browser, { theme, width, bypassCSP: true });
      const found = [];
      const tasks = await (await fetch(`${address}/api/v1/projects/${project}/analyses/tasks`)).json();
      const task = tasks.rows[0][tasks.columns.findIndex((column) => column.name === 'task')];
      for (const one of [...PAGES, `tasks/${task}`, 'map?view=table', 'applications?table=applications,screens', 'overview?application=Nothing', 'data/jobs?job=app_usage']) {
        await visit(looked, `/p/${project}/${one}`);
        for (const line of await violations(looked)) found.push(`${one} · ${line}`);
        const beyond = await looked.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (beyond > 0) found.push(`${one} · ${beyond} px wider than the window`);
      }
      assert.deepEqual(found, []);
      await looked.context().close();
    });
  }
}

test('no page made the browser complain', () => assert.deepEqual(page.faults, []));

async function writeSql(text) {
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

const focusedText = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

async function tabUntil(reached) {
  for (let step = 0; step < 120; step += 1) {
    if (await page.evaluate(reached)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail('the keyboard does not get there');
}

async function tabTo(text) {
  for (let step = 0; step < 120; step += 1) {
    if ((await focusedText()) === text) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`the keyboard does not reach "${text}"`);
}
