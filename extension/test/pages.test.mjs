// Every kind of event that a person can cause in a page, in the real browser with the real client: what is told of it, and what is not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Browser, brief, Client, filesWith, Screen, Site, until, Wire } from "./support.mjs";

const CANARY = "CANARY-7f3a";

const PAGES = {
  "/": `<title>Orders</title>
    <h1>Orders</h1>
    <button id="save" aria-label="Save order"><span id="icon">✔</span></button>
    <label>Customer <input id="customer"></label>
    <select id="state" aria-label="State"><option>open</option><option>done</option></select>
    <label><input type="checkbox" id="urgent"> Urgent</label>
    <p id="prose">Some words to be selected and copied.</p>
    <textarea id="note" aria-label="Note"></textarea>
    <form id="search" aria-label="Search" onsubmit="return false"><input name="q" aria-label="Query"><button>Go</button></form>
    <table><thead><tr><th>Item<th>Price</tr></thead><tbody><tr><th scope="row">Screws<td id="price">12</td></tr></tbody></table>
    <a id="download" href="/report.csv" download>Report</a>
    <button id="spa" onclick="history.pushState({}, '', '/orders/4711'); document.title = 'Order 4711'">Open order</button>
    <button data-testid="generated" id="x-93847593">Generated</button>`,
  "/report.csv": (_request, response) =>
    response.writeHead(200, { "content-type": "text/csv", "content-disposition": "attachment; filename=r.csv" }).end("a,b\n"),
  "/frames": `<title>Frames</title>
    <iframe id="srcdoc" srcdoc="<button id=inner>In srcdoc</button>"></iframe>
    <iframe id="cross" src="http://other.allowed.test:PORT/inner"></iframe>
    <iframe id="foreign" src="http://foreign.test:PORT/inner"></iframe>`,
  "/inner": `<title>Inner</title><button id="inner">In frame</button><input id="secret-of-frame" aria-label="Field">`,
  "/shadow": `<title>Shadow</title><div id="open"></div><div id="closed"></div><script>
    for (const mode of ["open", "closed"]) {
      const root = document.getElementById(mode).attachShadow({ mode });
      root.innerHTML = '<form onsubmit="return false"><button id="b">In ' + mode + '</button><input aria-label="Field ' + mode + '"></form>';
    }</script>`,
  "/canary": `<title>Canary</title>
    <input type="password" id="f1" aria-label="Password">
    <input id="f2" autocomplete="cc-number" aria-label="Number">
    <input id="f3" autocomplete="one-time-code" aria-label="Code">
    <input id="f4" autocomplete="new-password" aria-label="New">
    <input id="f5" name="cvc" aria-label="CVC">
    <div contenteditable id="f6" aria-label="Letter"></div>
    <input id="f7" aria-label="Plain">
    <textarea id="f8" aria-label="Long"></textarea>
    <input id="f9" type="password" aria-label="Shown"><button id="show" onclick="document.getElementById('f9').type='text'">Show</button>
    <input id="f10"><div contenteditable id="f11">empty</div>
    <p id="p">${CANARY} in the prose of the page</p>
    <input type="hidden" value="${CANARY}"><!-- ${CANARY} -->
    <button id="end">End</button>`,
};

let screen, wire, site, client, browser, page;

before(async () => {
  screen = await Screen.open();
  wire = await Wire.open();
  site = await Site.open(PAGES);
  PAGES["/frames"] = PAGES["/frames"].replaceAll("PORT", site.port);
  client = await new Client({ screen, wire }).start();
  browser = await new Browser({ screen, client }).start();
  await client.untilConnected();
  page = await browser.open(site.url("allowed.test"));
  await client.untilEvent("the page", (event) => event.event_type === "page_loaded");
});

after(async () => {
  await browser?.close();
  client?.close();
  site?.close();
  wire?.close();
  screen?.close();
});

/** Does something, and waits for the event that it causes. */
async function caused(event_type, act, wanted = () => true) {
  const from = (await client.events()).at(-1).seq;
  await act();
  return client.untilEvent(event_type, (event) => event.seq > from && event.event_type === event_type && wanted(event));
}

const element = ({ element_role, element_name, element_id }) => [element_role, element_name, element_id];

describe("what a person does in an allowed page", () => {
  test("a click names the button, not the icon in it", async () => {
    const event = await caused("element_clicked", () => page.click("#icon"));
    assert.deepEqual(element(event), ["button", "Save order", "save"]);
    assert.equal(event.element_path, "button#save");
    assert.equal(event.page_title, "Orders");
    assert.equal(event.url_host, "allowed.test");
  });

  test("a click with another button says which", async () => {
    const event = await caused("element_clicked", () => page.click("#save", { button: "middle" }), (event) => event.attributes?.button !== undefined);
    assert.deepEqual([event.element_id, event.attributes.button], ["save", "middle"]);
  });

  test("an id that a program made up is no name; a test id is one", async () => {
    const event = await caused("element_clicked", () => page.click("[data-testid]"));
    assert.deepEqual(element(event), ["button", "Generated", "generated"]);
  });

  test("text is one event when the field is left, with its length and not its characters", async () => {
    await page.click("#customer");
    await page.keyboard.type(`${CANARY}-typed`);
    const event = await caused("element_changed", () => page.keyboard.press("Tab"));
    assert.deepEqual(element(event), ["textbox", "Customer", "customer"]);
    assert.equal(event.text_length, 6, "the lower bound of 6 to 20");
    assert.equal(event.text, undefined);
  });

  test("a choice and a tick are changes", async () => {
    await page.focus("#state");
    const choice = await caused("element_changed", () => page.keyboard.press("ArrowDown"));
    assert.deepEqual(element(choice), ["combobox", "State", "state"]);
    const tick = await caused("element_changed", () => page.click("#urgent"));
    assert.deepEqual(element(tick), ["checkbox", "Urgent", "urgent"]);
  });

  test("a click on a label is one click, although the browser makes two", async () => {
    const isClick = (event) => event.event_type === "element_clicked";
    const before = await client.untilEvent("the click on the field", (event) => isClick(event) && event.element_id === "urgent");
    await caused("element_changed", () => page.click("label:has(#urgent)", { position: { x: 40, y: 8 } }), (event) => event.element_id === "urgent");
    await caused("element_clicked", () => page.click("#save"), (event) => event.element_id === "save");
    const clicks = (await client.events()).filter((event) => event.seq > before.seq && isClick(event));
    assert.deepEqual(clicks.map((event) => event.element_role), ["label", "button"]);
  });

  test("selection, copy, cut and paste are told with lengths", async () => {
    const selected = await caused("text_selected", () => page.click("#prose", { clickCount: 3 }));
    assert.equal(selected.text_length, 21);
    const copied = await caused("copy", () => page.keyboard.press("Control+C"));
    assert.deepEqual([copied.element_role, copied.text_length], ["paragraph", 21]);
    await page.click("#note");
    const pasted = await caused("paste", () => page.keyboard.press("Control+V"));
    assert.deepEqual(element(pasted), ["textbox", "Note", "note"]);
    assert.equal(pasted.text_length, 21);
    await page.keyboard.press("Control+A");
    const cut = await caused("cut", () => page.keyboard.press("Control+X"));
    assert.deepEqual(element(cut), ["textbox", "Note", "note"]);
  });

  test("a form that is sent tells what was entered before", async () => {
    await page.fill("[name=q]", "");
    await page.click("[name=q]");
    await page.keyboard.type("screws");
    const sent = await caused("form_submitted", () => page.keyboard.press("Enter"));
    assert.deepEqual(element(sent), ["form", "Search", "search"]);
    const changed = (await client.events()).filter((event) => event.event_type === "element_changed").at(-1);
    assert.equal(changed.element_name, "Query");
    assert.ok(changed.seq < sent.seq);
  });

  test("a cell has the names of its row and column, and none of its own", async () => {
    const event = await caused("element_clicked", () => page.click("#price"), (event) => event.element_id === "price");
    assert.deepEqual([event.element_role, event.row_label, event.column_label], ["cell", "Screws", "Price"]);
    assert.equal(event.element_name, undefined);
  });

  test("a download and a printout", async () => {
    const download = await caused("download_started", () => page.click("#download"));
    assert.equal(download.url_host, "allowed.test");
    assert.ok(!JSON.stringify(download).includes("r.csv"));
    const devtools = await browser.context.newCDPSession(page);
    await caused("print_requested", () => devtools.send("Page.printToPDF"));
  });

  test("an application of a single page changes its address", async () => {
    const event = await caused("page_loaded", () => page.click("#spa"));
    assert.equal(event.page_title, "Order 4711");
    assert.match(event.url_template, /\/orders\/\{id\}$/);
  });

  test("going back loads the page before, also from the browser's memory", async () => {
    await caused("page_loaded", () => page.goto(site.url("allowed.test")), (event) => event.page_title === "Orders");
    await caused("page_loaded", () => page.goto(site.url("allowed.test", "/shadow")), (event) => event.page_title === "Shadow");
    await caused("page_loaded", () => page.goBack(), (event) => event.page_title === "Orders");
    const click = await caused("element_clicked", () => page.click("#save"), (event) => event.element_id === "save");
    assert.equal(click.url_host, "allowed.test");
  });

  test("tabs are opened, switched and closed", async () => {
    const second = await browser.context.newPage();
    await caused("tab_activated", () => second.goto(site.url("allowed.test", "/shadow")), (event) => event.attributes?.opened === "true");
    await caused("tab_activated", () => page.bringToFront(), (event) => event.page_title === "Orders");
    const closed = await caused("tab_closed", () => second.close());
    assert.equal(closed.page_title, "Shadow");
  });
});

describe("frames and shadow roots", () => {
  const inFrame = (name) => (event) => event.element_name === name;

  test("frames of srcdoc and of another allowed origin are heard, a foreign one is not", async () => {
    await page.goto(site.url("allowed.test", "/frames"));
    await client.untilEvent("both frames", (event) => event.page_title === "Inner");
    const srcdoc = await caused("element_clicked", () => page.frameLocator("#srcdoc").locator("button").click(), inFrame("In srcdoc"));
    assert.deepEqual([srcdoc.element_name, srcdoc.url_template], ["In srcdoc", site.url("allowed.test", "/frames")]);
    const cross = await caused("element_clicked", () => page.frameLocator("#cross").locator("button").click(), inFrame("In frame"));
    assert.deepEqual([cross.element_name, cross.url_host], ["In frame", "other.allowed.test"]);
    assert.notEqual(cross.frame_id, srcdoc.frame_id);
    await page.frameLocator("#foreign").locator("button").click();
    await page.frameLocator("#foreign").locator("input").pressSequentially(CANARY);
    await caused("element_clicked", () => page.frameLocator("#srcdoc").locator("button").click(), inFrame("In srcdoc"));
    assert.ok((await client.events()).every((event) => event.url_host !== "foreign.test"));
  });

  for (const mode of ["open", "closed"]) {
    test(`a ${mode} shadow root is looked into`, async () => {
      await page.goto(site.url("allowed.test", "/shadow"));
      await client.untilEvent("the page", (event) => event.page_title === "Shadow" && event.event_type === "page_loaded");
      const at = await page.evaluate((mode) => {
        const box = document.getElementById(mode).getBoundingClientRect();
        return { x: box.left + 20, y: box.top + 10 };
      }, mode);
      const click = await caused("element_clicked", () => page.mouse.click(at.x, at.y), (event) => event.element_id === "b");
      assert.deepEqual(element(click), ["button", `In ${mode}`, "b"]);
      assert.equal(click.element_path, `div#${mode} >>> form > button#b`);
      await page.keyboard.press("Tab");
      await page.keyboard.type("abc");
      const sent = await caused("form_submitted", () => page.keyboard.press("Enter"));
      assert.equal(sent.element_role, "form");
      const typed = (await client.events()).filter((event) => event.event_type === "element_changed").at(-1);
      assert.deepEqual([typed.element_role, typed.element_name], ["textbox", `Field ${mode}`]);
    });
  }
});

describe("what leaves no trace", () => {
  test("d2 passwords, cards, codes, editable areas and plain text: no character of them anywhere", async () => {
    await page.goto(site.url("allowed.test", "/canary"));
    await client.untilEvent("the page", (event) => event.page_title === "Canary" && event.event_type === "page_loaded");
    const from = (await client.events()).at(-1).seq;
    for (const field of ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11"]) {
      await page.click(`#${field}`);
      await page.keyboard.type(field === "f2" ? "4111 1111 1111 1111" : CANARY);
    }
    await page.click("#show");
    await page.click("#f9");
    await page.keyboard.type(CANARY);
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Control+C");
    await page.click("#f7");
    await page.fill("#f7", "");
    await page.keyboard.type("4111-1111-1111-1111");
    await page.click("#p", { clickCount: 3 });
    await page.keyboard.press("Control+C");
    await caused("element_clicked", () => page.click("#end"), (event) => event.element_id === "end");
    const events = (await client.events()).filter((event) => event.seq > from);
    const secret = /^f[1-5]$|^f9$/;
    assert.deepEqual(events.filter((event) => secret.test(event.element_id ?? "")).map(brief), [], "nothing at all of secret fields");
    const changes = events.filter((event) => event.event_type === "element_changed").map((event) => event.element_id);
    assert.deepEqual(changes, ["f6", "f7", "f8", "f10", "f11"], "the card in a plain field is not told");
    await leavesNothing([CANARY, "4111 1111 1111 1111", "4111-1111-1111-1111"]);
  });

  test("d1 a site that is not on the list: no address, no title, no text", async () => {
    await page.goto(site.url("allowed.test", "/canary"));
    const foreign = await browser.context.newPage();
    await foreign.goto(site.url("foreign.test", `/inner?${CANARY}-query`));
    await foreign.evaluate((canary) => (document.title = `${canary}-title`), CANARY);
    await foreign.click("#inner");
    await foreign.click("#secret-of-frame");
    await foreign.keyboard.type(`${CANARY}-foreign`);
    await foreign.close();
    await caused("element_clicked", () => page.click("#end"), (event) => event.element_id === "end");
    await leavesNothing([CANARY, "foreign.test"]);
  });

});

describe("what a person is told and can choose", () => {
  test("the popup says in one sentence whether the page is recorded, and why", async () => {
    await page.goto(site.url("allowed.test", "/canary"));
    await page.bringToFront();
    await until("the badge", async () => (await browser.badge()) === "●");
    assert.equal(await browser.sentence(), "This page is recorded, because your project's configuration names it.");
    await page.goto(site.url("foreign.test", "/inner"));
    await until("no badge", async () => (await browser.badge()) === "");
    assert.equal(await browser.sentence(), "This page is not recorded, because it is not on your project's list.");
    await page.goto("chrome://version");
    assert.equal(await browser.sentence(), "This page is not recorded, because it is a page of the browser itself.");
    await client.ask({ call: "pause", us: null });
    await until("the pause", async () => (await browser.sentence()) === "Nothing is recorded, because you paused.");
    await client.ask({ call: "resume" });
    await page.goto(site.url("allowed.test", "/canary"));
    await until("the badge", async () => (await browser.badge()) === "●");
  });

  test("d12 a person can switch it off and name fewer hosts, and at once nothing is told any more", async () => {
    const options = await browser.behind("options.html");
    const clicks = async () => (await client.events()).filter((event) => event.event_type === "element_clicked").length;
    await options.check("input");
    await until("off", async () => (await browser.badge()) === "");
    const before = await clicks();
    await page.click("#end");
    await options.uncheck("input");
    await options.fill("textarea", "other.test");
    await options.dispatchEvent("textarea", "change");
    await page.click("#end");
    assert.equal(await browser.badge(), "");
    await options.fill("textarea", "");
    await options.dispatchEvent("textarea", "change");
    await until("on again", async () => (await browser.badge()) === "●");
    await until("the page listens", async () => {
      await page.click("#end");
      return (await clicks()) > before;
    });
    await options.close();
    await leavesNothing([CANARY]);
  });
});

/** No word in the extension's storage, in what it says to the relay, in the client's folder, on the wire, in what the client says of itself. */
async function leavesNothing(words) {
  const worker = await browser.worker();
  const storage = await worker.evaluate(async () => JSON.stringify([await chrome.storage.session.get(), await chrome.storage.local.get()]));
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
  const own = ["Local Extension Settings", "Managed Extension Settings", "Sync Extension Settings"];
  assert.deepEqual(filesWith(browser.profile, words).filter((path) => own.some((name) => path.includes(name))), []);
}
