// What the tests share: a screen, the real client over a home of its own, pages on made-up hosts, the real browser with the extension.
//
// No service is needed: identity, consent and a signed configuration are put into the client's home as enrolment would do it, and
// where the service should be, everything that arrives is noted and refused.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tool = createRequire(join(here, "../../web/package.json"));
const { chromium } = tool("playwright-core");

export const EXTENSION = process.env.LODE_EXTENSION ?? join(here, "../dist");
export const AGENT = process.env.LODE_AGENT_BIN ?? "lode-agent";
export const CHROMIUM = process.env.LODE_CHROMIUM ?? "/usr/bin/chromium";
const WAIT_MS_MAX = 30_000;
const LONG_AGO = new Date("2020-01-01");

/** The extension's id, as the key in its manifest makes it. */
export const ID = extensionId();

function extensionId() {
  const { key } = JSON.parse(readFileSync(join(here, "../manifest.json"), "utf8"));
  return idOf(Buffer.from(key, "base64"));
}

/** What the client says of pages, where a test speaks in its place. */
export const POLICY = {
  revision: 1, sites: "all", never: [], values: [], name_max: 40, clipboard: true, pictures: false, value_length: "bucket",
  row_labels: true, test_ids: ["data-testid"],
};

/** The id that a public key makes. */
export function idOf(key) {
  const hash = createHash("sha256").update(key).digest("hex");
  return [...hash.slice(0, 32)].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))).join("");
}

/** Asks again until there is an answer; says what was asked for, and what came last, if there is none in time. */
export async function until(what, ask, ms = WAIT_MS_MAX) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    last = await ask();
    if (last) return last;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail(`not within ${ms} ms: ${what}`);
}

/** A folder that goes with the test. */
export function folder(name) {
  return mkdtempSync(join(tmpdir(), `lode-${name}-`));
}

/** A screen of its own with a window manager. */
export class Screen {
  static async open() {
    const screen = new Screen();
    screen.server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const said = await new Promise((done) => screen.server.stdio[3].once("data", done));
    screen.display = `:${String(said).trim()}`;
    screen.env = { ...process.env, DISPLAY: screen.display };
    delete screen.env.WAYLAND_DISPLAY;
    const manage = () => spawn("openbox", [], { env: screen.env, stdio: "ignore" });
    screen.manager = manage();
    await until("the window manager", () => {
      // On a screen that is not quite ready it ends at once.
      if (screen.manager.exitCode !== null) screen.manager = manage();
      return screen.run("xprop", ["-root", "_NET_SUPPORTING_WM_CHECK"])?.includes("window id");
    });
    return screen;
  }

  run(program, words) {
    try {
      return execFileSync(program, words, { env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch {
      return null;
    }
  }

  xdotool(...words) {
    return this.run("xdotool", words.map(String))?.trim() ?? "";
  }

  close() {
    this.manager.kill();
    this.server.kill("SIGKILL");
  }
}

/** Where the service should be: notes every byte, and refuses. */
export class Wire {
  static async open() {
    const wire = new Wire();
    wire.bytes = [];
    wire.server = createServer((request, response) => {
      wire.bytes.push(Buffer.from(`${request.method} ${request.url} ${JSON.stringify(request.headers)}\n`));
      request.on("data", (chunk) => wire.bytes.push(chunk));
      request.on("end", () => response.writeHead(503).end());
    });
    await new Promise((done) => wire.server.listen(0, "127.0.0.1", done));
    wire.url = `http://127.0.0.1:${wire.server.address().port}`;
    return wire;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A configuration for pages. */
export function configuration({ program = "chromium", sites = ["*.allowed.test", "allowed.test"], never = "", extra = "", rules = "", columns = "all url" }, project) {
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().replace(/\.\d+/, "");
  const list = sites.map((site) => (typeof site === "string" ? `<site host="${site}"/>` : `<site host="${site.host}" path="${site.path}"/>`));
  return `<lodeConfig schema="1" project="${project}" revision="1" validUntil="${until}">
    <consent version="1"><text lang="en">We record.</text><pictures lang="en">Pictures too.</pictures><typed lang="en">And text.</typed></consent>
    <schedule><window days="mon-sun" from="00:00" to="23:59"/></schedule>
    <allow><app process="${program}">${list.join("")}</app>${never}</allow>
    ${extra}
    <rules>${rules}<rule name="work"><on events="all"/><log columns="${columns}" screenshot="window"/></rule></rules>
    <upload every="PT5S" hold="PT0S" heartbeat="PT30S"/>
  </lodeConfig>`;
}

/** The real client, recording, over a home of its own. */
export class Client {
  constructor({ screen, wire, backend = "null", enrolled = true, ...said }) {
    this.screen = screen;
    this.backend = backend;
    this.data = folder("client");
    if (enrolled) this.enrol(wire, said);
  }

  /** Puts into the home what enrolment, a published configuration and a consent would put there. */
  enrol(wire, said) {
    const project = randomUUID();
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const raw = (key) => Buffer.from(key.export({ format: "jwk" }).x, "base64url");
    const put = (name, value) => writeFileSync(join(this.data, `${name}.json`), JSON.stringify(value), { mode: 0o600 });
    put("identity", {
      server: wire?.url ?? "http://127.0.0.1:9",
      agent_id: randomUUID(),
      project,
      key: randomBytes(32).toString("base64url"),
      config_key: raw(publicKey).toString("base64url"),
      client_key: ["k", randomBytes(32).toString("base64url")],
      revision_max: 0,
    });
    const xml = configuration(said, project);
    const header = JSON.stringify({ kid: "k", project, revision: 1 });
    const signature = sign(null, Buffer.from(`lode-config-1\n${header}\n${xml}`), privateKey).toString("base64url");
    put("configuration", { header, xml, signature });
    put("consent", { version: 1, accepted: true, at_us: 0, custom: [null, null, null, null, null] });
  }

  async start() {
    this.stderr = "";
    this.process = spawn(AGENT, ["--data", this.data, "run", "--backend", this.backend, "--no-dialog"], {
      env: this.screen.env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.process.stderr.on("data", (chunk) => (this.stderr += chunk));
    await until("the client records", async () => (await this.status())?.state === "recording").catch(async (error) => {
      throw new Error(`${error.message}; ${JSON.stringify(await this.status())}; ${this.stderr}`);
    });
    return this;
  }

  /** Without a word, as the system does it when there is no memory. */
  async kill() {
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await gone;
  }

  async ask(call) {
    return new Promise((done) => {
      const bytes = [];
      const body = Buffer.from(JSON.stringify(call));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      const socket = connect(join(this.data, "run/agent.sock"), () => socket.write(Buffer.concat([length, body])));
      socket.on("data", (chunk) => bytes.push(chunk));
      socket.on("error", () => done(null));
      socket.on("close", () => {
        const all = Buffer.concat(bytes);
        done(all.length > 4 ? JSON.parse(all.subarray(4)) : null);
      });
    });
  }

  status() {
    return this.ask({ call: "status" });
  }

  /** Every event in the spool, oldest first. */
  async events() {
    const all = [];
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const answer = await this.ask({ call: "events", before });
      const events = answer?.events ?? [];
      if (events.length === 0) return all.reverse();
      all.push(...events.map(([event]) => event));
      before = all.at(-1).seq;
    }
  }

  async untilEvent(what, wanted) {
    let events = [];
    return until(what, async () => {
      events = await this.events();
      return events.find(wanted);
    }).catch((error) => {
      throw new Error(`${error.message}; there is ${events.map((event) => JSON.stringify(brief(event))).join("\n")}`);
    });
  }

  /** Does something, and waits for the event that it causes. */
  async caused(event_type, act, wanted = () => true) {
    const from = (await this.events()).at(-1).seq;
    await act();
    return this.untilEvent(event_type, (event) => event.seq > from && event.event_type === event_type && wanted(event));
  }

  /** Waits until the browser is connected. */
  async untilConnected() {
    return until("the browser is connected", async () => (await this.status())?.extension.length > 0);
  }

  close() {
    this.process?.kill("SIGKILL");
    if (!process.env.LODE_KEEP) rmSync(this.data, { recursive: true, force: true });
  }
}

/** What tells an element of a page from others: role, name and id. */
export const element = ({ element_role, element_name, element_id }) => [element_role, element_name, element_id];

/** What of an event a failed test should show. */
export function brief(event) {
  const { event_type, element_role, element_name, element_path, url, text_length, attributes } = event;
  return { event_type, element_role, element_name, element_path, url, text_length, attributes };
}

/** Pages on every host there is; `pages` maps a path to HTML, in which `PORT` is the site's own. */
export class Site {
  static async open(pages) {
    const site = new Site();
    site.server = createServer((request, response) => {
      const path = new URL(request.url, "http://x").pathname;
      const page = pages[path];
      if (typeof page === "function") return page(request, response);
      const html = page?.replaceAll("PORT", site.port);
      response.writeHead(html === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" }).end(html ?? "");
    });
    await new Promise((done) => site.server.listen(0, "127.0.0.1", done));
    site.port = site.server.address().port;
    return site;
  }

  url(host, path = "/") {
    return `http://${host}:${this.port}${path}`;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/**
 * What an administrator has laid down for the browser of one test. The browser sees a folder of ours where the system's policies
 * are; nobody else does, and nothing is written below `/etc`.
 */
export class Policies {
  constructor() {
    this.folder = folder("policies");
    this.program = join(this.folder, "chromium");
    const inside = `mount --bind '${this.folder}' /etc/chromium && exec '${CHROMIUM}' "$@"`;
    writeFileSync(this.program, `#!/bin/sh\nexec unshare --map-root-user --mount sh -c '${inside.replaceAll("'", `'"'"'`)}' sh "$@"\n`, { mode: 0o755 });
    mkdirSync(join(this.folder, "policies/managed"), { recursive: true });
  }

  /** Why this machine cannot show a browser another folder; undefined where it can. */
  static missing() {
    try {
      execFileSync("unshare", ["--map-root-user", "--mount", "sh", "-c", "mount --bind /tmp /etc/chromium"], { stdio: "pipe" });
    } catch (error) {
      return `no mount namespace with a folder over /etc/chromium: ${String(error.stderr ?? error.message).trim()}`;
    }
  }

  /** Lays down these and no others; a running browser hears of it. */
  set(policies) {
    const written = join(this.folder, "written");
    writeFileSync(written, JSON.stringify(policies));
    // A browser lets a file of policies rest for five seconds before it reads it.
    utimesSync(written, LONG_AGO, LONG_AGO);
    renameSync(written, join(this.folder, "policies/managed/lode.json"));
  }

  close() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** From now on everything that the extension says to the relay that a folder names is noted in a file. */
export function listenBetween(hosts, said) {
  const [manifest, listener] = [join(hosts, "org.lode.agent.json"), join(hosts, "relay")];
  const { path, ...rest } = JSON.parse(readFileSync(manifest, "utf8"));
  // The relay itself is what the browser started, so that the browser sees it end.
  writeFileSync(listener, `#!/bin/bash\nexec '${path}' "$@" < <(exec tee -a '${said}')\n`, { mode: 0o755 });
  writeFileSync(manifest, JSON.stringify({ ...rest, path: listener }));
}

/** The real browser with the extension: loaded from a folder, or, where `extension` is null, as `policies` install it. */
export class Browser {
  /** Where in the profile the extension has files of its own. */
  own = ["Local Extension Settings", "Managed Extension Settings", "Sync Extension Settings"];

  constructor({ screen, client, extension = EXTENSION, id = ID, policies, profile = folder("profile"), resolve = "MAP *.test 127.0.0.1", flags = [] }) {
    Object.assign(this, { screen, client, extension, id, policies, profile, resolve, flags });
    // Without the developer's mode an unpacked extension that reloads itself is switched off.
    mkdirSync(join(profile, "Default"), { recursive: true });
    writeFileSync(join(profile, "Default/Preferences"), JSON.stringify({ extensions: { ui: { developer_mode: true } } }));
    const hosts = join(profile, "NativeMessagingHosts");
    execFileSync(AGENT, ["install-browser-host", "--only", "--folder", hosts]);
    this.said = join(profile, "said");
    listenBetween(hosts, this.said);
  }

  async start() {
    await this.launch();
    // A new extension waits for an administrator's settings; here nobody does.
    await (await this.worker()).evaluate(() => chrome.storage.local.set({ isSettled: true }));
    return this;
  }

  /** Starts it, whether the extension is there or not. */
  async launch() {
    this.context = await chromium.launchPersistentContext(this.profile, {
      executablePath: this.policies?.program ?? CHROMIUM,
      headless: false,
      viewport: null,
      env: { ...this.screen.env, LODE_DATA: this.client?.data ?? "/nonexistent" },
      ignoreDefaultArgs: [
        "--disable-extensions",
        "--enable-automation",
        "--disable-component-extensions-with-background-pages",
        // With it, nothing that a policy names is fetched.
        "--disable-background-networking",
      ],
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-component-update",
        "--disable-sync",
        "--password-store=basic",
        "--window-size=1000,800",
        "--window-position=50,40",
        ...this.flags,
        `--host-resolver-rules=${this.resolve}`,
        "--disable-features=DisableLoadExtensionCommandLineSwitch,Translate,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        ...(this.extension === null
          ? []
          : ["--disable-background-networking", `--load-extension=${this.extension}`, `--disable-extensions-except=${this.extension}`]),
      ],
    });
  }

  /** The extension's service worker, as soon as there is one. */
  async worker() {
    return until("the extension's worker", () => this.context.serviceWorkers().find((worker) => worker.url().includes(this.id)));
  }

  /** Opens a page of the extension behind the page in front. */
  async behind(name) {
    const opened = this.context.waitForEvent("page");
    await (await this.worker()).evaluate((url) => chrome.tabs.create({ url, active: false }), `chrome-extension://${this.id}/${name}`);
    return opened;
  }

  /** Everything that the extension keeps. */
  async storage() {
    return (await this.worker()).evaluate(async () => JSON.stringify([await chrome.storage.session.get(), await chrome.storage.local.get()]));
  }

  /** What the popup says of the page in front. */
  async sentence() {
    const popup = await this.behind("popup.html");
    const text = await until("a sentence", () => popup.textContent("p"));
    await popup.close();
    return text;
  }

  /** The mark on the extension's symbol. */
  async badge() {
    return (await this.worker()).evaluate(async () => {
      const [tab] = await chrome.tabs.query({ active: true });
      return chrome.action.getBadgeText({ tabId: tab.id });
    });
  }

  async open(url) {
    const page = await this.context.newPage();
    await page.goto(url);
    return page;
  }

  async close() {
    await this.context?.close();
    if (!process.env.LODE_KEEP) rmSync(this.profile, { recursive: true, force: true });
  }
}

/** Every file below a folder that has one of these words in it, in clear. */
export function filesWith(root, words) {
  const found = [];
  for (const name of readdirSync(root, { recursive: true })) {
    const path = join(root, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    const bytes = readFileSync(path);
    for (const word of words) {
      if (bytes.includes(word) || bytes.includes(Buffer.from(word, "utf16le"))) found.push(`${path}: ${word}`);
    }
  }
  return found;
}

/** No word in the extension's storage, in what it says to the relay, in the client's folder, on the wire, in what the client says of itself. */
export async function leavesNothing(words, { client, browser, wire }) {
  const storage = await browser.storage();
  const events = JSON.stringify(await client.events());
  const status = JSON.stringify(await client.status());
  await until("the spool is synced", async () => (await client.ask({ call: "send_now" }))?.ok);
  const relay = readFileSync(browser.said, "latin1");
  assert.ok(relay.includes('"kind":"load"'), "the relay was listened to");
  const sent = Buffer.concat(wire.bytes).toString("latin1");
  for (const [where, text] of Object.entries({ storage, relay, events, status, sent, log: client.stderr })) {
    for (const word of words) assert.ok(!text.includes(word), `${where} has ${word}`);
  }
  assert.deepEqual(filesWith(client.data, words), []);
  assert.deepEqual(filesWith(browser.profile, words).filter((path) => browser.own.some((name) => path.includes(name))), []);
}
