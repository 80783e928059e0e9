// Ten thousand events at once, and everything in between that can break: none is lost, none is there twice.
//
// Each event is told apart by the name of the button that is pressed: the page gives it another number after every press.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, Client, ID, Screen, Site, until } from "./support.mjs";

const PAGES = {
  "/": `<title>Burst</title><button id="b" aria-label="n-0" style="width:200px;height:100px">Press</button><script>
    let count = 0;
    const b = document.getElementById("b");
    b.addEventListener("click", () => b.setAttribute("aria-label", "n-" + ++count));
    globalThis.pressed = () => count;
  </script>`,
};
const PIPE = 40;

let screen, site, client, browser;
/** Presses until now, by the page that they were made in. */
let expected = 0;

before(async () => {
  screen = await Screen.open();
  site = await Site.open(PAGES);
  client = await new Client({ screen }).start();
  browser = await new Browser({ screen, client }).start();
  await client.untilConnected();
});

after(async () => {
  await browser?.close();
  client?.close();
  site?.close();
  screen?.close();
});

async function openPage(name) {
  const before = (await loads()).length;
  const page = await browser.open(site.url(`${name}.allowed.test`));
  await until("the page is heard", async () => (await loads()).length > before);
  return page;
}

async function loads() {
  return (await client.events()).filter((event) => event.event_type === "page_loaded");
}

/** Presses the button so often, as a person would whom the browser believes; `meanwhile` happens after half of it. */
async function burst(page, count, meanwhile = async () => {}) {
  const devtools = await page.context().newCDPSession(page);
  await page.bringToFront();
  await page.focus("#b");
  const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" };
  let other = null;
  for (let sent = 0; sent < count; sent += PIPE) {
    if (other === null && sent >= count / 2) other = meanwhile();
    const some = Array.from({ length: Math.min(PIPE, count - sent) }, () => [
      devtools.send("Input.dispatchKeyEvent", { type: "keyDown", ...key }),
      devtools.send("Input.dispatchKeyEvent", { type: "keyUp", ...key }),
    ]);
    await Promise.all(some.flat());
  }
  await other;
  expected += count;
  assert.equal(await page.evaluate(() => globalThis.pressed()), count, "the browser delivered every press");
}

const presses = async () => (await client.events()).filter((event) => event.element_id === "b" && event.event_type === "element_clicked");

/** Waits until everything is in the spool, then looks at every single one. */
async function eachOnce(host, count) {
  await until("everything is in the spool", async () => (await presses()).length >= expected, 60_000).catch(async (error) => {
    const names = new Set((await presses()).filter((event) => event.url_host.startsWith(host)).map((event) => event.element_name));
    const missing = Array.from({ length: count }, (_, number) => `n-${number}`).filter((name) => !names.has(name));
    throw new Error(`${error.message}; missing of ${count}: ${missing.length}: ${missing.slice(0, 20)}; ${JSON.stringify((await client.status()).counters)}`);
  });
  const names = (await presses()).filter((event) => event.url_host.startsWith(host)).map((event) => event.element_name);
  assert.equal(names.length, count, "none lost, none doubled");
  assert.deepEqual([...new Set(names)], Array.from({ length: count }, (_, number) => `n-${number}`), "in their order");
  const { counters } = await client.status();
  assert.deepEqual(counters.dropped, {});
}

test("p1 p2 ten thousand events in a burst", async () => {
  const page = await openPage("burst");
  const began = Date.now();
  await burst(page, 10_000);
  await eachOnce("burst", 10_000);
  console.log(`10,000 events in ${Date.now() - began} ms`);
});

test("p1 p2 the worker is killed in the middle", async () => {
  const page = await openPage("worker");
  await burst(page, 2_000, async () => {
    const devtools = await browser.context.newCDPSession(page);
    await devtools.send("ServiceWorker.enable");
    await devtools.send("ServiceWorker.stopAllWorkers");
  });
  await eachOnce("worker", 2_000);
});

test("p1 p2 the client is killed in the middle and comes back", async () => {
  const page = await openPage("client");
  await burst(page, 600, async () => {
    await client.kill();
    await client.start();
  });
  await eachOnce("client", 600);
});

test("p1 p2 the page is left while the client is away", async () => {
  const page = await openPage("left");
  await client.kill();
  await burst(page, 50);
  await page.goto("about:blank");
  await client.start();
  await eachOnce("left", 50);
});

test("p1 p2 the extension is reloaded", async () => {
  const page = await openPage("reload");
  await burst(page, 100);
  await eachOnce("reload", 100);
  const loaded = (await loads()).length;
  await (await browser.worker()).evaluate(() => chrome.runtime.reload()).catch(() => undefined);
  await until("the page is heard again", async () => (await loads()).length > loaded);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Page.bringToFront");
  const from = await page.evaluate(() => globalThis.pressed());
  assert.equal(from, 100);
  await page.focus("#b");
  for (let press = 0; press < 100; press++) await page.keyboard.press("Enter");
  expected += 100;
  await eachOnce("reload", 200);
});

test("p1 p2 the browser is started anew", async () => {
  await browser.context.close();
  await until("the client sees it go", async () => (await client.status()).extension.length === 0);
  await browser.start();
  await client.untilConnected();
  const page = await openPage("anew");
  await burst(page, 500);
  await eachOnce("anew", 500);
  assert.ok((await browser.worker()).url().startsWith(`chrome-extension://${ID}/`));
});

test("fail closed: without the client the page is left alone, and what it held is counted", async () => {
  const page = await openPage("closed");
  await client.kill();
  await burst(page, 30);
  expected -= 30;
  const worker = await browser.worker();
  const standing = () => worker.evaluate(() => chrome.storage.session.get());
  await until("the page has given up", async () => JSON.stringify(await standing()).includes('"lost"'));
  await page.focus("#b");
  for (let press = 0; press < 10; press++) await page.keyboard.press("Enter");
  await client.start();
  const gap = await client.untilEvent("the gap", (event) => event.attributes?.reason === "extension_lost");
  assert.ok(Number(gap.attributes.events_lost) >= 30);
  assert.equal((await client.status()).counters.dropped.extension_lost, Number(gap.attributes.events_lost));
  assert.equal((await presses()).length, expected);
});
