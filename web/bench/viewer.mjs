// Measures the viewer in a real browser on a service that runs without accounts (LODE_URL, `lode demo`): frames while a session of
// 100,000 events scrolls, and the time from a key to the next picture, decoded. It judges nothing; `cargo xtask bench viewer` runs it.
import { address, openPage, startBrowser } from '../e2e/browser.mjs';

const EVENTS = 100_000;
const SCROLL_MS = 6_000;
const WHEEL_PX = 400;
const PICTURES = 40;
const WARM_UP = 5;
const SAMPLE = 'sample-an-order-desk-with-pictures';
const READY_MS_MAX = 300_000;

const browser = await startBrowser();
try {
  const page = await openPage(browser);
  page.setDefaultTimeout(READY_MS_MAX);
  const slug = await longSession(page);
  for (const measured of [() => scrolling(page, slug), () => turning(page)]) {
    for (const [what, figures] of Object.entries(await measured())) console.log(`${what.padEnd(58)} ${figures}`);
  }
} finally {
  await browser.close();
}

async function call(page, method, path, body) {
  const answer = await page.request.fetch(`${address}/api/v1${path}`, { method, data: body, headers: { origin: address } });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** One person's day without a pause, in which five applications take turns. */
async function longSession(page) {
  const { slug } = await call(page, 'POST', '/projects', { name: `Long session ${Date.now()}`, kind: 'imported' });
  const start = Date.UTC(2026, 0, 12, 8);
  const rows = ['user,ts,app,event,element,label'];
  for (let row = 0; row < EVENTS; row += 1) {
    const app = ['Excel', 'Chrome', 'Outlook', 'SAP', 'Word'][Math.floor(row / 7) % 5];
    rows.push(`ann,${new Date(start + row * 300).toISOString()},${app},clickButton,b${row % 23},Button ${row % 23}`);
  }
  const map = 'user_name=user,time=ts,application=app,event_type=event,element_id=element,element_name=label';
  const begun = await page.request.fetch(`${address}/api/v1/projects/${slug}/imports?file=long.csv&map=${map}`, {
    method: 'POST', data: Buffer.from(rows.join('\n')), headers: { origin: address, 'content-type': 'application/octet-stream' },
  });
  if (!begun.ok()) throw new Error(await begun.text());
  const end = Date.now() + READY_MS_MAX;
  for (;;) {
    const { jobs, events } = await call(page, 'GET', `/projects/${slug}`);
    if (events === EVENTS && jobs.state === 'fresh') return slug;
    if (Date.now() > end) throw new Error(`the jobs do not end: ${JSON.stringify({ jobs, events })}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Turns the wheel as fast as the browser takes it, and counts the frames that it draws meanwhile. */
async function scrolling(page, slug) {
  await page.goto(`${address}/p/${slug}/timeline?by=session`);
  const size = String(EVENTS);
  await page.waitForFunction((wanted) => document.querySelector('.events [role="option"]')?.getAttribute('aria-setsize') === wanted, size);
  const list = page.locator('.events');
  await list.hover();
  await page.evaluate((scroll_ms) => {
    globalThis.frames = [];
    const end = performance.now() + scroll_ms;
    const next = (now) => { globalThis.frames.push(now); if (now < end) requestAnimationFrame(next); };
    requestAnimationFrame(next);
  }, SCROLL_MS);
  const end = Date.now() + SCROLL_MS;
  while (Date.now() < end) await page.mouse.wheel(0, WHEEL_PX);
  const { times, way_px, blank } = await page.evaluate(() => {
    const box = document.querySelector('.events');
    return { times: globalThis.frames.slice(1).map((time, at) => time - globalThis.frames[at]), way_px: box.scrollTop, blank: box.querySelectorAll('.event').length === 0 };
  });
  if (blank || way_px < WHEEL_PX) throw new Error('the list did not scroll');
  const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
  return {
    [`frames a second, ${EVENTS} events scrolling (${Math.round(way_px)} px)`]: (1_000 / mean(times)).toFixed(1),
    'time of a frame, ms: median, 95th percentile, worst': [0.5, 0.95, 1].map((share) => quantile(times, share).toFixed(1)).join(' '),
    'heap with all of them, MB': (heap / 1e6).toFixed(0),
  };
}

/** From the press of a key to the frame after the next picture is decoded. */
async function turning(page) {
  const end = Date.now() + READY_MS_MAX;
  while ((await call(page, 'GET', `/projects/${SAMPLE}/analyses/screenshots?limit=1`)).total < PICTURES + WARM_UP) {
    if (Date.now() > end) throw new Error('the sample has no pictures');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await page.goto(`${address}/p/${SAMPLE}/screenshots`);
  await page.locator('.picture[data-shown]').waitFor();
  const times = [];
  for (let count = 0; count < PICTURES + WARM_UP; count += 1) {
    const took_ms = await page.evaluate(async () => {
      const shown = () => document.querySelector('.picture')?.dataset.shown;
      const before = shown();
      const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
      const begun = performance.now();
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
      // Two events in a row can have one picture; that is no next picture.
      while (!shown() || shown() === before) {
        if (performance.now() - begun > 2_000) return null;
        await frame();
      }
      await document.querySelector('.picture img').decode();
      await frame();
      return performance.now() - begun;
    });
    if (count >= WARM_UP && took_ms !== null) times.push(took_ms);
  }
  return { [`next picture, ms: median, 95th percentile, worst of ${times.length}`]: [0.5, 0.95, 1].map((share) => quantile(times, share).toFixed(0)).join(' ') };
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values, share) {
  return [...values].sort((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))];
}
