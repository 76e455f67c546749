/** What a coordinator's `round.released` entry names: the header, its columns, and the receipts of those who answered. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, isConcordatError, parseCanonicalJson } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  type ManifestHistory,
  openEnvelope,
  Receipt,
  ReleaseHeader,
  signedSchema,
  Unmasked,
  verifyReceipt,
} from '#libs/protocol';
import type { EntryOf } from '#libs/tlog';
import type { AuditFault } from './process-folder.js';

const SignedReceipt = signedSchema(Receipt);

const readBlob = (dir: string, hash: string): Promise<Uint8Array> =>
  readFile(join(dir, hash.slice(0, 2), hash));

/** Every fault of one national release. `whole` are the blobs whose bytes hash to their names, `damaged` those that are faults already. */
export async function checkRelease(
  dir: string,
  { index, entry }: { readonly index: bigint; readonly entry: EntryOf<'round.released'> },
  whole: ReadonlySet<string>,
  damaged: ReadonlySet<string | undefined>,
  history: ManifestHistory | undefined,
): Promise<AuditFault[]> {
  const at = `entry ${index}`;
  if (entry.blob !== entry.releaseDigest) return [{ at, kind: 'blob-differs' }];
  if (!whole.has(entry.blob)) {
    return damaged.has(entry.blob) ? [] : [{ at, kind: 'blob-missing' }];
  }
  let header: ReleaseHeader;
  try {
    const parsed = ReleaseHeader.safeParse(parseCanonicalJson(await readBlob(dir, entry.blob)));
    if (!parsed.success) return [{ at, kind: 'release-malformed' }];
    header = parsed.data;
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    return [{ at, kind: 'release-malformed' }];
  }
  const faults: AuditFault[] = [];
  if (header.round !== entry.round || header.fingerprint !== entry.fingerprint) {
    faults.push({ at, kind: 'release-differs' });
  }
  const receipts = header.coverage.flatMap(({ receipt }) => receipt ?? []);
  const named = [
    ...header.classes.flatMap(({ domain, variance, rawVariance }) => [
      domain,
      variance,
      rawVariance,
    ]),
    ...header.groups.flatMap(({ raw, estimate, integer }) => [raw, estimate, integer]),
    ...receipts,
    ...(header.sealed ? [header.sealed.unmasked] : []),
  ];
  for (const hash of new Set(named)) {
    if (!whole.has(hash) && !damaged.has(hash)) {
      faults.push({ at: `${at} blob ${hash}`, kind: 'blob-missing' });
    }
  }
  if (!history) return faults;
  if (header.sealed && whole.has(header.sealed.unmasked)) {
    try {
      const bytes = parseCanonicalJson(await readBlob(dir, header.sealed.unmasked));
      checkUnmasked(bytes, header, history);
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      faults.push({ at: `${at} unmasked`, kind: error.code });
    }
  }
  for (const { agency, receipt: hash, answer } of header.coverage) {
    if (hash === null || !whole.has(hash)) continue;
    try {
      const bytes = parseCanonicalJson(await readBlob(dir, hash));
      checkReceipt(bytes, { agency, answer, header }, history);
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      faults.push({ at: `${at} receipt ${agency}`, kind: error.code });
    }
  }
  return faults;
}

/** The auditor's own word that it summed the masks of exactly those who answered, for this round. */
function checkUnmasked(document: unknown, header: ReleaseHeader, history: ManifestHistory): void {
  const manifest = history.named(header.manifest);
  if (!manifest)
    throw new ConcordatError('wrong-manifest', 'of a manifest that never was in force');
  const { publicKey } = manifest.auditor;
  const said = openEnvelope('unmasked', Unmasked, document, publicKey, verifySignature);
  const summed = said.contributors.map(({ agency, answer }) => `${agency} ${answer}`);
  const answered = header.coverage.flatMap(({ agency, status, answer }) =>
    status === 'answered' ? [`${agency} ${answer}`] : [],
  );
  if (
    said.round !== header.round ||
    said.fingerprint !== header.fingerprint ||
    summed.join() !== answered.join() ||
    header.sealed?.contributors.join() !== said.contributors.map(({ agency }) => agency).join()
  ) {
    throw new ConcordatError('unmasked-differs', 'the masks that were summed are of others');
  }
}

function checkReceipt(
  document: unknown,
  named: {
    readonly agency: string;
    readonly answer: string | null;
    readonly header: ReleaseHeader;
  },
  history: ManifestHistory,
): void {
  const parsed = SignedReceipt.safeParse(document);
  if (!parsed.success) throw new ConcordatError('bad-receipt', 'not a receipt');
  const manifest = history.named(parsed.data.payload.manifest);
  if (!manifest)
    throw new ConcordatError('wrong-manifest', 'of a manifest that never was in force');
  const receipt = verifyReceipt(
    parsed.data as Parameters<typeof verifyReceipt>[0],
    manifest,
    verifySignature,
  );
  const { agency, answer, header } = named;
  if (
    receipt.agency !== agency ||
    receipt.valueDigest !== answer ||
    receipt.round !== header.round ||
    receipt.fingerprint !== header.fingerprint
  ) {
    throw new ConcordatError('receipt-differs', 'the receipt is not of this release');
  }
}
