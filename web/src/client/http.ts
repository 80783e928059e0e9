// Speaks HTTP with the service: JSON in and out, one error type for every failure. It knows no single call by name.
import type { Problem } from './configuration';

/** What the service, or the way to it, said when a call failed. `line` and `column` count from 1. */
export class ServiceError extends Error {
  readonly code: string;
  readonly hint: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** What is at fault one by one, where the service lists it (code `policy`). */
  problems: Problem[] = [];

  constructor(code: string, message: string, hint: string | null, line: number | null, column: number | null) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.line = line;
    this.column = column;
  }
}

const BASE = '/api/v1';

export function address(path: string, parameters?: URLSearchParams): string {
  const query = parameters?.toString();
  return `${BASE}${path}${query ? `?${query}` : ''}`;
}

/** Reads the one error form of the service; an answer that is not in that form becomes `internal`. */
async function failure(response: Response): Promise<ServiceError> {
  const body = await response.json().catch(() => null);
  const error = body?.error;
  if (!error) return new ServiceError('internal', `${response.status} ${response.statusText}`, null, null, null);
  const read = new ServiceError(error.code, error.message, error.hint ?? null, error.line ?? null, error.column ?? null);
  read.problems = body.problems ?? [];
  return read;
}

/** Hears of every answer that nobody signed in may have; the pages then ask for the login. */
let onUnauthenticated: () => void = () => undefined;
export const whenUnauthenticated = (listener: () => void) => { onUnauthenticated = listener; };

async function call(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ServiceError('unreachable', 'The service does not answer.', 'Check that it is running.', null, null);
  }
  if (!response.ok) {
    const error = await failure(response);
    if (error.code === 'unauthenticated') onUnauthenticated();
    throw error;
  }
  return response;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await call(path, { signal, headers: { accept: 'application/json' } });
  return (await response.json()) as T;
}

/** Reads a text as it is, such as a document. */
export async function getText(path: string, signal: AbortSignal): Promise<string> {
  return (await call(path, { signal })).text();
}

export interface SendOptions { signal?: AbortSignal; keepalive?: boolean }

/** Three bytes a character at worst stay within the 64 KiB that browsers allow. */
const KEPT_ALIVE_CHARS_MAX = 20_000;

export async function send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, options: SendOptions = {}): Promise<T> {
  // Browsers refuse large bodies with `keepalive`, so those go without.
  const written = JSON.stringify(body ?? {});
  const response = await call(path, {
    method,
    signal: options.signal,
    keepalive: options.keepalive && written.length < KEPT_ALIVE_CHARS_MAX,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: written,
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Posts a question whose answer is a file, and gives the file with the name the service chose. */
export async function postForFile(path: string, body: unknown): Promise<{ blob: Blob; name: string | null }> {
  const response = await call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const name = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? null;
  return { blob: await response.blob(), name };
}

/** Sends a file's bytes and reports how many have left; `fetch` cannot report that, so this one call uses the older interface. */
export function upload<T>(path: string, file: Blob, onProgress: (bytes_sent: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () =>
      reject(new ServiceError('unreachable', 'The service does not answer.', 'Check that it is running.', null, null));
    request.onload = () => {
      const response = new Response(request.responseText, { status: request.status, statusText: request.statusText });
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T);
      else void failure(response).then(reject);
    };
    request.send(file);
  });
}
