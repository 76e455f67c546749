/**
 * Typed log entries. One entry is one RFC 8785 JSON document of at most 60 KiB; its bytes are the leaf data of the
 * transparency log. An entry never holds a true count, a raw value or an identifier of a person in the records, nor
 * anything whose size depends on them: what is large is a blob, and the entry holds its SHA-256.
 *
 * Entries about processing carry what section 62 of the Data Protection Act 2018 asks for: the operation (`verb`),
 * when (`at`), who (`actor`), to whom (`recipient`) and why (`purpose`).
 */
import { z } from 'zod';
import { ConcordatError, canonicalBytes, parseCanonicalJson } from '#libs/bytes';
import { federationEntries } from './federation-entries.js';
import { forecastEntries } from './forecast-entries.js';
import { linkageEntries } from './linkage-entries.js';
import { nodeEntries } from './node-entries.js';
import { roundEntries } from './round-entries.js';

export const MAX_ENTRY_BYTES = 61_440;

/** Every entry a log of ours may hold, told apart by `kind`. Unknown members are refused. */
export const Entry = z.discriminatedUnion('kind', [
  ...federationEntries,
  ...nodeEntries,
  ...roundEntries,
  ...forecastEntries,
  ...linkageEntries,
]);
export type Entry = Readonly<z.infer<typeof Entry>>;
/** The entry of one kind, such as `EntryOf<'release.made'>`. */
export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;

const checked = (value: unknown): Entry => {
  const parsed = Entry.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue?.path.join('.') || issue?.code || 'document';
  throw new ConcordatError('bad-entry', `not a log entry of this version, see its ${place}`);
};

/** The bytes of a leaf. Throws `bad-entry`, `not-canonical`, `entry-too-large`. */
export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = canonicalBytes(checked(entry));
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new ConcordatError('entry-too-large', 'store what is large as a blob and log its hash');
  }
  return bytes;
}

/** Inverse of `encodeEntry`; only the canonical bytes are read. Throws `bad-entry`, `not-canonical`, `entry-too-large`. */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length > MAX_ENTRY_BYTES) {
    throw new ConcordatError('entry-too-large', 'a log entry is at most 60 KiB');
  }
  return checked(parseCanonicalJson(bytes));
}
