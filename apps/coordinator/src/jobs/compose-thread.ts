/** Thread that composes releases: minutes of arithmetic for a national grid, beside the process and never in its event loop. */
import { canonicalBytes, sha256Hex } from '#libs/bytes';
import type { Resolution } from '#libs/dp';
import { answerTasks } from '#libs/jobs';
import { openBlobs } from '#libs/journal';
import { releaseBytes, type Standing } from '#libs/protocol';
import { coordinatorPaths } from '../config.js';
import { Federation } from '../federation/federation.js';
import { composeRelease } from '../releases/compose-release.js';
import { rehearse } from '../releases/rehearse.js';
import type { AcceptedContribution } from '../rounds/round.js';
import { RoundFiles } from '../rounds/round-files.js';
import { VectorStore } from '../rounds/vector-store.js';
import type { ComposeTask, Rehearsal } from './compose-job.js';

/** The federation of the newest task: its trees are built once. */
let pinned: Federation | undefined;

function federationOf(dir: string, manifest: string): Federation {
  if (pinned?.hash === manifest) return pinned;
  const paths = coordinatorPaths(dir);
  pinned = Federation.openPinned(paths.manifest, paths.domains, manifest);
  return pinned;
}

async function compose(task: unknown, onProgress: (fraction: number) => void): Promise<string> {
  const { dir, input } = task as ComposeTask;
  const paths = coordinatorPaths(dir);
  const files = new RoundFiles(await openBlobs({ dir: paths.rounds }));
  const blobs = await openBlobs({ dir: paths.blobs });
  const contributions = new Map<string, AcceptedContribution>();
  for (const [, standing] of input.standings) {
    if (standing.status !== 'answered') continue;
    const { contribution } = standing;
    contributions.set(contribution, await files.contribution(contribution));
  }
  const { query } = await files.question(input.question);
  const standings = new Map<string, Standing>(input.standings);
  const header = await composeRelease({
    round: { id: input.round, fingerprint: input.fingerprint, query, standings, contributions },
    federation: federationOf(dir, input.manifest),
    vectors: new VectorStore(paths.uploads),
    blobs,
    unmasked: input.unmasked === undefined ? undefined : await files.unmasked(input.unmasked),
    onProgress,
    receiptDigest: (receipt) => sha256Hex(canonicalBytes(receipt)),
  });
  return blobs.put(releaseBytes(header));
}

/** The rehearsal of this thread that was the last: a question of every month is about the same areas. */
let rehearsed = '';

function prepare(preparation: unknown): void {
  const { dir, manifest, agencies, resolution } = preparation as Rehearsal & { dir: string };
  const key = [manifest, resolution, ...agencies].join();
  if (key === rehearsed) return;
  rehearse(federationOf(dir, manifest), agencies, resolution as Resolution);
  rehearsed = key;
}

answerTasks(compose, prepare);
