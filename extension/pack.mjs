// Puts the built extension into a folder of archives: as a folder that can be loaded or packed with the key, as a zip, the same for
// Firefox, and samples of policies beside them. The same sources give the same bytes. `node pack.mjs FOLDER`; prints the zips.

import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

/** 1 January 1980, 0:00, as a zip writes it. */
const DAY = 0x0021;

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (out === undefined) throw new Error("usage: node pack.mjs FOLDER");
const { version } = JSON.parse(readFileSync(join(here, "manifest.json"), "utf8"));
cpSync(join(here, "policies"), join(out, "lode-extension-policies"), { recursive: true });
for (const [built, name] of [["dist", "lode-extension"], ["dist-firefox", "lode-extension-firefox"]]) {
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(here, built), folder, { recursive: true });
  const archive = join(out, `${name}-${version}.zip`);
  writeFileSync(archive, zip(folder));
  console.log(archive);
}

/** Every file below a folder, in the order of their names. */
function zip(root) {
  const names = readdirSync(root, { recursive: true }).filter((name) => statSync(join(root, name)).isFile()).sort();
  const [parts, index] = [[], []];
  let at = 0;
  for (const name of names) {
    const bytes = readFileSync(join(root, name));
    const packed = deflateRawSync(bytes, { level: 9 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(DAY, 8);
    common.writeUInt32LE(checksum(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    index.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, place, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const list = Buffer.concat(index);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

/** CRC-32 as zip has it. */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
