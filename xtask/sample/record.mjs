// Records the sample with pictures: the real client and the real extension watch three people, played by xdotool, at a made-up order desk.
//
//   LODE_BIN, LODE_AGENT_BIN, LODE_EXTENSION: the programs and the built extension; node record.mjs FOLDER
//
// Written into FOLDER: events.parquet (the log, as `lode export` gives it), pictures.jsonl.zst (each with what is known of it).

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT, Browser, Client, Screen, Site, folder, until } from '../../extension/test/support.mjs';
import { PAGES, orders, quotes } from './pages.mjs';

const OUT = process.argv[2];
const PEOPLE = Number(process.env.LODE_SAMPLE_PEOPLE ?? 3);
const ORDERS = Number(process.env.LODE_SAMPLE_ORDERS ?? 7);
const QUOTES = Number(process.env.LODE_SAMPLE_QUOTES ?? 5);
const HOST = 'orders.example.test';
const HOME = `http://${HOST}`;

assert.ok(OUT, 'name the folder to write into');

/** The service without accounts, on a folder of its own. */
async function startService() {
  const data = folder('sample-service');
  const process_ = spawn(process.env.LODE_BIN, ['demo', '--listen', '127.0.0.1:0', '--data', join(data, 'data')], {
    env: { ...process.env, LODE_MASTER_KEY_FILE: join(data, 'master.key') }, stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise((done) => {
    let said = '';
    process_.stdout.on('data', (chunk) => {
      const found = /http:\/\/[\d.:]+/.exec((said += chunk));
      if (found) done(found[0]);
    });
  });
  const ask = async (method, path, body) => {
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers: { 'content-type': 'application/json', origin: url }, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
    return answer;
  };
  const json = async (...words) => (await ask(...words)).json();
  return { url, ask, json, close: () => { process_.kill(); rmSync(data, { recursive: true, force: true }); } };
}

const configuration = (project) => `<lodeConfig schema="1" project="${project}" revision="1" validUntil="${new Date(Date.now() + 86_400_000 * 7).toISOString().slice(0, 19)}Z">
  <consent version="1"><text lang="en">A made-up day at a made-up order desk.</text><pictures lang="en">With pictures.</pictures><typed lang="en">Fingerprints of what is typed.</typed></consent>
  <schedule><window days="mon-sun" from="00:00" to="23:59"/></schedule>
  <allow><app process="mousepad galculator"/><app process="chromium"><site host="${HOST}"/></app></allow>
  <screenshots enabled="true" minGap="PT0.4S" settle="PT0.1S" maxPerHour="3600" maxSide="1100" maskText="page"/>
  <rules><rule name="order desk"><on events="all"/><log columns="all url value_fingerprint" omit="user_name machine_name" screenshot="window"/></rule></rules>
  <upload every="PT5S" hold="PT0S" heartbeat="PT30S"/>
</lodeConfig>`;

/** One person at the desk: windows, keys and the pointer. */
class Desk {
  constructor(screen, page) {
    Object.assign(this, { screen, page });
  }

  async window(title) {
    const id = await until(`a window named ${title}`, () => this.screen.xdotool('search', '--onlyvisible', '--name', title).split('\n').pop());
    await until(`${title} in front`, () => {
      this.screen.xdotool('windowactivate', '--sync', id);
      return this.screen.xdotool('getactivewindow') === id;
    });
  }

  key(...keys) { this.screen.xdotool('key', '--delay', '40', ...keys); }
  async type(text) { this.screen.xdotool('type', '--delay', '35', text); }

  browser() { return this.window('Harbour Orders'); }

  /** Clicks an element of the page where it is on the screen. */
  async click(selector) {
    await this.browser();
    const element = this.page.locator(selector);
    await element.waitFor();
    const box = await element.boundingBox();
    const frame = await this.page.evaluate(() => ({ x: window.screenX + (window.outerWidth - window.innerWidth) / 2, y: window.screenY + window.outerHeight - window.innerHeight }));
    const [x, y] = [Math.round(frame.x + box.x + box.width / 2), Math.round(frame.y + box.y + box.height / 2)];
    this.screen.xdotool('mousemove', '--sync', x, y);
    await this.pause();
    this.screen.xdotool('click', 1);
    await this.pause();
  }

  /** As long as a person looks before the next press. */
  async pause(ms = 350) { await new Promise((done) => setTimeout(done, ms)); }

  /** Goes to the first line of the list; the editor remembers where it was the last time. */
  async top() {
    await this.window('Mousepad');
    this.key('ctrl+Home');
  }

  /** Copies the line of the list on which the cursor is, and goes to the next. */
  async copyLine() {
    await this.window('Mousepad');
    this.key('Home', 'shift+End', 'ctrl+c');
    await this.pause();
    this.key('Down');
  }

  async order({ quantity }, n) {
    if (n % 4 === 1) {
      await this.click('#nav-orders');
      await this.click('#q');
      await this.type('Brandt');
      await this.click('#search');
      await this.click('#nav-new');
    }
    await this.copyLine();
    await this.click('#customer');
    this.key('ctrl+v');
    await this.copyLine();
    await this.click('#article');
    this.key('ctrl+v');
    if (n % 5 === 3) await this.click('#save');
    await this.click('#quantity');
    await this.type(quantity);
    if (n % 3 === 2) {
      await this.click('#delivery');
      this.key('Down', 'Return');
    }
    await this.click('#save');
    await this.page.waitForURL('**/orders/saved');
    await this.click('#next');
    await this.page.waitForURL('**/orders/new');
  }

  async quote({ price }) {
    await this.copyLine();
    await this.click('#company');
    this.key('ctrl+v');
    await this.window('galculator');
    this.key('Escape');
    await this.type(`${price}*0.9`);
    this.key('Return');
    await this.pause();
    this.key('ctrl+c');
    await this.click('#net');
    this.key('ctrl+v');
    await this.click('#send');
    await this.page.waitForURL('**/quotes/sent**');
    await this.click('#next');
    await this.page.waitForURL('**/quotes/new');
  }
}

/** A client that enrols with the project's key, as a person's would. */
class Enrolled extends Client {
  constructor({ screen, service, key }) {
    super({ screen, backend: 'x11' });
    for (const name of ['identity', 'configuration', 'consent']) rmSync(join(this.data, `${name}.json`));
    screen.run(AGENT, ['--data', this.data, 'enroll', '--server', service.url, '--key', key]);
  }

  async start() {
    this.process = spawn(AGENT, ['--data', this.data, 'run', '--backend', 'x11', '--no-dialog'], { env: this.screen.env, stdio: 'ignore' });
    await until('the client asks for consent', async () => (await this.status())?.state === 'needs_consent');
    this.screen.run(AGENT, ['--data', this.data, 'consent', 'accept']);
    await until('the client records', async () => (await this.status())?.state === 'recording');
    return this;
  }

  /** Sends what there is, and waits until the service has it. */
  async deliver() {
    await until('everything is delivered', async () => {
      await this.ask({ call: 'send_now' });
      const { spool } = (await this.status()) ?? {};
      return spool && spool.events === 0 && spool.screenshots === 0;
    }, 120_000);
  }
}

async function play(person, { screen, service, site, key }) {
  const client = await new Enrolled({ screen, service, key, }).start();
  // The same for all: it stands in the editor's title.
  const work = join(tmpdir(), 'order-desk');
  mkdirSync(work, { recursive: true });
  const [todo, asked] = [orders(person, ORDERS), quotes(person, QUOTES)];
  const lists = { 'orders.txt': todo.flatMap(({ customer, article }) => [customer, article]), 'prices.txt': asked.map(({ company }) => company) };
  for (const [name, lines] of Object.entries(lists)) writeFileSync(join(work, name), `${lines.join('\n')}\n`);
  const browser = await new Browser({ screen, client, resolve: `MAP ${HOST}:80 127.0.0.1:${site.port}`, flags: ['--test-type'] }).start();
  await client.untilConnected();
  const page = browser.context.pages()[0];
  await page.goto(`${HOME}/orders/new`);
  const children = [];
  const start = (program, words) => children.push(spawn(program, words, { env: screen.env, stdio: 'ignore' }));
  start('galculator', []);
  const desk = new Desk(screen, page);
  try {
    start('mousepad', ['--disable-server', join(work, 'orders.txt')]);
    await desk.top();
    for (const [n, order] of todo.entries()) {
      await desk.order(order, n + person);
      // The quotes of the day come in between.
      if (n === Math.floor(todo.length / 2)) await desk.pause(6_000);
    }
    children.pop().kill();
    start('mousepad', ['--disable-server', join(work, 'prices.txt')]);
    await desk.click('#nav-quote');
    await desk.top();
    for (const quote of asked) await desk.quote(quote);
    await client.deliver();
  } finally {
    for (const child of children) child.kill();
    await browser.close();
    client.close();
    rmSync(work, { recursive: true, force: true });
  }
}

async function save(service, slug) {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  await until('the tables hold the last event', async () => (await service.json('GET', `/projects/${slug}`)).jobs.state === 'fresh', 60_000);
  const log = await service.ask('GET', `/projects/${slug}/export?format=parquet`);
  writeFileSync(join(OUT, 'events.parquet'), Buffer.from(await log.arrayBuffer()));
  const { rows } = await service.json('POST', `/projects/${slug}/query`, { sql: 'SELECT DISTINCT screenshot_id FROM events WHERE screenshot_id IS NOT NULL ORDER BY 1', limit: 10_000 });
  const pictures = [];
  for (const [id] of rows) {
    const { screenshot_id, agent_id, place, masks } = await service.json('GET', `/projects/${slug}/screenshots/${id}`);
    const png = await service.ask('GET', `/projects/${slug}/screenshots/${id}/png`);
    const file = join(OUT, 'picture.png');
    writeFileSync(file, Buffer.from(await png.arrayBuffer()));
    // The same pixels in a quarter of the bytes, and still of the kind that the service takes.
    execFileSync('optipng', ['-quiet', '-nc', '-nb', '-o2', file]);
    pictures.push({ screenshot_id, agent_id, place, masks, png: readFileSync(file).toString('base64') });
    rmSync(file);
  }
  const lines = join(OUT, 'pictures.jsonl');
  writeFileSync(lines, pictures.map((picture) => `${JSON.stringify(picture)}\n`).join(''));
  execFileSync('zstd', ['-q', '-19', '--rm', '-f', lines]);
  return pictures.length;
}

const service = await startService();
const site = await Site.open(PAGES);
const screen = await Screen.open();
try {
  const project = await service.json('POST', '/projects', { name: 'Order desk', kind: 'enrolled' });
  await service.ask('POST', `/projects/${project.slug}/configuration/publish`, { xml: configuration(project.id), note: '', percent: 100 });
  const { key } = await service.json('POST', `/projects/${project.slug}/app-keys`, { name: 'sample' });
  for (let person = 0; person < PEOPLE; person += 1) {
    console.log(`person ${person + 1} of ${PEOPLE}`);
    await play(person, { screen, service, site, key });
  }
  console.log(`${await save(service, project.slug)} pictures`);
} finally {
  screen.close();
  site.close();
  service.close();
}
