// The real Firefox, driven over Marionette, its own protocol for that: texts with their length in front of them over a socket of this
// machine. Nothing stands between the driver and the browser, and the extension is the one that is built for it.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AGENT, folder, listenBetween, until } from "./support.mjs";

const here = dirname(fileURLToPath(import.meta.url));

const EXTENSION = process.env.LODE_EXTENSION_FIREFOX ?? join(here, "../dist-firefox");
const FIREFOX = process.env.LODE_FIREFOX ?? "/usr/bin/firefox-esr";

/** By which Firefox knows the extension. */
const ID = JSON.parse(readFileSync(join(here, "../firefox.json"), "utf8")).gecko.id;

/** Where its pages are, in this profile. */
const PLACE = "5d2f0f4e-3c0b-4f6e-9a57-0c1de0e5a001";

/** A first start under load takes its time. */
const STARTED_MS_MAX = 120_000;

/** What a WebDriver answer calls an element by. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Keys that are no characters, as WebDriver writes them. */
export const KEY = { enter: "\ue007", tab: "\ue004", control: "\ue009", down: "\ue015" };

/** Commands and answers over Marionette's socket, one after the other. */
class Marionette {
  static async open(port) {
    const marionette = new Marionette();
    marionette.waiting = new Map();
    marionette.number = 0;
    marionette.socket = connect(port, "127.0.0.1");
    let bytes = Buffer.alloc(0);
    const greeted = new Promise((done, failed) => {
      marionette.greeted = done;
      marionette.socket.on("error", failed);
    });
    marionette.socket.on("data", (more) => {
      bytes = Buffer.concat([bytes, more]);
      for (let colon = bytes.indexOf(":"); colon > 0; colon = bytes.indexOf(":")) {
        const end = colon + 1 + Number(bytes.toString("latin1", 0, colon));
        if (bytes.length < end) return;
        marionette.hear(JSON.parse(bytes.toString("utf8", colon + 1, end)));
        bytes = bytes.subarray(end);
      }
    });
    marionette.socket.on("close", () => {
      for (const [, failed] of marionette.waiting.values()) failed(new Error("Firefox is gone"));
    });
    await greeted;
    return marionette;
  }

  hear(said) {
    if (!Array.isArray(said)) return this.greeted();
    const [, number, error, answer] = said;
    const [done, failed, command] = this.waiting.get(number);
    this.waiting.delete(number);
    if (error === null) done(answer);
    else failed(new Error(`${command}: ${error.error}: ${error.message}`));
  }

  send(command, words = {}) {
    const number = ++this.number;
    const text = JSON.stringify([0, number, command, words]);
    return new Promise((done, failed) => {
      this.waiting.set(number, [done, failed, command]);
      this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    });
  }
}

/** Firefox with a profile and a home of its own, and the extension loaded for the time being. */
export class Firefox {
  id = ID;

  /** Where in the profile the extension has files of its own. */
  own = ["moz-extension", "browser-extension-data", "storage-sync"];

  constructor({ screen, client, hosts, managed }) {
    Object.assign(this, { screen, client });
    this.home = folder("firefox");
    this.profile = join(this.home, "profile");
    const [mozilla, downloads] = [join(this.home, ".mozilla"), join(this.home, "downloads")];
    for (const each of [this.profile, mozilla, downloads]) mkdirSync(each, { recursive: true });
    this.said = join(this.home, "said");
    const relays = join(mozilla, "native-messaging-hosts");
    execFileSync(AGENT, ["install-browser-host", "--only", "--firefox", "--folder", relays]);
    listenBetween(relays, this.said);
    if (managed !== undefined) {
      const place = join(mozilla, "managed-storage");
      mkdirSync(place);
      writeFileSync(join(place, `${ID}.json`), JSON.stringify({ name: ID, description: "", type: "storage", data: managed }));
    }
    const preferences = {
      "marionette.port": 0,
      "network.dns.localDomains": hosts.join(","),
      "extensions.webextensions.uuids": JSON.stringify({ [ID]: PLACE }),
      "browser.download.folderList": 2,
      "browser.download.dir": downloads,
      "print.always_print_silent": true,
      "print_printer": "Mozilla Save to PDF",
      "print.printer_Mozilla_Save_to_PDF.print_to_filename": join(this.home, "printout.pdf"),
    };
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
    writeFileSync(join(this.profile, "user.js"), lines.join("\n"));
  }

  async start() {
    const words = ["--marionette", "--remote-allow-system-access", "--no-remote", "--profile", this.profile, "about:blank"];
    const env = { ...this.screen.env, HOME: this.home, LODE_DATA: this.client.data };
    for (const name of ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]) delete env[name];
    this.process = spawn(FIREFOX, words, { env, stdio: "ignore" });
    const active = join(this.profile, "MarionetteActivePort");
    const port = await until("Firefox says where it listens", () => existsSync(active) && Number(readFileSync(active, "utf8")), STARTED_MS_MAX);
    this.marionette = await Marionette.open(port);
    await this.send("NewSession", { capabilities: { alwaysMatch: { pageLoadStrategy: "normal" } } });
    return this;
  }

  send(command, words) {
    return this.marionette.send(`WebDriver:${command}`, words);
  }

  /** Loads the extension, as a developer does it by hand. */
  install() {
    return this.marionette.send("Addon:Install", { path: EXTENSION, temporary: true });
  }

  /** Opens a tab in front, looks at it from now on, and gives its handle. */
  async open(url) {
    const { handle } = await this.send("NewWindow", { type: "tab", focus: true });
    await this.switchTo(handle);
    await this.goto(url);
    return handle;
  }

  switchTo(handle, focus = true) {
    return this.send("SwitchToWindow", { handle, focus });
  }

  goto(url) {
    return this.send("Navigate", { url });
  }

  async find(selector) {
    const { value } = await this.send("FindElement", { using: "css selector", value: selector });
    return value;
  }

  async click(selector) {
    await this.send("ElementClick", { id: (await this.find(selector))[ELEMENT] });
  }

  /** Clicks on a point of the page, so often. */
  clickAt(x, y, { times = 1, button = 0 } = {}) {
    const press = Array.from({ length: times }, () => [{ type: "pointerDown", button }, { type: "pointerUp", button }]).flat();
    const actions = [{ type: "pointerMove", x: Math.round(x), y: Math.round(y), duration: 0 }, ...press];
    return this.send("PerformActions", { actions: [{ type: "pointer", id: "mouse", actions }] });
  }

  /** Presses keys one after the other; those in front of it are held. */
  press(keys, ...held) {
    const down = (value) => ({ type: "keyDown", value });
    const up = (value) => ({ type: "keyUp", value });
    const actions = [...held.map(down), ...[...keys].flatMap((key) => [down(key), up(key)]), ...held.map(up)];
    return this.send("PerformActions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  /** Looks into a frame, or out of all of them. */
  async enter(selector) {
    await this.send("SwitchToFrame", selector === null ? { id: null } : { element: (await this.find(selector))[ELEMENT] });
  }

  async evaluate(script, ...args) {
    return (await this.send("ExecuteScript", { script, args, newSandbox: true, sandbox: null })).value;
  }

  /** Does something inside the browser's own program, with its rights. */
  async inside(script) {
    const whole = `const done = arguments[arguments.length - 1]; (async () => { ${script} })().then(done)`;
    await this.marionette.send("Marionette:SetContext", { value: "chrome" });
    try {
      return (await this.send("ExecuteAsyncScript", { script: whole, args: [], newSandbox: true, sandbox: null })).value;
    } finally {
      await this.marionette.send("Marionette:SetContext", { value: "content" });
    }
  }

  /** Opens a page of the extension behind the page in front, and gives its handle. */
  async behind(name) {
    const before = await this.send("GetWindowHandles");
    const address = JSON.stringify(`moz-extension://${PLACE}/${name}`);
    await this.inside(`gBrowser.addTab(${address}, { triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() })`);
    return until(name, async () => (await this.send("GetWindowHandles")).find((handle) => !before.includes(handle)));
  }

  /** Does something in another tab, without bringing it to the front. */
  async within(handle, act) {
    const { value: here } = await this.send("GetWindowHandle");
    await this.switchTo(handle, false);
    try {
      return await act();
    } finally {
      await this.switchTo(here, false);
    }
  }

  /** Everything that the extension keeps. */
  async storage() {
    const options = await this.behind("options.html");
    const script = "return Promise.all([chrome.storage.session.get(), chrome.storage.local.get()])";
    const held = await this.within(options, async () => {
      const held = await until("the storage", () => this.evaluate(script).catch(() => null));
      await this.send("CloseWindow");
      return held;
    });
    return JSON.stringify(held);
  }

  async close() {
    if (this.process?.exitCode === null) {
      const gone = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGKILL");
      await gone;
    }
    if (!process.env.LODE_KEEP) rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
