/**
 * Match keys in the manner of the ONS (Office for National Statistics 2013, "Matching anonymous data", methods 9): a key is
 * a tuple of components; two records that agree on all of them are linked by it. What goes into the OPRF is
 * "mk/v1" | rules | project | epoch | key id | component..., each part behind its length, so no two tuples share an input.
 */

import { z } from 'zod';
import { ConcordatError, concatBytes, utf8ToBytes } from '#libs/bytes';
import { type ComponentName, componentOf, fieldsOf, isComponentName } from './component.js';
import { type PersonField, RULES_VERSION, type StandardPerson } from './standardise.js';

/** A tuple of components. Its id is their names in order, so an id means the same everywhere. */
export interface MatchKey {
  readonly id: string;
  readonly components: readonly ComponentName[];
}

/** Longest tuple. */
const MAX_COMPONENTS = 8;

/** The key of these components. Throws `malformed-keys` for none, too many, unknown or repeated ones. */
export function matchKey(components: readonly string[]): MatchKey {
  const names = components.filter(isComponentName);
  if (
    names.length !== components.length ||
    names.length < 1 ||
    names.length > MAX_COMPONENTS ||
    new Set(names).size !== names.length
  ) {
    throw new ConcordatError(
      'malformed-keys',
      'a match key is a list of 1 to 8 different known components',
    );
  }
  return { id: names.join('+'), components: names };
}

const FORMAT = 'concordat/match-keys/v1';
const KeyDocument = z.strictObject({
  format: z.literal(FORMAT),
  rules: z.string(),
  keys: z.array(z.array(z.string()).min(1)).min(1).max(64),
});

/** Reads a key set as `formatKeySet` writes it. Throws `malformed-keys`, and `other-rules` for another rule version. */
export function parseKeySet(document: unknown): MatchKey[] {
  const parsed = KeyDocument.safeParse(document);
  if (!parsed.success) {
    throw new ConcordatError(
      'malformed-keys',
      `not a key set of the format ${FORMAT}: make one with linkage learn`,
    );
  }
  if (parsed.data.rules !== RULES_VERSION) {
    throw new ConcordatError(
      'other-rules',
      `these keys need other standardisation rules than ${RULES_VERSION}: learn them anew`,
    );
  }
  const keys = parsed.data.keys.map(matchKey);
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw new ConcordatError('malformed-keys', 'a key set names each key once');
  }
  return keys;
}

/** The JSON document of a key set. */
export const formatKeySet = (keys: readonly MatchKey[]): unknown => ({
  format: FORMAT,
  rules: RULES_VERSION,
  keys: keys.map(({ components }) => components),
});

/** Whether a key reads any of `fields`. */
export const readsField = (key: MatchKey, fields: readonly PersonField[]): boolean =>
  key.components.some((name) => fieldsOf(name).some((field) => fields.includes(field)));

/** Fields that tell the members of one household apart; surname and address do not. */
export const PERSONAL_FIELDS: readonly PersonField[] = ['forename', 'dateOfBirth', 'idNumber'];

/** Project and epoch a label is made for. */
export interface LabelContext {
  readonly project: string;
  readonly epoch: string;
}

/** Most bytes of an OPRF input (RFC 9497 section 3.3.1): no record of a person comes near. */
const MAX_INPUT_BYTES = 0xffff;

const part = (text: string): Uint8Array => {
  const bytes = utf8ToBytes(text);
  if (bytes.length > MAX_INPUT_BYTES - 2) refuseLength();
  return concatBytes(Uint8Array.of(bytes.length >>> 8, bytes.length & 255), bytes);
};

const refuseLength = (): never => {
  throw new ConcordatError(
    'input-too-long',
    'a field holds more than 65535 bytes: the file is no list of people, or a quote is not closed',
  );
};

/** The OPRF input of one record under one key, or null where a component is missing. Throws `input-too-long`. */
export function matchKeyInput(
  key: MatchKey,
  person: StandardPerson,
  context: LabelContext,
): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (const name of key.components) {
    const value = componentOf(name, person);
    if (value === '') return null;
    parts.push(part(value));
  }
  const { project, epoch } = context;
  const input = concatBytes(
    ...['mk/v1', RULES_VERSION, project, epoch, key.id].map(part),
    ...parts,
  );
  return input.length > MAX_INPUT_BYTES ? refuseLength() : input;
}
