import { existsSync } from 'node:fs';
import { ConcordatError } from '#libs/bytes';
import { loadBoxKey, loadSigningKey, PinnedManifest } from '#libs/keystore';
import { foundManifest, type Manifest, ManifestProcess, seal } from '#libs/protocol';
import { coordinatorPaths, loadConfig } from '../config.js';
import { bundledAreas } from './national-domain.js';

/** `id.publicKey.boxKey`: what `init` of a process prints, and its operator hands over. */
export function parseCard(text: string): ManifestProcess {
  const [id, publicKey, boxKey, ...rest] = text.trim().split('.');
  const parsed = ManifestProcess.safeParse({ id, publicKey, boxKey });
  if (!parsed.success || rest.length > 0) {
    throw new ConcordatError(
      'bad-card',
      'a card is one line, id.key.box-key, as the init command of the process prints it',
    );
  }
  return parsed.data;
}

/**
 * Makes the first manifest in a coordinator's folder: no agencies yet, on the national grid that comes with the program. Throws
 * `already-founded`, `bad-manifest`.
 */
export function foundFederation(
  dir: string,
  given: {
    readonly federation: string;
    readonly auditor: ManifestProcess;
    /** Of witnesses, of which there is one as yet. */
    readonly quorum: number;
  },
): Manifest {
  const paths = coordinatorPaths(dir);
  if (existsSync(paths.manifest)) {
    throw new ConcordatError(
      'already-founded',
      `${paths.manifest} exists already and is not overwritten`,
    );
  }
  const { id } = loadConfig(dir);
  const key = loadSigningKey(paths.signingKey);
  const { grid, gridHash } = bundledAreas();
  const manifest = foundManifest({
    federation: given.federation,
    grid: { name: grid, hash: gridHash },
    coordinator: { id, publicKey: key.publicKey, boxKey: loadBoxKey(paths.boxKey).publicKey },
    auditor: given.auditor,
    agencies: [],
    analysts: [],
    witnesses: [given.auditor.id],
    quorum: given.quorum,
  });
  PinnedManifest.create(paths.manifest, seal('manifest', manifest, key), key.publicKey);
  return manifest;
}
