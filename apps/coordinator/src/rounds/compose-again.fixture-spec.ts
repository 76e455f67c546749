/** Rounds as the whole log of a coordinator tells them, and their releases composed once more by a process that nobody disturbs. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalBytes, parseCanonicalJson, sha256Hex } from '#libs/bytes';
import { openBlobs } from '#libs/journal';
import { isRoundEvent, type ReleaseHeader, type RoundState, releaseId } from '#libs/protocol';
import { COORDINATOR, type Federation } from '#libs/testing';
import type { Entry } from '#libs/tlog';
import { coordinatorPaths } from '../config.js';
import { Federation as CoordinatorFederation } from '../federation/federation.js';
import { composeRelease } from '../releases/compose-release.js';
import type { AcceptedContribution } from './round.js';
import { RoundBook } from './round-book.js';
import { RoundFiles } from './round-files.js';
import { VectorStore } from './vector-store.js';

/** In front of the vector of an answer that was made for a sealed round. */
const BLIND_BYTES = 32;

/** What the whole log of the coordinator says of its rounds. */
export function roundsOf(entries: readonly Entry[]): RoundState[] {
  const book = new RoundBook(async () => {
    throw new Error('this book is only read');
  });
  for (const [index, entry] of entries.entries()) {
    if (isRoundEvent(entry)) book.replay(BigInt(index), entry);
  }
  return book.all();
}

/** Contributions of a round that were accepted, by agency. */
export async function contributionsOf(
  federation: Federation,
  { standings }: Pick<RoundState, 'standings'>,
): Promise<Map<string, AcceptedContribution>> {
  const paths = coordinatorPaths(federation.folder(COORDINATOR));
  const files = new RoundFiles(await openBlobs({ dir: paths.rounds }));
  const contributions = new Map<string, AcceptedContribution>();
  for (const [agency, standing] of standings) {
    if (standing.status !== 'answered') continue;
    contributions.set(agency, await files.contribution(standing.contribution));
  }
  return contributions;
}

export async function headerOf(federation: Federation, release: string): Promise<ReleaseHeader> {
  const blobs = await openBlobs({ dir: coordinatorPaths(federation.folder(COORDINATOR)).blobs });
  return parseCanonicalJson(await blobs.get(release)) as ReleaseHeader;
}

/**
 * The release ids of rounds, out of the log and the answers that the nodes themselves keep: of a sealed round without any mask, so that what
 * comes out can be right only if masks and masked vectors belonged together.
 */
export async function composeAgain(
  federation: Federation,
  released: readonly RoundState[],
): Promise<Map<string, string>> {
  const dir = await mkdtemp(join(tmpdir(), 'concordat-again-'));
  try {
    const uploads = join(dir, 'uploads');
    await mkdir(uploads);
    const paths = coordinatorPaths(federation.folder(COORDINATOR));
    const files = new RoundFiles(await openBlobs({ dir: paths.rounds }));
    const blobs = await openBlobs({ dir: join(dir, 'blobs') });
    const pinned = CoordinatorFederation.open(
      paths.manifest,
      paths.domains,
      federation.manifest.coordinator.publicKey,
    );
    const digests = new Map<string, string>();
    for (const state of released) {
      const contributions = new Map<string, AcceptedContribution>();
      const receipts = new Map<string, string>();
      for (const [agency, contribution] of await contributionsOf(federation, state)) {
        const { groups, receipt } = contribution;
        const { sealed, ...open } = receipt.payload;
        const kept = await openBlobs({ dir: join(federation.folder(agency), 'blobs') });
        const bytes = await readFile(kept.path(open.valueDigest));
        await writeFile(
          join(uploads, open.valueDigest),
          sealed ? bytes.subarray(BLIND_BYTES) : bytes,
        );
        const standing = state.standings.get(agency);
        const file = standing?.status === 'answered' ? standing.contribution : '';
        contributions.set(file, { groups, receipt: { ...receipt, payload: open } });
        receipts.set(open.agency, sha256Hex(canonicalBytes(receipt)));
      }
      const { query } = await files.question(state.question);
      const header = await composeRelease({
        round: { ...state, query, contributions },
        federation: pinned,
        vectors: new VectorStore(uploads),
        blobs,
        onProgress: () => undefined,
        unmasked: undefined,
        receiptDigest: ({ payload }) => receipts.get(payload.agency) ?? '',
      });
      // what the auditor signed is in no arithmetic
      const { sealed } = await headerOf(federation, state.release ?? '');
      digests.set(state.id, releaseId({ ...header, ...(sealed ? { sealed } : {}) }));
    }
    return digests;
  } finally {
    await rm(dir, { recursive: true });
  }
}
