/**
 * Canonical JSON after RFC 8785 (JCS), narrowed to what a signed document of ours may hold: null, booleans, strings,
 * safe integers, arrays and plain objects. A fraction, NaN, -0 or a lone surrogate is refused instead of serialised, so
 * a document has one byte form on every platform.
 */
import { fromUtf8, utf8ToBytes } from './encoding.js';
import { ConcordatError } from './errors.js';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

const refuse = (why: string): never => {
  throw new ConcordatError('not-canonical', `not canonical JSON: ${why}`);
};

const MAX_DEPTH = 64;

const write = (value: unknown, depth: number): string => {
  if (depth > MAX_DEPTH) refuse('nested too deep');
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) refuse('lone surrogate');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) refuse('only safe integers');
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) refuse('only plain objects');
    const record = value as Record<string, unknown>;
    // RFC 8785 3.2.3: keys sorted by UTF-16 code units, which is what Array.prototype.sort does to strings.
    const members = Object.keys(record)
      .filter((key) => record[key] !== undefined)
      .sort()
      .map((key) => `${write(key, depth + 1)}:${write(record[key], depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  return refuse(`a ${typeof value}`);
};

/** RFC 8785 text of `value`; members that are `undefined` are left out. Throws `not-canonical`. */
export const canonicalJson = (value: unknown): string => write(value, 0);

/** UTF-8 bytes of `canonicalJson(value)`: what is hashed and signed. */
export const canonicalBytes = (value: unknown): Uint8Array => utf8ToBytes(canonicalJson(value));

/**
 * Parses bytes that must already be canonical. Duplicate keys, other spellings, extra white space and floats are all
 * refused (`not-canonical`) because writing the parsed value back must give the same bytes.
 */
export function parseCanonicalJson(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return refuse('malformed');
  }
  if (canonicalJson(value) !== text) refuse('another spelling of the same document');
  return value;
}
