// One click of a hand in the real browser, seen by the desktop and by the page: one event, with the page's element and a picture of the
// window in which the element's box is where the button is. Checked in pixels.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inflateSync } from "node:zlib";
import { Browser, brief, Client, Screen, Site, until } from "./support.mjs";

const PAGES = {
  "/": `<title>Order entry</title><style>body { margin: 40px; background: #fff } * { border-radius: 0 }</style>
    <button id="book" style="position:absolute;left:200px;top:150px;width:160px;height:60px;background:#ff00ff;border:0;color:#ff00ff">Book</button>
    <input id="pin" type="password" aria-label="Password" style="position:absolute;left:200px;top:300px;width:200px;height:40px;background:#00ff00;border:0;outline:0">
    <iframe src="http://foreign.test:PORT/foreign" style="position:absolute;left:500px;top:150px;width:200px;height:100px;border:0"></iframe>
    <input id="text" aria-label="Note" style="position:absolute;left:200px;top:400px;width:200px;height:40px">`,
  "/foreign": `<style>body { background: #00ffff }</style>`,
};

let screen, site, client, browser, page;

before(async () => {
  screen = await Screen.open();
  site = await Site.open(PAGES);
  const extra = '<screenshots enabled="true" maskText="page" minGap="PT0.2S"/>';
  client = await new Client({ screen, backend: "x11", extra }).start();
  browser = await new Browser({ screen, client }).start();
  await client.untilConnected();
  page = await browser.open(site.url("allowed.test"));
  await client.untilEvent("the page", (event) => event.event_type === "page_loaded");
  await client.untilEvent("the window", (event) => event.event_type === "window_activated" && event.page_title === "Order entry");
});

after(async () => {
  await browser?.close();
  client?.close();
  site?.close();
  screen?.close();
});

/** Where an element lies on the screen. */
async function onScreen(selector) {
  return page.evaluate((selector) => {
    const { left, top, width, height } = document.querySelector(selector).getBoundingClientRect();
    const border = (outerWidth - innerWidth) / 2;
    return [screenX + border + left, screenY + outerHeight - innerHeight - border + top, width, height].map(Math.round);
  }, selector);
}

async function clickOn(selector, button = 1) {
  const [x, y, width, height] = await onScreen(selector);
  screen.xdotool("mousemove", "--sync", x + Math.round(width / 2), y + Math.round(height / 2), "click", button);
  return [x, y, width, height];
}

/** Width, height and colours of an 8-bit RGB PNG. */
function decode(png) {
  const bytes = Buffer.from(png, "base64");
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const parts = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 3;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x < 3 ? 0 : pixels[y * stride + x - 3];
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + x];
      const corner = x < 3 || y === 0 ? 0 : pixels[(y - 1) * stride + x - 3];
      const guess = left + up - corner;
      const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      const predicted = [0, left, up, (left + up) >> 1, paeth][filter];
      pixels[y * stride + x] = (raw[y * (stride + 1) + 1 + x] + predicted) & 255;
    }
  }
  return { width, height, at: (x, y) => pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3).toString("hex") };
}

/** The corner of the browser's window on the screen: that of the picture. */
function corner() {
  const said = screen.run("xwininfo", ["-id", screen.xdotool("getactivewindow")]);
  return ["Absolute upper-left X:", "Absolute upper-left Y:"].map((name) => Number(new RegExp(`${name}\\s+(-?\\d+)`).exec(said)[1]));
}

test("d3 one click is one event, and in its picture the button is where its box says", async () => {
  const place = await clickOn("#book");
  const click = await client.untilEvent("the click", (event) => event.element_id === "book");
  assert.deepEqual([click.event_type, click.element_role, click.element_name], ["left_click", "button", "Book"]);
  const [bx, by, width, height] = click.element_box;
  assert.ok(Math.abs(bx - place[0]) <= 1 && Math.abs(by - place[1]) <= 1, `${click.element_box} is not ${place}`);
  assert.deepEqual([width, height], [160, 60]);
  assert.ok(click.screenshot_id, JSON.stringify(click));
  const picture = await until("the picture", async () => (await client.ask({ call: "picture", id: click.screenshot_id }))?.png);
  const { at } = decode(picture);
  const [cx, cy] = corner();
  const [left, top, right, bottom] = [bx - cx, by - cy, bx - cx + width - 1, by - cy + height - 1];
  for (const [x, y] of [[left, top], [right, top], [left, bottom], [right, bottom], [left + 80, top + 30]]) {
    assert.equal(at(x, y), "ff00ff", `the button is at ${x},${y}`);
  }
  for (const [x, y] of [[left - 1, top + 5], [right + 1, top + 5], [left + 5, top - 1], [left + 5, bottom + 1]]) {
    assert.equal(at(x, y), "ffffff", `and nowhere else, at ${x},${y}`);
  }
  const [px, py] = await onScreen("#pin");
  assert.equal(at(px - cx + 100, py - cy + 20), "000000", "the password field is painted over");
  const [fx, fy] = await onScreen("iframe");
  assert.equal(at(fx - cx + 100, fy - cy + 50), "000000", "so is the frame of a page that is not allowed");
  const events = await client.events();
  assert.equal(events.filter((event) => /click/.test(event.event_type)).length, 1, JSON.stringify(events.map(brief)));
});

test("d2 a click into a password field has no element and no picture, and what is typed there is nowhere", async () => {
  await clickOn("#pin");
  screen.xdotool("type", "CANARY-secret");
  await clickOn("#text");
  const text = await client.untilEvent("the click", (event) => event.element_id === "text");
  const clicks = (await client.events()).filter((event) => /click/.test(event.event_type));
  assert.equal(clicks.length, 3, JSON.stringify(clicks.map(brief)));
  assert.deepEqual([clicks[1].element_role, clicks[1].screenshot_id], [undefined, undefined]);
  assert.equal(text.event_type, "left_click");
  assert.ok(!JSON.stringify(await client.events()).includes("CANARY"));
  assert.ok((await client.events()).every((event) => event.event_type !== "text_entered"));
});

test("what is typed into a field is told by the page alone, once", async () => {
  screen.xdotool("type", "hello there");
  screen.xdotool("key", "Tab");
  const changed = await client.untilEvent("the text", (event) => event.event_type === "element_changed");
  assert.deepEqual([changed.element_name, changed.text_length], ["Note", 6]);
  assert.ok((await client.events()).every((event) => event.event_type !== "text_entered"));
});

test("d1 on a page that is not allowed the desktop sees nothing either", async () => {
  const before = (await client.events()).length;
  await page.goto(site.url("foreign.test", "/foreign"));
  await until("the client looks away", async () => (await client.status()).counters.filtered["gate.site"] > 0);
  screen.xdotool("mousemove", "--sync", 400, 400, "click", 1);
  screen.xdotool("type", "CANARY-foreign");
  await page.goto(site.url("allowed.test"));
  await client.untilEvent("back again", (event) => event.event_type === "page_loaded" && event.seq > before);
  const events = await client.events();
  assert.equal(events.filter((event) => /click|text/.test(event.event_type)).length, 3, JSON.stringify(events.map(brief)));
  assert.ok(!JSON.stringify(events).includes("foreign.test"));
});
