/** `concordat doctor` for the folder of a read replica: its copy of the log, what that names, and the coordinator that it follows. */
import { ConcordatError } from '#libs/bytes';
import {
  checkClock,
  checkDisk,
  checkSync,
  type Finding,
  fail,
  ok,
  type Report,
  runChecks,
  warn,
} from '#libs/doctor';
import { verifyEd25519ByNode } from '#libs/host';
import { openBlobs } from '#libs/journal';
import { allLogKeys, logOrigin } from '#libs/protocol';
import { openCheckpoint } from '#libs/tlog';
import { coordinatorPaths } from '../config.js';
import { Federation } from '../federation/federation.js';
import { loadReplicaConfig } from './config.js';
import { type LogIdentity, ReplicaLog } from './replica-log.js';
import { Writer } from './writer.js';

/** Runs every check on the folder of a replica, which may be running. The whole copy is verified: nothing less says that it is one. */
export async function examineReplica(dir: string, nowMs: () => number): Promise<Report> {
  const paths = coordinatorPaths(dir);
  const config = () => loadReplicaConfig(dir);
  const federation = () => Federation.open(paths.manifest, paths.domains, config().publicKey);
  const identity = (): LogIdentity => {
    const { manifest } = federation();
    const { id } = manifest.coordinator;
    return {
      origin: () => logOrigin(manifest.federation, id),
      logKeys: () => allLogKeys(manifest, id),
    };
  };
  let size: bigint | undefined;
  let newestEntryAt: string | undefined;
  const releases: string[] = [];
  return runChecks('replica', dir, [
    ['config', () => ok('config', `replica of ${config().replicaOf}`)],
    [
      'manifest',
      () => {
        const pinned = federation();
        for (const agency of pinned.manifest.agencies) pinned.domainOf(agency);
        const { serial, agencies } = pinned.manifest;
        return ok('manifest', `serial ${serial}: ${agencies.length} domains fit`);
      },
    ],
    ['disk', () => checkDisk(dir)],
    ['fsync', () => checkSync(dir)],
    [
      'log',
      async () => {
        const log = await ReplicaLog.open(paths.log, identity(), async (entry) => {
          newestEntryAt = entry.at;
          if (entry.kind === 'round.released') releases.push(entry.releaseDigest);
        });
        size = log.size;
        return ok('log', `all ${size} entries of the copy verified`);
      },
    ],
    [
      'releases',
      async () => {
        const blobs = await openBlobs({ dir: paths.blobs });
        // hashed again: throws for one that is missing or damaged
        for (const release of releases) await blobs.get(release);
        return ok('releases', `${releases.length} are here and hash to their names`);
      },
    ],
    ['clock', () => checkClock({ nowMs, dirs: [dir], newestEntryAt, url: config().replicaOf })],
    ['writer', () => checkWriter(config().replicaOf, size, identity())],
  ]);
}

/** Whether the coordinator answers, and how far the copy is behind what it has signed. */
async function checkWriter(
  url: string,
  size: bigint | undefined,
  { origin, logKeys }: LogIdentity,
): Promise<Finding> {
  let note: Uint8Array | undefined;
  try {
    note = await new Writer(url).log('checkpoint');
  } catch {
    return warn(
      'writer',
      `${url} does not answer; what is here goes on being served`,
      'see that the coordinator runs and that this machine reaches it',
    );
  }
  if (!note) throw new ConcordatError('not-found', `${url} publishes no log; check replicaOf`);
  const signed = openCheckpoint(note, {
    origin: origin(),
    logKeys: logKeys(),
    verify: verifyEd25519ByNode,
  }).checkpoint.size;
  if (size === undefined || size > signed)
    return fail(
      'writer',
      `${url} shows ${signed} entries, fewer than this copy holds`,
      'ask its operator: a log only grows; do not delete this copy',
    );
  const behind = signed - size;
  return behind === 0n
    ? ok('writer', `${url} answers; the copy has all ${signed} entries`)
    : ok('writer', `${url} answers; ${behind} of ${signed} entries are still to be fetched`);
}
