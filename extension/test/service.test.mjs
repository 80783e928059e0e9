// From a click in the real browser to a row in the real service, and what of a page with every kind of field the service's disk holds.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { PAGES as MADE_UP } from "./made-up.mjs";
import { AGENT, Browser, Client, configuration, filesWith, folder, Screen, Site, until } from "./support.mjs";

const CANARY = "CANARY-9b21";
const PAGES = {
  ...MADE_UP,
  "/orders": MADE_UP["/"],
  "/": `<title>Order entry</title><button id="book">Book</button><input id="customer" aria-label="Customer">
    <input type="password" id="password" aria-label="Password"><input id="card" autocomplete="cc-number" aria-label="Card">`,
};

/** `lode demo` on a free port; gone with the test. */
class Service {
  static async open() {
    const service = new Service();
    service.data = folder("service");
    service.process = spawn(process.env.LODE_BIN, ["demo", "--listen", "127.0.0.1:0", "--data", join(service.data, "data")], {
      env: { ...process.env, LODE_MASTER_KEY_FILE: join(service.data, "master.key") },
      stdio: ["ignore", "pipe", "ignore"],
    });
    for await (const line of createInterface({ input: service.process.stdout })) {
      service.url = /http:\/\/[^\s/]+/.exec(line)?.[0].replace(/[.,]$/, "");
      if (service.url !== undefined) return service;
    }
    throw new Error("the service did not say where it listens");
  }

  async ask(method, path, body) {
    const init = { method, headers: { "content-type": "application/json" } };
    const answer = await fetch(`${this.url}/api/v1${path}`, method === "GET" ? init : { ...init, body: JSON.stringify(body) });
    const said = await answer.json().catch(() => null);
    return { ok: answer.ok, said };
  }

  close() {
    this.process.kill("SIGKILL");
    rmSync(this.data, { recursive: true, force: true });
  }
}

let screen, service, site, client, browser, slug;

before(async () => {
  screen = await Screen.open();
  service = await Service.open();
  site = await Site.open(PAGES);
  const project = (await service.ask("POST", "/projects", { name: "Pages", kind: "enrolled" })).said;
  slug = project.slug;
  const published = await service.ask("POST", `/projects/${slug}/configuration/publish`, { xml: configuration({}, project.id), note: "", percent: 100 });
  assert.ok(published.ok, JSON.stringify(published.said));
  const { key } = (await service.ask("POST", `/projects/${slug}/app-keys`, { name: "test" })).said;
  client = new Client({ screen, enrolled: false });
  const run = (...words) => execFileSync(AGENT, ["--data", client.data, ...words], { env: screen.env });
  run("enroll", "--server", service.url, "--key", key);
  const started = client.start();
  await until("the configuration", async () => (await client.status())?.state === "needs_consent");
  run("consent", "accept");
  await started;
  browser = await new Browser({ screen, client }).start();
  await client.untilConnected();
});

after(async () => {
  await browser?.close();
  client?.close();
  site?.close();
  service?.close();
  screen?.close();
});

test("p1 d2 what a person did in a page are rows, once; what they typed is nowhere in the service", async () => {
  const page = await browser.open(site.url("allowed.test"));
  await client.untilEvent("the page", (event) => event.event_type === "page_loaded");
  for (const field of ["#customer", "#password", "#card"]) {
    await page.click(field);
    await page.keyboard.type(field === "#card" ? "4111111111111111" : CANARY);
  }
  for (let press = 0; press < 50; press++) await page.click("#book", { delay: 0 });
  const foreign = await browser.open(site.url("foreign.test", `/?${CANARY}`));
  await foreign.close();
  await until("the last click", async () => (await client.events()).filter((event) => event.element_id === "book").length === 50);
  await client.ask({ call: "send_now" });
  const sql = "SELECT event_type, element_role, element_name, url_host, count(*) AS n FROM events WHERE element_id IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 3";
  let rows;
  await until("the rows", async () => {
    rows = (await service.ask("POST", `/projects/${slug}/query`, { sql })).said?.rows;
    return rows?.some((row) => row[2] === "Book" && row[4] === 50);
  }).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(rows)}`);
  });
  assert.deepEqual(rows, [
    ["element_changed", "textbox", "Customer", "allowed.test", 1],
    ["element_clicked", "button", "Book", "allowed.test", 50],
    ["element_clicked", "textbox", "Customer", "allowed.test", 1],
  ]);
  const { said: balance } = await service.ask("GET", `/projects/${slug}/balance`);
  assert.equal(balance.lost, 0);
  // Files of events are compressed, so every row is looked at too.
  const { said: all } = await service.ask("POST", `/projects/${slug}/query`, { sql: "SELECT * FROM events" });
  assert.ok(all.rows.length > 50);
  for (const word of [CANARY, "4111111111111111", "foreign.test"]) assert.ok(!JSON.stringify(all.rows).includes(word), word);
  assert.deepEqual(filesWith(service.data, [CANARY, "4111111111111111", "foreign.test"]), []);
});

test("p1 every kind of event of a page is a row, with role, name and path of the element", async () => {
  const page = await browser.open(site.url("allowed.test", "/orders"));
  const told = [];
  /** Does something, and notes the event that it causes. */
  async function caused(event_type, act, wanted) {
    const { element_role, element_name, element_path, url_host, seq } = await client.caused(event_type, act, wanted);
    told.push([event_type, element_role, element_name, element_path, url_host].map((value) => value ?? null).concat(seq));
  }
  const inFrame = (selector) => () => page.frameLocator(selector).locator("button").click();
  await client.untilEvent("the page", (event) => event.event_type === "page_loaded" && event.page_title === "Orders");
  await caused("text_selected", () => page.click("#prose", { clickCount: 3 }));
  await caused("copy", () => page.keyboard.press("Control+C"));
  await page.click("#note");
  await caused("paste", () => page.keyboard.press("Control+V"));
  await page.keyboard.press("Control+A");
  await caused("cut", () => page.keyboard.press("Control+X"));
  await page.click("[name=q]");
  await page.keyboard.type("screws");
  await caused("form_submitted", () => page.keyboard.press("Enter"));
  await caused("download_started", () => page.click("#download"));
  const devtools = await browser.context.newCDPSession(page);
  await caused("print_requested", () => devtools.send("Page.printToPDF"));
  await caused("page_loaded", () => page.click("#spa"));
  await caused("page_loaded", () => page.goto(site.url("allowed.test", "/frames")), (event) => event.page_title === "Frames");
  await client.untilEvent("the frames", (event) => event.page_title === "Inner");
  await caused("element_clicked", inFrame("#srcdoc"), (event) => event.element_name === "In srcdoc");
  await caused("element_clicked", inFrame("#cross"), (event) => event.element_name === "In frame");
  const second = await browser.context.newPage();
  await caused("tab_activated", () => second.goto(site.url("allowed.test", "/shadow")));
  for (const mode of ["open", "closed"]) {
    const box = await second.locator(`#${mode}`).boundingBox();
    await caused("element_clicked", () => second.mouse.click(box.x + 20, box.y + 10), (event) => event.element_name === `In ${mode}`);
  }
  await caused("tab_closed", () => second.close());
  await client.ask({ call: "send_now" });
  const seqs = told.map((columns) => columns.at(-1)).join(", ");
  const sql = `SELECT event_type, element_role, element_name, element_path, url_host, seq FROM events WHERE seq IN (${seqs}) ORDER BY seq`;
  let rows;
  await until("the rows", async () => {
    rows = (await service.ask("POST", `/projects/${slug}/query`, { sql })).said?.rows;
    return rows?.length === told.length;
  }).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(rows)}`);
  });
  assert.deepEqual(rows, told.sort((one, other) => one.at(-1) - other.at(-1)));
});
