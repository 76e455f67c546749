/** What a coordinator's `round.released` entry names: the header, its columns, and the receipts of those who answered. */
import { ConcordatError, isConcordatError, parseCanonicalJson } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  type ManifestHistory,
  openEnvelope,
  Receipt,
  ReleaseHeader,
  SignedUnmasked,
  signedSchema,
  signingKeysSince,
  Unmasked,
  verifyReceipt,
} from '#libs/protocol';
import type { EntryOf } from '#libs/tlog';
import type { NamedBlobs } from './named-blobs.js';
import type { AuditFault } from './process-folder.js';

const SignedReceipt = signedSchema(Receipt);

/** Columns are fetched this many at a time. */
const AT_ONCE = 4;

const openHeader = (bytes: Uint8Array): ReleaseHeader | undefined => {
  try {
    return ReleaseHeader.safeParse(parseCanonicalJson(bytes)).data;
  } catch (error) {
    if (isConcordatError(error)) return undefined;
    throw error;
  }
};

/** Every blob that a header names. */
const partsOf = (header: ReleaseHeader): string[] => [
  ...new Set([
    ...header.classes.flatMap(({ domain, variance, rawVariance }) => [
      domain,
      variance,
      rawVariance,
    ]),
    ...header.groups.flatMap(({ raw, estimate, integer }) => [raw, estimate, integer]),
    ...header.coverage.flatMap(({ receipt }) => receipt ?? []),
    ...(header.sealed ? [header.sealed.unmasked] : []),
  ]),
];

/**
 * Every fault of one national release but those that the keeper of the blobs tells itself. Without `history` signatures are not verified:
 * whoever asks says so in the report.
 */
export async function checkRelease(
  blobs: NamedBlobs,
  { index, entry }: { readonly index: bigint; readonly entry: EntryOf<'round.released'> },
  history: ManifestHistory | undefined,
): Promise<AuditFault[]> {
  const at = `entry ${index}`;
  if (entry.blob !== entry.releaseDigest) return [{ at, kind: 'blob-differs' }];
  const bytes = await blobs.read(entry.blob);
  if (!bytes) return (await blobs.look(entry.blob)) === 'missing' ? [missing(at)] : [];
  const header = openHeader(bytes);
  if (!header) return [{ at, kind: 'release-malformed' }];
  const faults: AuditFault[] = [];
  if (header.round !== entry.round || header.fingerprint !== entry.fingerprint) {
    faults.push({ at, kind: 'release-differs' });
  }
  if (history) faults.push(...(await checkSignatures(at, header, blobs, history)));
  const parts = partsOf(header);
  for (let first = 0; first < parts.length; first += AT_ONCE) {
    const some = parts.slice(first, first + AT_ONCE);
    const states = await Promise.all(some.map((hash) => blobs.look(hash)));
    states.forEach((state, i) => {
      if (state === 'missing') faults.push(missing(`${at} blob ${some[i]}`));
    });
  }
  return faults;
}

const missing = (at: string): AuditFault => ({ at, kind: 'blob-missing' });

/** The receipts of those who answered, and the auditor's word about the masks of a sealed round. */
async function checkSignatures(
  at: string,
  header: ReleaseHeader,
  blobs: NamedBlobs,
  history: ManifestHistory,
): Promise<AuditFault[]> {
  const faults: AuditFault[] = [];
  const check = async (
    place: string,
    hash: string,
    judge: (document: unknown) => void,
  ): Promise<void> => {
    const bytes = await blobs.read(hash);
    if (!bytes) return;
    try {
      judge(parseCanonicalJson(bytes));
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      faults.push({ at: `${at} ${place}`, kind: error.code });
    }
  };
  if (header.sealed) {
    await check('unmasked', header.sealed.unmasked, (document) =>
      checkUnmasked(document, header, history),
    );
  }
  for (const { agency, status, receipt, answer } of header.coverage) {
    if (receipt === null) {
      if (status === 'answered')
        faults.push({ at: `${at} receipt ${agency}`, kind: 'blob-missing' });
      continue;
    }
    await check(`receipt ${agency}`, receipt, (document) =>
      checkReceipt(document, { agency, answer, header }, history),
    );
  }
  return faults;
}

/** The auditor's own word that it summed the masks of exactly those who answered, for this round. */
function checkUnmasked(document: unknown, header: ReleaseHeader, history: ManifestHistory): void {
  const manifest = history.named(header.manifest);
  if (!manifest)
    throw new ConcordatError('wrong-manifest', 'of a manifest that never was in force');
  // the auditor's key may have been replaced between the opening of the round and its end
  const { auditor, serial } = manifest;
  const keys = signingKeysSince(history.manifest, auditor.id, serial);
  const signer = SignedUnmasked.safeParse(document).data?.publicKey;
  const publicKey = keys.find((key) => key === signer) ?? auditor.publicKey;
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
