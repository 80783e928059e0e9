// Speaks HTTP with the service: JSON in and out, one error type for every failure. It knows no single call by name; what a call takes and
// gives stands in `operation.ts`.
import { type Address, type Answer, address, type Given, type Method, type Path } from './operation';
import type { ErrorAnswer, Problem } from './types';

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

/** Reads the one error form of the service; an answer that is not in that form becomes `internal`. */
async function failure(response: Response): Promise<ServiceError> {
  const body = (await response.json().catch(() => null)) as Partial<ErrorAnswer> | null;
  const { error, problems = [] } = body ?? {};
  if (!error) return new ServiceError('internal', `${response.status} ${response.statusText}`, null, null, null);
  const read = new ServiceError(error.code, error.message, error.hint ?? null, error.line ?? null, error.column ?? null);
  read.problems = problems;
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

export async function get<T>(address: Address<T>, signal?: AbortSignal): Promise<T> {
  const response = await call(address, { signal, headers: { accept: 'application/json' } });
  return (await response.json()) as T;
}

/** Reads a text as it is, such as a document. */
export async function getText(address: Address<void>, signal: AbortSignal): Promise<string> {
  return (await call(address, { signal })).text();
}

export interface SendOptions { signal?: AbortSignal; keepalive?: boolean }

/** Three bytes a character at worst stay within the 64 KiB that browsers allow. */
const KEPT_ALIVE_CHARS_MAX = 20_000;

type Change = Exclude<Method, 'get'>;

/** Sends a change: `given` is what the operation takes, as `at` takes it, with the JSON as `body`. */
export const send = <M extends Change, P extends Path<M>>(method: M, path: P, ...[given]: Given<M, P>): Promise<Answer<M, P>> =>
  sendWith({}, method, path, ...([given] as Given<M, P>));

/** As `send`, with a say in how the request goes out. */
export async function sendWith<M extends Change, P extends Path<M>>(
  options: SendOptions, method: M, path: P, ...[given]: Given<M, P>
): Promise<Answer<M, P>> {
  const written = JSON.stringify(bodyOf(given) ?? {});
  const response = await call(address(path, given), {
    method: method.toUpperCase(),
    signal: options.signal,
    // Browsers refuse large bodies with `keepalive`, so those go without.
    keepalive: options.keepalive && written.length < KEPT_ALIVE_CHARS_MAX,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: written,
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as Answer<M, P>;
}

const bodyOf = (given: unknown): unknown => (given as { body?: unknown } | undefined)?.body;

/** Posts a question whose answer is a file, and gives the file with the name the service chose. */
export async function postForFile<P extends Path<'post'>>(path: P, ...[given]: Given<'post', P>): Promise<{ blob: Blob; name: string | null }> {
  const response = await call(address(path, given), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(bodyOf(given)),
  });
  const name = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? null;
  return { blob: await response.blob(), name };
}

/** Sends a file's bytes and reports how many have left; `fetch` cannot report that, so this one call uses the older interface. */
export function upload<P extends Path<'post'>>(
  file: Blob, onProgress: (bytes_sent: number) => void, path: P, ...[given]: Given<'post', P>
): Promise<Answer<'post', P>> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', address(path, given));
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () =>
      reject(new ServiceError('unreachable', 'The service does not answer.', 'Check that it is running.', null, null));
    request.onload = () => {
      const response = new Response(request.responseText, { status: request.status, statusText: request.statusText });
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as Answer<'post', P>);
      else void failure(response).then(reject);
    };
    request.send(file);
  });
}
