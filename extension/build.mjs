// Builds the extension into `dist`, and for Firefox into `dist-firefox`: type-checked, bundled, not minified, so that a store's reviewer and a works council can read it.
//
// The tools are those of the pages, in `web/node_modules`. `node build.mjs` checks and builds; `--fast` builds only.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "../web");
const dist = join(here, "dist");
const tool = createRequire(join(web, "package.json"));

function checkTexts() {
  const keys = (language) => Object.keys(JSON.parse(readFileSync(join(here, "_locales", language, "messages.json"), "utf8"))).sort();
  const [en, de] = [keys("en"), keys("de")];
  const missing = [...en.filter((key) => !de.includes(key)), ...de.filter((key) => !en.includes(key))];
  if (missing.length > 0) throw new Error(`texts that one language lacks: ${missing.join(", ")}`);
}

checkTexts();
if (!process.argv.includes("--fast")) {
  execFileSync(join(web, "node_modules/.bin/tsc"), ["--noEmit", "--project", here], { stdio: "inherit" });
}
const { rolldown } = await import(pathToFileURL(tool.resolve("rolldown")));
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const entry of ["content", "worker", "popup", "options"]) {
  const bundle = await rolldown({ input: join(here, "src", `${entry}.ts`) });
  await bundle.write({ file: join(dist, `${entry}.js`), format: entry === "content" ? "iife" : "es" });
}
for (const name of ["manifest.json", "managed_schema.json", "_locales"]) cpSync(join(here, name), join(dist, name), { recursive: true });
for (const name of ["popup.html", "options.html", "page.css"]) cpSync(join(here, "src", name), join(dist, name));
cpSync(join(here, "../LICENSE"), join(dist, "LICENSE"));

// The same for Firefox, but for the manifest: a page in the background instead of a worker, an id of its own instead of a key.
const firefox = join(here, "dist-firefox");
rmSync(firefox, { recursive: true, force: true });
cpSync(dist, firefox, { recursive: true });
rmSync(join(firefox, "managed_schema.json"));
const { key, minimum_chrome_version, storage, ...manifest } = JSON.parse(readFileSync(join(here, "manifest.json"), "utf8"));
manifest.background = { scripts: ["worker.js"], type: "module" };
manifest.browser_specific_settings = JSON.parse(readFileSync(join(here, "firefox.json"), "utf8"));
writeFileSync(join(firefox, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
