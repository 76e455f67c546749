/** `concordat doctor` for the auditor: everything its start depends on, one by one, with what to do. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ConcordatError } from '#libs/bytes';
import {
  checkClock,
  checkDisk,
  checkLog,
  checkPrivateFiles,
  checkSync,
  fail,
  formatReport,
  ok,
  type Report,
  runChecks,
} from '#libs/doctor';
import { loadSigningKey, verifySignature } from '#libs/keystore';
import { logOrigin, type Manifest, openSignedManifest } from '#libs/protocol';
import { decodeEntry } from '#libs/tlog';
import { auditorPaths, loadConfig } from './config.js';

function openManifest(dir: string): Manifest {
  let signed: unknown;
  try {
    signed = JSON.parse(readFileSync(auditorPaths(dir).manifest, 'utf8'));
  } catch {
    throw new ConcordatError(
      'manifest-missing',
      'manifest.json cannot be read; put the signed federation manifest there',
    );
  }
  const { publicKey } = loadConfig(dir).coordinator;
  return openSignedManifest(signed, publicKey, verifySignature);
}

/** Runs every check on the folder of an auditor, which may be running. `full` verifies the whole log. */
async function examineAuditor(
  dir: string,
  { nowMs, full }: { readonly nowMs: () => number; readonly full: boolean },
): Promise<Report> {
  const paths = auditorPaths(dir);
  const key = () => loadSigningKey(paths.signingKey);
  let newestEntryAt: string | undefined;
  return runChecks('auditor', dir, [
    ['config', () => ok('config', `auditor ${loadConfig(dir).id}`)],
    ['keys', () => checkPrivateFiles([paths.signingKey, paths.boxKey])],
    [
      'manifest',
      () => {
        const manifest = openManifest(dir);
        return manifest.auditor.publicKey === key().publicKey
          ? ok('manifest', `${manifest.federation} serial ${manifest.serial}: key fits`)
          : fail('manifest', 'names another key for the auditor', 'enrol it with its present key');
      },
    ],
    ['disk', () => checkDisk(dir)],
    ['fsync', () => checkSync(dir)],
    [
      'log',
      () =>
        checkLog({
          dir: paths.log,
          origin: logOrigin(openManifest(dir).federation, loadConfig(dir).id),
          publicKey: key().publicKeyBytes,
          full,
          onEntry: (_index, bytes) => {
            newestEntryAt = decodeEntry(bytes).at;
          },
        }),
    ],
    [
      'clock',
      () =>
        checkClock({
          nowMs,
          dirs: [dir, paths.log],
          newestEntryAt,
          url: loadConfig(dir).coordinator.url,
        }),
    ],
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
