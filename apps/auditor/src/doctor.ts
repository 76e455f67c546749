/** `concordat doctor` for the auditor: everything its start depends on, one by one, with what to do. */
import {
  checkNamedKeys,
  checkPrivateFiles,
  type Examination,
  folderChecks,
  ok,
  type Report,
  runChecks,
} from '#libs/doctor';
import { formerPaths, PinnedManifest, ProcessKeys } from '#libs/keystore';
import type { Manifest } from '#libs/protocol';
import { auditorPaths, loadConfig } from './config.js';

const openManifest = (dir: string): Manifest =>
  PinnedManifest.open(auditorPaths(dir).manifest, loadConfig(dir).coordinator.publicKey).manifest;

/** Runs every check on the folder of an auditor, which may be running. `full` verifies the whole log. */
export async function examineAuditor(dir: string, examination: Examination): Promise<Report> {
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
      ...examination,
      dir,
      logDir: paths.log,
      owner: () => ({ manifest: openManifest(dir), id: loadConfig(dir).id }),
      url: () => loadConfig(dir).coordinator.url,
    }),
  ]);
}
