// The extension in the real Firefox, from the same sources, with the real client: what a person does there is told as in Chromium.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Firefox, KEY } from "./firefox.mjs";
import { CANARY, PAGES } from "./made-up.mjs";
import { brief, Client, element, leavesNothing, Screen, Site, until, Wire } from "./support.mjs";

const HOSTS = ["allowed.test", "other.allowed.test", "foreign.test"];
const RECORDED = "This page is recorded, because your project's configuration names it.";

let screen, wire, site, client, firefox, first;

before(async () => {
  screen = await Screen.open();
  wire = await Wire.open();
  site = await Site.open(PAGES);
  client = await new Client({ screen, wire, program: "firefox-esr" }).start();
  firefox = await new Firefox({ screen, client, hosts: HOSTS }).start();
  first = await firefox.open(site.url("allowed.test"));
  await firefox.install();
  await client.untilConnected();
  await client.untilEvent("the page", (event) => event.event_type === "page_loaded");
});

after(async () => {
  await firefox?.close();
  client?.close();
  site?.close();
  wire?.close();
  screen?.close();
});

const caused = (...said) => client.caused(...said);
const isOf = (id) => (event) => event.element_id === id;

/** Goes to a page, and waits until it is told. */
async function goto(path, title) {
  await caused("page_loaded", () => firefox.goto(site.url("allowed.test", path)), (event) => event.page_title === title);
}

/** Where in an element a person would click. */
function middle(selector) {
  return firefox.evaluate(
    "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.left + Math.min(20, box.width / 2), box.top + 10]",
    selector,
  );
}

describe("what a person does in an allowed page", () => {
  test("p2 a page that was open when the extension came is told once, and what is done in it", async () => {
    await caused("element_clicked", () => firefox.click("#icon"));
    await caused("element_clicked", () => firefox.click("#note"), isOf("note"));
    const told = (await client.events()).filter((event) => event.event_type === "page_loaded" || event.event_type === "element_clicked");
    assert.deepEqual(told.map((event) => event.element_id), [undefined, "save", "note"], JSON.stringify(told.map(brief)));
  });

  test("a click names the button, not the icon in it", async () => {
    const event = await caused("element_clicked", () => firefox.click("#icon"));
    assert.deepEqual(element(event), ["button", "Save order", "save"]);
    assert.deepEqual([event.element_path, event.page_title, event.url_host], ["button#save", "Orders", "allowed.test"]);
  });

  test("text is one event with its length and not its characters; a choice and a tick are changes", async () => {
    await firefox.click("#customer");
    await firefox.press(`${CANARY}-typed`);
    const event = await caused("element_changed", () => firefox.press(KEY.tab));
    assert.deepEqual([...element(event), event.text_length, event.text], ["textbox", "Customer", "customer", 6, undefined]);
    const choice = await caused("element_changed", () => firefox.press(KEY.down));
    assert.deepEqual(element(choice), ["combobox", "State", "state"]);
    const tick = await caused("element_changed", () => firefox.click("#urgent"));
    assert.deepEqual(element(tick), ["checkbox", "Urgent", "urgent"]);
  });

  test("selection, copy, cut and paste are told with the element and lengths", async () => {
    const selected = await caused("text_selected", async () => firefox.clickAt(...(await middle("#prose")), { times: 3 }));
    assert.deepEqual([selected.element_path, selected.text_length], ["p#prose", 21]);
    const copied = await caused("copy", () => firefox.press("c", KEY.control));
    assert.deepEqual([copied.element_role, copied.text_length], ["paragraph", 21]);
    await firefox.click("#note");
    const pasted = await caused("paste", () => firefox.press("v", KEY.control));
    assert.deepEqual([...element(pasted), pasted.text_length], ["textbox", "Note", "note", 21]);
    const cut = await caused("cut", () => firefox.press("ax", KEY.control));
    assert.deepEqual(element(cut), ["textbox", "Note", "note"]);
  });

  test("the middle button says which it was, and pastes nothing where nobody can write", async () => {
    const from = (await client.events()).at(-1).seq;
    await caused("element_clicked", async () => firefox.clickAt(...(await middle("#save")), { button: 1 }), (event) => event.attributes?.button === "middle");
    await caused("element_clicked", () => firefox.click("#save"), (event) => event.attributes?.button === undefined);
    const pastes = (await client.events()).filter((event) => event.seq > from && event.event_type === "paste");
    assert.deepEqual(pastes.map(brief), []);
  });

  test("a form that is sent tells what was entered before", async () => {
    await firefox.click("[name=q]");
    await firefox.press("screws");
    const sent = await caused("form_submitted", () => firefox.press(KEY.enter));
    assert.deepEqual(element(sent), ["form", "Search", "search"]);
    const changed = (await client.events()).filter((event) => event.event_type === "element_changed").at(-1);
    assert.deepEqual([changed.element_name, changed.seq < sent.seq], ["Query", true]);
  });

  test("a cell has the names of its row and column", async () => {
    const event = await caused("element_clicked", () => firefox.click("#price"), isOf("price"));
    assert.deepEqual([event.element_role, event.row_label, event.column_label, event.element_name], ["cell", "Screws", "Price", undefined]);
  });

  test("a download and a printout", async () => {
    const download = await caused("download_started", () => firefox.click("#download"));
    assert.equal(download.url_host, "allowed.test");
    assert.ok(!JSON.stringify(download).includes("r.csv"));
    const print = await caused("print_requested", () => firefox.evaluate("window.print()"));
    assert.equal(print.page_title, "Orders");
  });

  test("an application of a single page changes its address, and going back is told too", async () => {
    const there = await caused("page_loaded", () => firefox.click("#spa"));
    assert.equal(there.page_title, "Order 4711");
    assert.match(there.url_template, /\/orders\/\{id\}$/);
    const back = await caused("page_loaded", () => firefox.send("Back"));
    assert.ok(!back.url_template.includes("orders"), back.url_template);
    await goto("/", "Orders");
    await goto("/shadow", "Shadow");
    await caused("page_loaded", () => firefox.send("Back"), (event) => event.page_title === "Orders");
    await caused("element_clicked", () => firefox.click("#save"), isOf("save"));
  });

  test("tabs are opened, switched and closed", async () => {
    await caused("tab_activated", () => firefox.open(site.url("allowed.test", "/shadow")), (event) => event.attributes?.opened === "true");
    const second = (await firefox.send("GetWindowHandle")).value;
    await caused("tab_activated", () => firefox.switchTo(first), (event) => event.page_title === "Orders");
    await firefox.switchTo(second);
    const closed = await caused("tab_closed", () => firefox.send("CloseWindow"));
    assert.equal(closed.page_title, "Shadow");
    await firefox.switchTo(first);
  });
});

describe("frames and shadow roots", () => {
  async function clickIn(frame) {
    await firefox.enter(frame);
    await firefox.click("button");
    await firefox.enter(null);
  }

  test("frames of srcdoc and of another allowed origin are heard, a foreign one is not", async () => {
    await firefox.goto(site.url("allowed.test", "/frames"));
    await client.untilEvent("the frame", (event) => event.page_title === "Inner");
    const srcdoc = await caused("element_clicked", () => clickIn("#srcdoc"));
    assert.deepEqual([srcdoc.element_name, srcdoc.url_template], ["In srcdoc", site.url("allowed.test", "/frames")]);
    const cross = await caused("element_clicked", () => clickIn("#cross"));
    assert.deepEqual([cross.element_name, cross.url_host], ["In frame", "other.allowed.test"]);
    assert.notEqual(cross.frame_id, srcdoc.frame_id);
    await clickIn("#foreign");
    await caused("element_clicked", () => clickIn("#srcdoc"), (event) => event.element_name === "In srcdoc");
    assert.ok((await client.events()).every((event) => event.url_host !== "foreign.test"));
  });

  for (const mode of ["open", "closed"]) {
    test(`a ${mode} shadow root is looked into`, async () => {
      await goto("/shadow", "Shadow");
      const click = await caused("element_clicked", async () => firefox.clickAt(...(await middle(`#${mode}`))), isOf("b"));
      assert.deepEqual([...element(click), click.element_path], ["button", `In ${mode}`, "b", `div#${mode} >>> form > button#b`]);
      const sent = await caused("form_submitted", () => firefox.press(`${KEY.tab}abc${KEY.enter}`));
      assert.equal(sent.element_role, "form");
      const typed = (await client.events()).filter((event) => event.event_type === "element_changed").at(-1);
      assert.deepEqual([typed.element_role, typed.element_name], ["textbox", `Field ${mode}`]);
    });
  }
});

describe("what leaves no trace", () => {
  test("d2 passwords, cards, codes, editable areas and plain text: no character of them anywhere", async () => {
    await goto("/canary", "Canary");
    const from = (await client.events()).at(-1).seq;
    const fields = ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11"];
    for (const field of fields) {
      await firefox.click(`#${field}`);
      await firefox.press(field === "f2" ? "4111 1111 1111 1111" : CANARY);
    }
    await firefox.click("#show");
    await firefox.click("#f9");
    await firefox.press(CANARY);
    await firefox.press("ac", KEY.control);
    await firefox.clickAt(...(await middle("#p")), { times: 3 });
    await firefox.press("c", KEY.control);
    await caused("element_clicked", () => firefox.click("#end"), isOf("end"));
    const events = (await client.events()).filter((event) => event.seq > from);
    const secret = /^f[1-5]$|^f9$/;
    assert.deepEqual(events.filter((event) => secret.test(event.element_id ?? "")).map(brief), [], "nothing at all of secret fields");
    const changes = events.filter((event) => event.event_type === "element_changed").map((event) => event.element_id);
    assert.deepEqual(changes, ["f6", "f7", "f8", "f10", "f11"]);
    await leavesNothing([CANARY, "4111 1111 1111 1111"], { client, browser: firefox, wire });
  });

  test("d1 a site that is not on the list: no address, no title, no text", async () => {
    await goto("/canary", "Canary");
    await firefox.open(site.url("foreign.test", `/inner?${CANARY}-query`));
    await firefox.evaluate("document.title = arguments[0]", `${CANARY}-title`);
    await firefox.click("#inner");
    await firefox.click("#secret-of-frame");
    await firefox.press(`${CANARY}-foreign`);
    await firefox.send("CloseWindow");
    await firefox.switchTo(first);
    await caused("element_clicked", () => firefox.click("#end"), isOf("end"));
    await leavesNothing([CANARY, "foreign.test"], { client, browser: firefox, wire });
  });
});

describe("what breaks, and what a person is told", () => {
  test("p1 p2 the client is killed and comes back, the extension's background ends: each event once", async () => {
    await goto("/", "Orders");
    const from = (await client.events()).at(-1).seq;
    await firefox.click("#save");
    await client.kill();
    await firefox.click("#price");
    await client.start();
    await client.untilEvent("the click while it was away", (event) => event.seq > from && event.element_id === "price");
    await firefox.inside(`await WebExtensionPolicy.getByID("${firefox.id}").extension.terminateBackground()`);
    await firefox.click("#note");
    await client.untilEvent("the click without a background", (event) => event.seq > from && event.element_id === "note");
    const clicks = (await client.events()).filter((event) => event.seq > from && event.event_type === "element_clicked");
    assert.deepEqual(clicks.map((event) => event.element_id), ["save", "price", "note"]);
  });

  test("the popup says whether the page is recorded, and follows", async () => {
    const popup = await firefox.behind("popup.html");
    const says = (sentence) =>
      until(sentence, () => firefox.within(popup, async () => (await firefox.evaluate("return document.body.textContent.trim()")) === sentence));
    await says(RECORDED);
    await firefox.goto(site.url("foreign.test", "/inner"));
    await says("This page is not recorded, because it is not on your project's list.");
    await client.ask({ call: "pause", us: null });
    await says("Nothing is recorded, because you paused.");
    await client.ask({ call: "resume" });
    await firefox.goto(site.url("allowed.test"));
    await says(RECORDED);
    await client.kill();
    await says("Nothing is recorded in this browser, because the Lode client does not run.");
    await client.start();
    await says(RECORDED);
  });
});

test("d12 an administrator's settings hold from the first moment, without a wait for them", async () => {
  await firefox.close();
  const managed = { allowedHosts: ["other.allowed.test"] };
  firefox = await new Firefox({ screen, client, hosts: HOSTS, managed }).start();
  await firefox.install();
  await client.untilConnected();
  const from = (await client.events()).at(-1).seq;
  first = await firefox.open(site.url("allowed.test"));
  await firefox.click("#save");
  await firefox.open(site.url("other.allowed.test"));
  await client.untilEvent("the page", (event) => event.seq > from && event.event_type === "page_loaded");
  await firefox.click("#save");
  await client.untilEvent("the click", (event) => event.seq > from && event.element_id === "save");
  const hosts = (await client.events()).filter((event) => event.seq > from && event.url_host).map((event) => event.url_host);
  assert.deepEqual([...new Set(hosts)], ["other.allowed.test"]);
});
