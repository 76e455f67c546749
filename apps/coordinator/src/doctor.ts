/** `concordat doctor` for the coordinator: everything its start depends on, one by one, with what to do. */
import { existsSync, readFileSync } from 'node:fs';
import {
  checkNamedKeys,
  checkPrivateFiles,
  type Examination,
  type Finding,
  folderChecks,
  ok,
  type Report,
  runChecks,
} from '#libs/doctor';
import { requireDurableRedis } from '#libs/jobs';
import { loadSigningKey, ProcessKeys } from '#libs/keystore';
import { coordinatorPaths, loadConfig } from './config.js';
import { checkLimits } from './examine-limits.js';
import { checkProvider } from './examine-provider.js';
import { Federation } from './federation/federation.js';
import { examineReplica } from './replica/doctor.js';

/** Where jobs wait: in the process, or in a Redis that keeps what it acknowledged. */
async function checkJobs(redisUrl: string | undefined): Promise<Finding> {
  if (redisUrl === undefined) return ok('jobs', 'in the process itself: REDIS_URL is not set');
  await requireDurableRedis(redisUrl);
  return ok('jobs', 'Redis evicts nothing and appends every write to its file');
}

/** Runs every check on the folder of a coordinator, which may be running. `full` verifies the whole log. */
export async function examineCoordinator(
  dir: string,
  examination: Examination,
  /** The Redis that jobs wait in, if any. */
  redisUrl: string | undefined,
): Promise<Report> {
  const paths = coordinatorPaths(dir);
  const key = () => loadSigningKey(paths.signingKey);
  const federation = () => Federation.open(paths.manifest, paths.domains, key().publicKey);
  return runChecks('coordinator', dir, [
    ['config', () => ok('config', `coordinator ${loadConfig(dir).id}`)],
    ['keys', () => checkPrivateFiles([paths.signingKey, paths.boxKey])],
    [
      'manifest',
      () => {
        const pinned = federation();
        const { manifest } = pinned;
        const standing = ProcessKeys.open(paths).standing(manifest.coordinator);
        const other = checkNamedKeys('the coordinator', standing, 'restore keys/signing.pem');
        if (other) return other;
        for (const agency of manifest.agencies) pinned.domainOf(agency);
        return ok('manifest', `serial ${manifest.serial}: ${manifest.agencies.length} domains fit`);
      },
    ],
    ...folderChecks({
      ...examination,
      dir,
      logDir: paths.log,
      owner: () => ({ manifest: federation().manifest, id: loadConfig(dir).id }),
      url: () => undefined,
    }),
    ['jobs', () => checkJobs(redisUrl)],
    ['limits', () => checkLimits(loadConfig(dir), federation().manifest)],
    ['sign-in', () => checkProvider(federation().manifest.identityProvider)],
  ]);
}

/** Whether settings are a replica's: only they name whom it follows. */
const isReplica = (config: string): boolean =>
  existsSync(config) && /^replicaOf:/m.test(readFileSync(config, 'utf8'));

/** The same for whichever folder a coordinator's program serves: its own, or that of a replica. */
export const examineFolder = (
  dir: string,
  examination: Examination,
  redisUrl: string | undefined,
): Promise<Report> =>
  isReplica(coordinatorPaths(dir).config)
    ? examineReplica(dir, examination.nowMs)
    : examineCoordinator(dir, examination, redisUrl);
