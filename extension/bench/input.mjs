// What the content script costs: time added to each input event of a page with 10,000 nodes, and memory. `node bench/input.mjs`
//
// The same presses, clicks and letters go to the same page three times: without anything, with the content script recording into a
// ring that is acknowledged, and with rrweb recording where `RRWEB` names its bundle. Time is that between a listener before all others
// and one after all others, in a page that listens to nothing itself; memory is the page's heap after a collection. The script runs in
// the page's own world here, not in one of its own. `--pictures`: as if a rule asked for pictures.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(join(here, "../../web/package.json"))("playwright-core");
const NODES = 10_000;
const EVENTS = 1_000;

const POLICY = {
  revision: 1, sites: "all", never: [{ column: "url", glob: "*/hr/*" }], values: [], name_max: 120, clipboard: true,
  pictures: process.argv.includes("--pictures"), value_length: "bucket", row_labels: true, test_ids: ["data-testid"],
};

/** A page like an application's: a table of rows with fields and buttons. */
function html() {
  const row = (number) =>
    `<tr><th scope="row">Item ${number}</th><td><span>Text ${number}</span></td><td><input aria-label="Amount ${number}"></td><td><button>Book ${number}</button></td></tr>`;
  const rows = Array.from({ length: Math.ceil(NODES / 8) }, (_, number) => row(number)).join("");
  return `<!doctype html><title>Bench</title><table><thead><tr><th>Item<th>Text<th>Amount<th>Action</tr></thead><tbody>${rows}</tbody></table>`;
}

/** What the content script needs of a browser, with a worker that acknowledges everything at once. */
const STAND_IN = `
  globalThis.chrome = {
    dom: { openOrClosedShadowRoot: (element) => element.shadowRoot },
    runtime: {
      id: "bench",
      connect() {
        const listeners = [];
        setTimeout(() => listeners.forEach((hear) => hear({ type: "policy", policy: ${JSON.stringify(POLICY)}, hosts: null, forget: false })));
        return {
          postMessage(message) {
            const copy = structuredClone(message);
            globalThis.recorded = (globalThis.recorded ?? 0) + 1;
            if (copy.event) setTimeout(() => listeners.forEach((hear) => hear({ type: "ack", seqs: [copy.event.seq] })), 100);
          },
          onMessage: { addListener: (hear) => listeners.push(hear) },
          onDisconnect: { addListener() {} },
        };
      },
    },
  };`;

/** The first listener of all, and the last. */
const CLOCK = `
  globalThis.times = [];
  for (const type of ["click", "input", "focusin", "focusout", "keydown", "pointerdown"]) {
    let began = 0;
    window.addEventListener(type, () => { began = performance.now(); }, true);
    globalThis.addLast ??= [];
    addLast.push(() => window.addEventListener(type, () => { if (began) times.push(performance.now() - began); began = 0; }));
  }`;

async function run(name, scripts, after) {
  const browser = await chromium.launch({
    executablePath: process.env.LODE_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--js-flags=--expose-gc", "--enable-precise-memory-info", "--enable-blink-features=ForceEagerMeasureMemory"],
  });
  const page = await browser.newPage();
  await page.route("http://bench.test/", (route) => route.fulfill({ contentType: "text/html", body: html() }));
  await page.addInitScript(CLOCK);
  for (const script of scripts) await page.addInitScript(script);
  await page.goto("http://bench.test/");
  if (after) await page.evaluate(after);
  await page.waitForFunction((wanted) => !wanted || (globalThis.recorded ?? 0) > 0, name === "content script");
  const devtools = await page.context().newCDPSession(page);
  const heap = async () => {
    await devtools.send("HeapProfiler.collectGarbage");
    return (await devtools.send("Runtime.getHeapUsage")).usedSize;
  };
  await page.evaluate(() => {
    for (const add of addLast) add();
    times.length = 0;
  });
  for (let number = 0; number < EVENTS / 4; number++) {
    await page.evaluate((number) => document.querySelectorAll("input")[number].scrollIntoView({ block: "center" }), number);
    const field = await page.evaluate((number) => {
      const box = document.querySelectorAll("input")[number].getBoundingClientRect();
      return { x: box.left + 5, y: box.top + 5 };
    }, number);
    await page.mouse.click(field.x, field.y);
    await page.keyboard.type("12");
    const button = await page.evaluate((number) => {
      const box = document.querySelectorAll("button")[number].getBoundingClientRect();
      return { x: box.left + 5, y: box.top + 5 };
    }, number);
    await page.mouse.click(button.x, button.y);
  }
  const times = (await page.evaluate(() => times)).sort((a, b) => a - b);
  const recorded = await page.evaluate(() => globalThis.recorded ?? 0);
  const bytes = await heap();
  await browser.close();
  const at = (share) => times[Math.floor(times.length * share)].toFixed(3);
  console.log(`${name.padEnd(16)} ${times.length} events: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms; heap ${(bytes / 1e6).toFixed(2)} MB; recorded ${recorded}`);
}

const content = readFileSync(join(here, "../dist/content.js"), "utf8");
await run("nothing", []);
await run("content script", [STAND_IN, content]);
if (process.env.RRWEB) {
  const start = () => globalThis.rrweb.record({ emit: () => (globalThis.recorded = (globalThis.recorded ?? 0) + 1) });
  await run("rrweb", [readFileSync(process.env.RRWEB, "utf8")], start);
}
