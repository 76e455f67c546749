/** `concordat doctor` for the auditor: everything its start depends on, one by one, with what to do. */
import type { Command } from 'commander';
import {
  checkNamedKeys,
  checkPrivateFiles,
  folderChecks,
  formatReport,
  ok,
  type Report,
  runChecks,
} from '#libs/doctor';
import { formerPaths, PinnedManifest, ProcessKeys } from '#libs/keystore';
import { allLogKeys, logOrigin, type Manifest } from '#libs/protocol';
import { auditorPaths, loadConfig } from './config.js';

const openManifest = (dir: string): Manifest =>
  PinnedManifest.open(auditorPaths(dir).manifest, loadConfig(dir).coordinator.publicKey).manifest;

/** Runs every check on the folder of an auditor, which may be running. `full` verifies the whole log. */
export async function examineAuditor(
  dir: string,
  { nowMs, full }: { readonly nowMs: () => number; readonly full: boolean },
): Promise<Report> {
  const paths = auditorPaths(dir);
  return runChecks('auditor', dir, [
    ['config', () => ok('config', `auditor ${loadConfig(dir).id}`)],
    [
      'keys',
      () =>
        checkPrivateFiles([
          paths.signingKey,
          paths.boxKey,
          ...formerPaths(paths.boxKey).map(({ path }) => path),
        ]),
    ],
    [
      'manifest',
      () => {
        const { federation, serial, auditor } = openManifest(dir);
        const standing = ProcessKeys.open(paths).standing(auditor);
        return (
          checkNamedKeys('the auditor', standing, 'restore keys/signing.pem') ??
          ok('manifest', `${federation} serial ${serial}: keys fit`)
        );
      },
    ],
    ...folderChecks({
      dir,
      logDir: paths.log,
      nowMs,
      full,
      owner: () => {
        const manifest = openManifest(dir);
        const { id } = loadConfig(dir);
        return {
          origin: logOrigin(manifest.federation, id),
          verifierKeys: allLogKeys(manifest, id),
        };
      },
      url: () => loadConfig(dir).coordinator.url,
    }),
  ]);
}

/** `concordat auditor doctor`, which `concordat doctor DIR` calls for such a folder. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check keys, manifest, disk, clock and log; exit code 1 when something fails')
    .requiredOption('--dir <folder>', 'folder made by init')
    .option('--full', 'verify the whole log, not only its end')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  concordat doctor /var/lib/concordat/auditor --full')
    .action(async (flags: { dir: string; full?: boolean; json?: boolean }) => {
      const report = await examineAuditor(flags.dir, {
        nowMs: Date.now,
        full: flags.full === true,
      });
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatReport(report));
      if (!report.ok) process.exitCode = 1;
    });
}
