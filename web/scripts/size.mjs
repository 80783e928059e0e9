// Adds up the gzipped JavaScript the Overview page loads first, and fails above the promise (U5). Workers and other pages do not count.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BYTES_MAX = 300_000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));

// The Overview draws its time chart with a chunk it asks for by itself; these entries are what a first visit fetches.
const entries = ['index.html', 'src/pages/overview/Overview.tsx', 'src/components/chart/engine.ts'];

function reach(name, seen = new Set()) {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`no chunk for ${name}; run "npm run build" first`);
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of chunk.imports ?? []) reach(next, seen);
  return seen;
}

const files = new Set(entries.flatMap((entry) => [...reach(entry)]).map((name) => manifest[name].file));
let total = 0;
for (const file of files) {
  const bytes = gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
  total += bytes;
  console.log(`${(bytes / 1000).toFixed(1).padStart(8)} kB  ${file}`);
}
console.log(`${(total / 1000).toFixed(1).padStart(8)} kB  first load of the Overview page (at most ${BYTES_MAX / 1000} kB)`);
if (total > BYTES_MAX) process.exit(1);
