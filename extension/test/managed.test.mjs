// What an administrator lays down by policy, with the samples that ship: the settings hold, and the extension comes by itself.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Browser, CHROMIUM, Client, EXTENSION, folder, ID, idOf, Policies, POLICY, Screen, Site, until } from "./support.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const sample = (name) => readFileSync(join(here, "../policies", name), "utf8");

const HOSTS = ["orders.allowed.test", "*.erp.allowed.test", "foreign.test"];
/** A browser under load takes its time to ask for what it must install. */
const INSTALLED_MS_MAX = 90_000;

const PAGES = { "/": `<title>Orders</title><button id="save">Save</button>` };

const skip = Policies.missing();
let screen, site, client;

before(async () => {
  screen = await Screen.open();
  site = await Site.open(PAGES);
  client = await new Client({ screen }).start();
});

after(() => {
  client?.close();
  site?.close();
  screen?.close();
});

describe("settings by policy", { skip }, () => {
  let policies, browser, page;

  /**
   * Lays down the sample with these settings. What installs by policy is left out, because a browser does not load from a folder what
   * it is told to install from elsewhere; and every native host but the allowed one is forbidden, so that the sample's list counts.
   */
  function lay(settings) {
    const { ExtensionInstallForcelist, ExtensionSettings, ...given } = JSON.parse(sample("linux.json"));
    Object.assign(given["3rdparty"].extensions[ID], settings);
    policies.set({ ...given, NativeMessagingBlocklist: ["*"] });
  }

  before(async () => {
    policies = new Policies();
    lay({ allowedHosts: HOSTS });
    browser = await new Browser({ screen, client, policies }).start();
    await client.untilConnected();
    page = await browser.open(site.url("orders.allowed.test"));
    await client.untilEvent("the page", (event) => event.event_type === "page_loaded");
  });

  after(async () => {
    await browser?.close();
    policies?.close();
  });

  async function clicked(host) {
    const from = (await client.events()).at(-1).seq;
    await page.goto(site.url(host));
    await until("the page is recorded", async () => (await browser.badge()) === "●");
    await page.click("#save");
    return client.untilEvent(`a click at ${host}`, (event) => event.seq > from && event.event_type === "element_clicked" && event.url_host === host);
  }

  async function notClicked(host, sentence) {
    await page.goto(site.url(host));
    await until(`the popup says: ${sentence}`, async () => (await browser.sentence()) === sentence);
    await page.click("#save");
  }

  test("d12 of the project's hosts those are recorded that the administrator names, and none besides; the popup says why", async () => {
    await clicked("orders.allowed.test");
    await clicked("a.erp.allowed.test");
    const narrowed = "This page is not recorded, because it is not among the hosts that the extension's options name.";
    for (const host of ["allowed.test", "other.allowed.test", "erp.allowed.test"]) await notClicked(host, narrowed);
    await notClicked("foreign.test", "This page is not recorded, because it is not on your project's list.");
    await clicked("orders.allowed.test");
    const hosts = new Set((await client.events()).map((event) => event.url_host));
    assert.deepEqual([...hosts].filter(Boolean), ["orders.allowed.test", "a.erp.allowed.test"]);
  });

  test("d12 the options show what the administrator has set, say so, and change nothing of it", async () => {
    const options = await browser.behind("options.html");
    assert.equal(await options.textContent("p"), "These settings are made by your administrator and cannot be changed here.");
    assert.deepEqual([await options.isDisabled("input"), await options.isDisabled("textarea")], [true, true]);
    assert.deepEqual([await options.isChecked("input"), await options.inputValue("textarea")], [false, HOSTS.join("\n")]);
    await options.evaluate(() => chrome.storage.local.set({ disabled: true, allowedHosts: ["other.allowed.test"] }));
    await clicked("orders.allowed.test");
    await notClicked("other.allowed.test", "This page is not recorded, because it is not among the hosts that the extension's options name.");
    await options.close();
  });

  test("d12 the administrator switches it off, and at once nothing is told any more; popup and options say who it was", async () => {
    const before = await clicked("orders.allowed.test");
    lay({ disabled: true, allowedHosts: HOSTS });
    await until("no mark", async () => (await browser.badge()) === "");
    await page.click("#save");
    await notClicked("a.erp.allowed.test", "Nothing is recorded in this browser, because your administrator has switched the extension off.");
    const options = await browser.behind("options.html");
    assert.deepEqual([await options.isDisabled("input"), await options.isChecked("input")], [true, true]);
    await options.close();
    lay({ disabled: false, allowedHosts: HOSTS });
    const again = await clicked("orders.allowed.test");
    const between = (await client.events()).filter((event) => event.seq > before.seq && event.seq < again.seq);
    assert.deepEqual(between.filter((event) => event.event_type === "element_clicked" || event.url_host === "a.erp.allowed.test"), []);
  });
});

describe("installation by policy", { skip }, () => {
  let policies, browser, packed, id, filled;

  /** Lays down the sample as it is, for the packed extension, with these settings. */
  function lay(settings) {
    const given = JSON.parse(filled("linux.json"));
    Object.assign(given["3rdparty"].extensions[id], settings);
    // What comes by policy is closed to developer tools, and with them to a test, unless this is said.
    policies.set({ ...given, DeveloperToolsAvailability: 1 });
  }

  /** In place of the client, which hears our own extension alone: who says that it records, and notes what it hears. */
  function standIn() {
    const heard = join(packed, "heard");
    const program = join(packed, "stand-in.mjs");
    const state = JSON.stringify({ type: "state", recording: true, why: null, policy: POLICY });
    const lines = [
      `#!${process.execPath}`,
      `import { appendFileSync } from "node:fs";`,
      `const length = Buffer.alloc(4);`,
      `length.writeUInt32LE(${Buffer.byteLength(state)});`,
      `process.stdin.once("data", () => process.stdout.write(Buffer.concat([length, Buffer.from(${JSON.stringify(state)})])));`,
      `process.stdin.on("data", (bytes) => appendFileSync(${JSON.stringify(heard)}, bytes));`,
    ];
    writeFileSync(program, lines.join("\n"), { mode: 0o755 });
    const manifest = join(browser.profile, "NativeMessagingHosts/org.lode.agent.json");
    const given = JSON.parse(readFileSync(manifest, "utf8"));
    writeFileSync(manifest, JSON.stringify({ ...given, path: program, allowed_origins: [`chrome-extension://${id}/`] }));
    writeFileSync(heard, "");
    return () => readFileSync(heard, "latin1");
  }

  before(() => {
    // Only who has the key can pack under the real id, so another key is made, and its id put into the samples.
    packed = folder("packed");
    const source = join(packed, "lode-extension");
    cpSync(EXTENSION, source, { recursive: true });
    const { key, ...manifest } = JSON.parse(readFileSync(join(source, "manifest.json"), "utf8"));
    writeFileSync(join(source, "manifest.json"), JSON.stringify(manifest));
    execFileSync(CHROMIUM, ["--no-sandbox", `--user-data-dir=${join(packed, "profile")}`, `--pack-extension=${source}`], {
      env: screen.env,
      stdio: "ignore",
    });
    id = idOf(createPublicKey(readFileSync(`${source}.pem`)).export({ type: "spki", format: "der" }));
    filled = (name) => sample(name).replaceAll(ID, id).replaceAll("https://lode.example.org/", site.url("updates.test"));
    const send = (type, body) => (_request, response) => response.writeHead(200, { "content-type": type }).end(body);
    PAGES["/extension/updates.xml"] = send("text/xml", filled("updates.xml"));
    PAGES[`/extension/lode-extension-${manifest.version}.crx`] = send("application/x-chrome-extension", readFileSync(`${source}.crx`));
    policies = new Policies();
  });

  after(async () => {
    await browser?.close();
    policies?.close();
    if (packed !== undefined) rmSync(packed, { recursive: true, force: true });
  });

  test("d12 the browser fetches it by the samples alone, and from its first moment on the administrator's settings hold", async () => {
    browser = new Browser({ screen, client, policies, extension: null, id });
    const heard = standIn();
    lay({ disabled: true, allowedHosts: HOSTS });
    await browser.launch();
    await browser.open(site.url("orders.allowed.test"));
    await until("the extension calls the client", () => heard().includes('"type":"hello"'), INSTALLED_MS_MAX);
    const worker = await browser.worker();
    await until("the settings", () => worker.evaluate(async () => (await chrome.storage.managed.get()).disabled), INSTALLED_MS_MAX);
    const popup = await browser.open(`chrome-extension://${id}/popup.html`);
    await until("it says who", async () => /your administrator has switched the extension off/.test(await popup.textContent("p")));
    assert.ok(!heard().includes("orders.allowed.test"), heard());
    lay({ disabled: false, allowedHosts: HOSTS });
    await until("the page is recorded", () => heard().includes('"kind":"load"'));
    const options = await browser.open(`chrome-extension://${id}/options.html`);
    assert.equal(await options.inputValue("textarea"), HOSTS.join("\n"));
  });
});
