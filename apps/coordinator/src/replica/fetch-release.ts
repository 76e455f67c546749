import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import type { Blobs } from '#libs/journal';
import { ReleaseHeader } from '#libs/protocol';
import type { Writer } from './writer.js';

/** Keeps a blob under its hash. Throws `blob-missing`, `blob-corrupt`, `unreachable`. */
async function keep(hash: string, blobs: Blobs, writer: Writer): Promise<Uint8Array> {
  if (await blobs.has(hash)) return blobs.get(hash);
  const bytes = await writer.blob(hash);
  if (!bytes) throw new ConcordatError('blob-missing', 'the coordinator lacks a blob of its log');
  if ((await blobs.put(bytes)) === hash) return bytes;
  throw new ConcordatError('blob-corrupt', 'the coordinator sent another blob than the one named');
}

/** Fetches a release whole: its header and all that it names, each checked against its hash. Throws as `keep`, and `malformed-message`. */
export async function fetchRelease(id: string, blobs: Blobs, writer: Writer): Promise<void> {
  const parsed = ReleaseHeader.safeParse(parseCanonicalJson(await keep(id, blobs, writer)));
  if (!parsed.success)
    throw new ConcordatError('malformed-message', 'the header of a release is not of this version');
  const { classes, groups, coverage, sealed } = parsed.data;
  const named = [
    ...classes.flatMap(({ domain, variance, rawVariance }) => [domain, variance, rawVariance]),
    ...groups.flatMap(({ raw, estimate, integer }) => [raw, estimate, integer]),
    ...coverage.flatMap(({ receipt }) => (receipt === null ? [] : [receipt])),
    ...(sealed ? [sealed.unmasked] : []),
  ];
  for (const hash of new Set(named)) await keep(hash, blobs, writer);
}
