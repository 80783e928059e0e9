// The bridge between browser and client, and whoever else tries to walk over it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AGENT, Client, folder, ID, Screen } from "./support.mjs";

let screen, client;

before(async () => {
  screen = await Screen.open();
  client = await new Client({ screen }).start();
});

after(() => {
  client?.close();
  screen?.close();
});

/** What is heard although it should not be goes on for ever; so every relay ends in time. */
const BOUND = ["timeout", "3"];

/** Starts the relay as a browser would, says something to it, and gives its words, its complaint and how it ended. */
async function relay(origin, bytes, { data = client.data, through = BOUND } = {}) {
  const [program, ...words] = [...through, AGENT, origin];
  const child = spawn(program, words, { env: { ...screen.env, LODE_DATA: data } });
  const [out, err] = [[], []];
  child.stdout.on("data", (chunk) => out.push(chunk));
  child.stderr.on("data", (chunk) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.write(bytes);
  const code = await new Promise((done) => child.once("close", done));
  const all = Buffer.concat(out);
  return { code, said: all.length > 4 ? JSON.parse(all.subarray(4)) : null, complaint: Buffer.concat(err).toString() };
}

function framed(text, length = Buffer.byteLength(text)) {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, Buffer.from(text)]);
}

const HELLO = framed(JSON.stringify({ type: "hello", proto: 1, browser: "chromium", version: "0" }));
const OURS = `chrome-extension://${ID}/`;

test("s13 another extension is not heard", async () => {
  const { said } = await relay(`chrome-extension://${"a".repeat(32)}/`, HELLO);
  assert.deepEqual([said.recording, said.why, said.policy], [false, "foreign_extension", null]);
});

test("s13 who is no browser is not heard, whatever it calls itself", async () => {
  const { said } = await relay(OURS, HELLO);
  assert.deepEqual([said.recording, said.why, said.policy], [false, "no_browser", null]);
});

test("s13 of the programs that are browsers, one that the project does not allow learns nothing", async () => {
  const other = join(folder("browser"), "vivaldi-bin");
  copyFileSync("/bin/bash", other);
  const { said } = await relay(OURS, HELLO, { through: [...BOUND, other, "-c", '"$@"; exit', other] });
  assert.deepEqual([said.recording, said.why, said.policy], [false, "browser_not_allowed", null]);
});

test("tc15 lengths that lie, half messages and what is no text end the relay with a reason, and the client stays", async () => {
  const bad = [
    [framed("{}", 0xffffffff), /4294967295 bytes; at most 1 MiB/],
    [framed('"\xff"'.replace("ÿ", "")).fill(0xff, 5), /no JSON/],
  ];
  const other = join(folder("browser"), "chromium");
  copyFileSync("/bin/bash", other);
  for (const [bytes, complaint] of bad) {
    const through = [...BOUND, other, "-c", '"$@"; exit', other];
    const answer = await relay(OURS, Buffer.concat([HELLO, bytes]), { through });
    assert.match(answer.complaint, complaint);
  }
  assert.equal((await client.status()).state, "recording");
});

test("without the client the relay says so and ends", async () => {
  const { code, complaint } = await relay(OURS, HELLO, { data: folder("nobody") });
  assert.equal(code, 1);
  assert.match(complaint, /lode-agent does not run, so nothing is recorded in this browser/);
});
