/** `vectors/v1`: what every implementation of version 1 must take and must refuse, byte for byte, with the code of the refusal. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { canonicalJson, isConcordatError, parseCanonicalJson, utf8ToBytes } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import * as protocol from './index.js';

const DIR = fileURLToPath(new URL('../vectors/v1/', import.meta.url));
const Vectors = z.strictObject({
  message: z.string(),
  /** With envelopes: what they are signed for, and by which key. */
  purpose: z.string().optional(),
  publicKey: z.string().optional(),
  good: z.array(z.string()).min(1),
  bad: z
    .array(
      z.strictObject({ name: z.string().startsWith('bad_'), text: z.string(), code: z.string() }),
    )
    .min(5),
});
const files = readdirSync(DIR).map((name) =>
  Vectors.parse(JSON.parse(readFileSync(`${DIR}${name}`, 'utf8'))),
);

/** Takes a text as a receiver does; the code of the refusal, or `taken`. */
function take({ message, purpose, publicKey }: z.infer<typeof Vectors>, text: string): string {
  const schema = (protocol as Record<string, unknown>)[message];
  if (!(schema instanceof z.ZodType)) return `no schema ${message}`;
  try {
    const parsed = schema.safeParse(parseCanonicalJson(utf8ToBytes(text)));
    if (!parsed.success) return 'malformed-message';
    if (purpose !== undefined && publicKey !== undefined) {
      const signed = parsed.data as protocol.Signed<unknown>;
      const kind = purpose as protocol.Purpose;
      protocol.openEnvelope(kind, z.unknown(), signed, publicKey, verifySignature);
    }
    return canonicalJson(parsed.data) === text ? 'taken' : 'changed';
  } catch (error) {
    if (isConcordatError(error)) return error.code;
    throw error;
  }
}

describe.each(files.map((vectors) => [vectors.message, vectors] as const))(
  '%s',
  (_name, vectors) => {
    it('is taken as it is written', () => {
      expect(vectors.good.map((text) => take(vectors, text))).toEqual(
        vectors.good.map(() => 'taken'),
      );
    });

    it('is refused in every bad form, by its code', () => {
      const found = vectors.bad.map(({ name, text }) => `${name}: ${take(vectors, text)}`);
      expect(found).toEqual(vectors.bad.map(({ name, code }) => `${name}: ${code}`));
    });
  },
);

/** Schemas that `schema` is made of, at any depth. */
function partsOf(schema: z.core.$ZodType, seen = new Set<z.core.$ZodType>()): Set<z.core.$ZodType> {
  const inner = (value: unknown): void => {
    if (value instanceof z.core.$ZodType) {
      if (seen.has(value)) return;
      seen.add(value);
      partsOf(value, seen);
    } else if (Array.isArray(value)) value.forEach(inner);
    else if (typeof value === 'object' && value !== null && !(value instanceof Map))
      Object.values(value).forEach(inner);
  };
  Object.values(schema._zod.def).forEach(inner);
  return seen;
}

const schemas = Object.entries(protocol).flatMap(([name, value]) =>
  value instanceof z.ZodType ? [[name, value] as const] : [],
);

/**
 * The messages of the code: whatever travels signed by itself, and every other document that is no part of another one.
 * What only settings, logs and addresses hold is none.
 */
function messages(): string[] {
  const parts = new Set(schemas.flatMap(([, schema]) => [...partsOf(schema)]));
  return schemas
    .filter(([name, schema]) => {
      const { type } = schema.def;
      return (
        (type === 'object' || type === 'union') && (/^Signed/.test(name) || !parts.has(schema))
      );
    })
    .map(([name]) => name);
}

it('has vectors of every message that the code knows', () => {
  const found = messages();
  expect(found).toEqual(expect.arrayContaining(['SignedTask', 'LinkageLetter', 'Upload']));
  expect(found.filter((name) => !files.some(({ message }) => message === name))).toEqual([]);
});

it('has every kind of letter and of witnesses among the good ones', () => {
  const textsOf = (message: string): string =>
    files.find((vectors) => vectors.message === message)?.good.join() ?? '';
  for (const [message, union] of [
    ['LinkageLetter', protocol.LinkageBody],
    ['WitnessPost', protocol.WitnessMessage],
  ] as const) {
    const kinds = union.options.map(({ shape }) => shape.kind.value);
    expect(kinds.filter((kind) => !textsOf(message).includes(`"kind":"${kind}"`))).toEqual([]);
  }
});
