// Rules, redaction and the record of an element, each by itself, in a real page: what may be looked at, what may be said.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CHROMIUM, ID, POLICY } from "./support.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const tool = createRequire(join(here, "../../web/package.json"));
const { chromium } = tool("playwright-core");
const { rolldown } = await import(pathToFileURL(tool.resolve("rolldown")));

let browser, page;

before(async () => {
  const bundle = await rolldown({ input: join(here, "parts.ts") });
  const { output } = await bundle.generate({ format: "iife", name: "parts" });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  page = await browser.newPage();
  // What only an extension can ask is asked of open roots here; closed ones are in pages.test.mjs.
  await page.addInitScript("globalThis.chrome = { dom: { openOrClosedShadowRoot: (element) => element.shadowRoot } }");
  await page.addInitScript(`${output[0].code}; globalThis.parts = parts;`);
  await page.goto("about:blank");
});

after(() => browser?.close());

const verdicts = (policy, addresses, hosts = null) =>
  page.evaluate(
    ([policy, addresses, hosts]) => addresses.map(([url, title]) => parts.gateOf(policy, hosts)(url, title ?? "")),
    [{ ...POLICY, ...policy }, addresses, hosts],
  );

test("d1 sites by host and path, as the client reads them", async () => {
  const sites = [{ host: "orders.example", path: "/**" }, { host: "*.erp.example", path: "/invoices/**" }, { host: "x.example", path: "/a/*" }];
  const cases = [
    ["https://orders.example/", "admitted"],
    ["https://ORDERS.example:8443/x?q#f", "admitted"],
    ["http://orders.example", "admitted"],
    ["https://jane:secret@orders.example/", "admitted"],
    ["https://a.erp.example/invoices/4711/lines", "admitted"],
    ["https://a.erp.example/hr/1", "site"],
    ["https://a.erp.example/Invoices/1", "site"],
    ["https://erp.example/invoices/1", "site"],
    ["https://x.example/a/b", "admitted"],
    ["https://x.example/a/b/c", "site"],
    ["https://evilorders.example/", "site"],
    ["https://orders.example.evil.example/", "site"],
    ["https://evil.example/https://orders.example/", "site"],
    ["https://evil.example\\@orders.example/", "site"],
    ["chrome://settings/", "site"],
    ["about:blank", "site"],
    ["file:///orders.example/", "site"],
    ["data:text/html,https://orders.example/", "site"],
    ["", "site"],
  ];
  assert.deepEqual(await verdicts({ sites }, cases.map(([url]) => [url])), cases.map(([, verdict]) => verdict));
});

test("d1 never lists win, and a rule that this browser cannot read closes every page", async () => {
  const at = "https://a.example/x";
  const one = async (never, url, title) => (await verdicts({ never: [never] }, [[url, title]]))[0];
  assert.equal(await one({ column: "page_title", regex: "(?i)payroll|gehalt" }, at, "The PAYROLL run"), "never");
  assert.equal(await one({ column: "window_title", regex: "(?i)payroll" }, at, "Payroll"), "never");
  assert.equal(await one({ column: "url", glob: "*/hr/*" }, "https://a.example/HR/1", ""), "never");
  assert.equal(await one({ column: "url_host", glob: "a.*" }, at, ""), "never");
  assert.equal(await one({ column: "page_title", regex: "\\d{4}" }, at, "٤٧١١"), "never", "digits of every script");
  assert.equal(await one({ column: "page_title", regex: "payroll" }, at, "Orders"), "admitted");
  for (const regex of ["(?x) a", "\\Aabc\\z", "[[:alpha:]]", "(", "a(?i)b", "\\pL"]) {
    assert.equal(await one({ column: "page_title", regex }, at, "Orders"), "unreadable_rule", regex);
  }
});

test("d12 the administrator's hosts only narrow", async () => {
  const sites = [{ host: "*.example", path: "/**" }];
  assert.deepEqual(
    await verdicts({ sites }, [["https://a.example/"], ["https://b.example/"], ["https://c.other/"]], ["a.example", "c.other"]),
    ["admitted", "narrowed", "site"],
  );
  assert.deepEqual(await verdicts({ sites }, [["https://a.example/"]], []), ["narrowed"]);
});

test("d2 mail addresses, account numbers and cards are taken out of names", async () => {
  const cases = [
    ["Mail to jane.doe@mail.example.org now", "Mail to **** now"],
    ["DE89 3704 0044 0532 0130 00", "****"],
    ["DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"],
    ["card 4111-1111-1111-1111!", "card ****!"],
    ["order 4111-1111-1111-1112", "order 4111-1111-1111-1112"],
    ["Save", "Save"],
  ];
  assert.deepEqual(await page.evaluate((texts) => texts.map(parts.redacted), cases.map(([text]) => text)), cases.map(([, out]) => out));
});

const described = (html, selector = "#x") =>
  page.evaluate(
    ([html, selector, policy]) => {
      document.body.innerHTML = html;
      return parts.describe(document.querySelector(selector), policy);
    },
    [html, selector, POLICY],
  );

test("an element is named by its author, never by what is in it", async () => {
  const cases = [
    ['<button id="x">Save <b>now</b></button>', "button", "Save now"],
    ['<button id="x" aria-label="Close">✕</button>', "button", "Close"],
    ['<span id="l">From</span><input id="x" aria-labelledby="l" value="CANARY">', "textbox", "From"],
    ['<label>Note <textarea id="x">CANARY</textarea></label>', "textbox", "Note"],
    ['<label>Kind <select id="x"><option>CANARY</option></select></label>', "combobox", "Kind"],
    ['<input id="x" value="CANARY">', "textbox", undefined],
    ['<div id="x" contenteditable>CANARY</div>', "textbox", undefined],
    ['<div id="x" role="gridcell">CANARY</div>', "gridcell", undefined],
    ['<ul><li id="x">CANARY</li></ul>', "listitem", undefined],
    ['<div id="x">CANARY</div>', "generic", undefined],
    ['<button id="x">A name that is far too long to be the name of a button</button>', "button", undefined],
    ['<input id="x" type="submit" value="Send">', "button", "Send"],
    ['<button id="x">Write to jane@example.org</button>', "button", "Write to ****"],
  ];
  for (const [html, role, name] of cases) {
    const record = await described(html);
    assert.deepEqual([record.role, record.name], [role, name], html);
    assert.ok(!JSON.stringify(record).includes("CANARY"), html);
  }
});

test("a path is the same after the next start: no ids that a program made up", async () => {
  const path = async (html, selector) => (await described(html, selector)).path;
  assert.equal(await path('<main id="app"><ul><li>a<li><button id="x">b</button></ul></main>'), "button#x");
  assert.equal(await path('<main id="app"><ul><li>a<li><button>b</button></ul></main>', "button"), "main#app > ul > li:nth-of-type(2) > button");
  assert.equal(await path('<div id="ember1234"><button>b</button></div>', "button"), "html > body > div > button");
  assert.equal(await path('<div data-testid="row"><a href="#">b</a></div>', "a"), "div#row > a");
});

test("d2 every kind of secret field is one, and stays one when it is shown", async () => {
  const secret = (html) =>
    page.evaluate((html) => {
      document.body.innerHTML = html;
      return parts.isSecret(document.querySelector("#x"));
    }, html);
  const secrets = [
    'type="password"', 'autocomplete="cc-number"', 'autocomplete="section-a shipping cc-csc"', 'autocomplete="one-time-code"',
    'autocomplete="new-password"', 'name="cvv2"', 'aria-label="Card number"', 'placeholder="Kennwort"', 'name="user_password" type="text"',
    'style="-webkit-text-security: disc"', 'aria-label="PIN"', 'name="otp"',
  ];
  for (const attributes of secrets) assert.ok(await secret(`<input id="x" ${attributes}>`), attributes);
  for (const attributes of ['name="customer"', 'type="search"', 'aria-label="Shipping"', 'autocomplete="email"', 'name="spinner"']) {
    assert.ok(!(await secret(`<input id="x" ${attributes}>`)), attributes);
  }
  const shown = await page.evaluate(() => {
    document.body.innerHTML = '<input id="x" type="password">';
    const field = document.querySelector("#x");
    parts.isSecret(field);
    field.type = "text";
    return parts.isSecret(field);
  });
  assert.ok(shown);
});

test("s13 the id in client, policies and manifest is one", () => {
  const policies = join(here, "../policies");
  const files = readdirSync(policies, { recursive: true }).filter((name) => /\.(json|admx|xml)$/.test(name)).map((name) => join(policies, name));
  for (const path of [...files, join(here, "../../crates/agent/src/browser.rs")]) assert.ok(readFileSync(path, "utf8").includes(ID), path);
});
