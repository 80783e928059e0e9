// Says what the service's operations take and give, by the generated types, and writes their addresses. It sends nothing.
import type { paths } from './generated';

const BASE = '/api/v1';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The paths that know a method, without what all of them begin with. */
export type Path<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? (P extends `${typeof BASE}${infer Rest}` ? Rest : never) : never
}[keyof paths];

/** One operation of the document. */
type Operation<M extends Method, P extends Path<M>> = `${typeof BASE}${P}` extends infer Full extends keyof paths ? paths[Full][M] : never;

type Within<O, Place extends 'path' | 'query'> = O extends { parameters: { [place in Place]?: infer Values } }
  ? [NonNullable<Values>] extends [never] ? unknown : NonNullable<Values>
  : unknown;
type Body<O> = O extends { requestBody: { content: { 'application/json': infer Json } } } ? { body: Json } : unknown;

/** What an operation takes: the parameters of its path and its query by name, and its JSON body as `body`. */
type Taken<O> = Within<O, 'path'> & Within<O, 'query'> & Body<O>;
/** As the arguments of a call: left out where there is nothing to say. */
export type Given<M extends Method, P extends Path<M>> = Arguments<Taken<Operation<M, P>>>;
type Arguments<T> = keyof T extends never ? [] : object extends T ? [given?: T] : [given: T];

type Success<O> = O extends { responses: infer R }
  ? R extends { 200: infer A } ? A : R extends { 201: infer A } ? A : R extends { 202: infer A } ? A : unknown
  : unknown;
/** The JSON that an operation answers with; nothing where it answers without, or with a file. */
export type Answer<M extends Method, P extends Path<M>> = Success<Operation<M, P>> extends { content: { 'application/json': infer Json } } ? Json : void;

declare const ANSWER: unique symbol;
/** An address that can be read, and what is read there. */
export type Address<T> = string & { readonly [ANSWER]: T };

/** The address at which an operation can be read, followed as a link or listened to. */
export const at = <P extends Path<'get'>>(path: P, ...[given]: Given<'get', P>): Address<Answer<'get', P>> =>
  address(path, given) as Address<Answer<'get', P>>;

/** Fills a path; what is no part of it becomes the query, a list as one name several times. Values that are not there are left out. */
export function address(path: string, given: unknown): string {
  const values = new Map<string, unknown>(Object.entries(given ?? {}));
  values.delete('body');
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(String(values.get(name)));
    values.delete(name);
    return value;
  });
  const query = new URLSearchParams();
  for (const [name, value] of values) {
    for (const one of [value].flat()) if (one !== undefined && one !== null) query.append(name, String(one));
  }
  return `${BASE}${filled}${query.size > 0 ? `?${query}` : ''}`;
}
