// Every kind of event that a person can cause in a page, in the real browser with the real client: what is told of it, and what is not.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CANARY, PAGES } from "./made-up.mjs";
import { Browser, brief, Client, element, leavesNothing, Screen, Site, until, Wire } from "./support.mjs";

const RECORDED = "This page is recorded, because your project's configuration names it.";

let screen, wire, site, client, browser, page;

before(async () => {
  screen = await Screen.open();
  wire = await Wire.open();
  site = await Site.open(PAGES);
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

const caused = (...said) => client.caused(...said);

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
    await leavesNothing([CANARY, "4111 1111 1111 1111", "4111-1111-1111-1111"], { client, browser, wire });
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
    await leavesNothing([CANARY, "foreign.test"], { client, browser, wire });
  });

});

describe("what a person is told and can choose", () => {
  test("the popup says in one sentence whether the page is recorded, and why", async () => {
    await page.goto(site.url("allowed.test", "/canary"));
    await page.bringToFront();
    await until("the badge", async () => (await browser.badge()) === "●");
    assert.equal(await browser.sentence(), RECORDED);
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

  test("an open popup follows: another page, a pause, the client's end and its return, what a new extension waits for", async () => {
    const popup = await browser.behind("popup.html");
    const says = (sentence) => until(`the popup says: ${sentence}`, async () => (await popup.textContent("p")) === sentence);
    await page.goto(site.url("foreign.test", "/inner"));
    await says("This page is not recorded, because it is not on your project's list.");
    await page.goto(site.url("allowed.test", "/canary"));
    await says(RECORDED);
    await client.ask({ call: "pause", us: null });
    await says("Nothing is recorded, because you paused.");
    await client.ask({ call: "resume" });
    await says(RECORDED);
    const settle = async (isSettled) => (await browser.worker()).evaluate((isSettled) => chrome.storage.local.set({ isSettled }), isSettled);
    await settle(false);
    await says("Nothing is recorded in this browser yet, because the extension was installed a moment ago and waits for your administrator's settings.");
    await settle(true);
    await says(RECORDED);
    await client.kill();
    await says("Nothing is recorded in this browser, because the Lode client does not run.");
    await client.start();
    await says(RECORDED);
    await popup.close();
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
    await leavesNothing([CANARY], { client, browser, wire });
  });
});
