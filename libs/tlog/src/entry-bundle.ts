/** Entry bundles of C2SP tlog-tiles: up to 256 entries, each after its length in two bytes, big-endian. */
import { ConcordatError } from '#libs/bytes';
import { TILE_WIDTH } from './tile.js';

/** The format's own bound on an entry; what a log accepts may be less. */
const MAX_ENTRY_BYTES = 0xffff;

/** Throws `malformed-bundle` for none, more than 256, or an entry over 65,535 bytes. */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > TILE_WIDTH) {
    throw new ConcordatError('malformed-bundle', 'an entry bundle holds 1 to 256 entries');
  }
  const bundle = new Uint8Array(entries.reduce((bytes, entry) => bytes + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) {
      throw new ConcordatError('malformed-bundle', 'an entry is at most 65,535 bytes');
    }
    bundle[at++] = entry.length >>> 8;
    bundle[at++] = entry.length & 0xff;
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/**
 * The entries of a bundle, as views of its bytes. Throws `malformed-bundle` when it breaks off, or holds none or more than
 * 256.
 */
export function parseEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length) {
    const end = at + 2 + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0));
    if (at + 2 > bundle.length || end > bundle.length) {
      throw new ConcordatError('malformed-bundle', 'the entry bundle breaks off inside an entry');
    }
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  if (entries.length < 1 || entries.length > TILE_WIDTH) {
    throw new ConcordatError('malformed-bundle', 'an entry bundle holds 1 to 256 entries');
  }
  return entries;
}
