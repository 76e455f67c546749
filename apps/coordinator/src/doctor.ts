/** `concordat doctor` for the coordinator: everything its start depends on, one by one, with what to do. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  checkNamedKeys,
  checkPrivateFiles,
  type Finding,
  folderChecks,
  formatReport,
  ok,
  type Report,
  runChecks,
} from '#libs/doctor';
import { requireDurableRedis } from '#libs/jobs';
import { loadSigningKey, ProcessKeys } from '#libs/keystore';
import { allLogKeys, logOrigin } from '#libs/protocol';
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
  {
    nowMs,
    full,
    redisUrl,
  }: {
    readonly nowMs: () => number;
    readonly full: boolean;
    /** The Redis that jobs wait in, if any. */
    readonly redisUrl: string | undefined;
  },
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
      dir,
      logDir: paths.log,
      nowMs,
      full,
      owner: () => {
        const { manifest } = federation();
        const { id } = loadConfig(dir);
        return {
          origin: logOrigin(manifest.federation, id),
          verifierKeys: allLogKeys(manifest, id),
        };
      },
      url: () => undefined,
    }),
    ['jobs', () => checkJobs(redisUrl)],
    ['limits', () => checkLimits(loadConfig(dir), federation().manifest)],
    ['sign-in', () => checkProvider(federation().manifest.identityProvider)],
  ]);
}

/** Whether settings are a replica's: only they name whom it follows. */
const isReplica = (config: string): boolean => /^replicaOf:/m.test(readFileSync(config, 'utf8'));

/** `concordat coordinator doctor`, which `concordat doctor DIR` calls for such a folder. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check keys, manifest, disk, clock, log, limits and sign-in, or the folder of a replica; exit code 1 when something fails',
    )
    .requiredOption('--dir <folder>', 'folder made by init')
    .option('--full', 'verify the whole log, not only its end')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  concordat doctor /var/lib/concordat/coordinator --full')
    .action(async (flags: { dir: string; full?: boolean; json?: boolean }) => {
      const { config } = coordinatorPaths(flags.dir);
      const report =
        existsSync(config) && isReplica(config)
          ? await examineReplica(flags.dir, Date.now)
          : await examineCoordinator(flags.dir, {
              nowMs: Date.now,
              full: flags.full === true,
              redisUrl: process.env.REDIS_URL,
            });
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatReport(report));
      if (!report.ok) process.exitCode = 1;
    });
}
