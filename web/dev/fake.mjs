// For development and tests of the pages only, never shipped: a stand-in for the service that keeps made-up data in memory.
// `node dev/fake.mjs [--fresh] [--port 4800]` prints its address; tests call `startFake`. It serves dist/ with the service's own
// content security policy. It proves nothing about the service.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import { routes } from './answers.mjs';
import { makePolicy } from './policy.mjs';
import { Refused } from './refused.mjs';
import { makeWorld } from './world.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const POLICY = "default-src 'self'; img-src 'self' blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const BODY_BYTES_MAX = 4_000_000;
const PING_MS = 15_000;

/** Starts it on a free port unless one is given; `close()` ends it. */
export async function startFake({ port = 0, fresh = false, enrol_ms = 1200 } = {}) {
  const { module: xml } = await runnerImport(fileURLToPath(new URL('../src/xml/tree.ts', import.meta.url)));
  const world = makeWorld({ fresh, policy: makePolicy(xml), enrol_ms });
  const server = createServer((request, response) => {
    void answer(world, request, response).catch((cause) => {
      const error = cause instanceof Refused ? cause : new Refused(500, 'internal', cause.stack);
      sendJson(response, error.status, { error: { code: error.code, message: error.message, hint: error.hint ?? undefined }, ...(error.problems ? { problems: error.problems } : {}) });
    });
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    world.stop();
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, setup_token: world.setup_token, world, close };
}

async function answer(world, request, response) {
  const url = new URL(request.url, 'http://fake');
  if (!url.pathname.startsWith('/api/v1/')) return serveFile(url.pathname, response);
  const path = url.pathname.slice('/api/v1'.length);
  const session = /(?:^|;\s*)__Host-lode=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  for (const [method, pattern, needs, handler] of routes) {
    const match = method === request.method && pattern.exec(path);
    if (!match) continue;
    const account = world.accountOf(session);
    const asked = { query: url.searchParams, account, session, body: await readBody(request), groups: match.groups ?? {}, cookie: null, status: 200 };
    Object.assign(asked, world.admit(asked, needs));
    if (needs.live) return stream(world, asked, response);
    const body = await handler(world, asked);
    if (asked.cookie !== null) response.setHeader('set-cookie', `__Host-lode=${asked.cookie}; Path=/; HttpOnly; Secure; SameSite=Lax${asked.cookie === '' ? '; Max-Age=0' : ''}`);
    if (body?.file) {
      response.writeHead(200, { 'content-type': body.type, 'content-disposition': `attachment; filename="${body.name}"` });
      return response.end(body.file);
    }
    return body === undefined ? response.writeHead(204).end() : sendJson(response, asked.status, body);
  }
  throw new Refused(404, 'not_found', `nothing is at ${path}`);
}

/** Server-sent events: the counts now and whenever they change, and each client that changes. */
function stream(world, { project }, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const tell = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  tell('counts', world.liveCounts(project));
  const listener = { project, tell };
  world.listeners.add(listener);
  const ping = setInterval(() => tell('ping', {}), PING_MS);
  response.on('close', () => {
    clearInterval(ping);
    world.listeners.delete(listener);
  });
}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Refused(413, 'too_large', 'the body is too large');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return request.headers['content-type'] === 'application/json' && text ? JSON.parse(text) : {};
}

function sendJson(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function serveFile(path, response) {
  const name = extname(path) ? path : '/index.html';
  try {
    const bytes = await readFile(join(DIST, name.replaceAll('..', '')));
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': POLICY });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = process.argv.includes('--port') ? Number(process.argv[process.argv.indexOf('--port') + 1]) : 4800;
  const fake = await startFake({ port, fresh: process.argv.includes('--fresh') });
  console.log(`${fake.url}/setup#${fake.setup_token}`);
}
