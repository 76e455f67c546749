/** Names of what belongs to one epoch of one project, and the checks that every part makes of a project. */
import { ConcordatError } from '#libs/bytes';
import { type LinkageProject, type Manifest, manifestHash } from '#libs/protocol';

export interface EpochName {
  readonly project: string;
  readonly epoch: string;
}

/** Name of the folder that keeps an epoch; neither part holds a dot. */
export const epochFolder = ({ project, epoch }: EpochName): string => `${project}.${epoch}`;

/** Refuses a project that is not this manifest's: `wrong-manifest`, `no-key-holders`, `wrong-holders`, `unknown-agency`. */
export function checkProject(project: LinkageProject, manifest: Manifest): void {
  if (project.manifest !== manifestHash(manifest)) {
    throw new ConcordatError(
      'wrong-manifest',
      'the project names another manifest than the one in force: make it again with linkage init',
    );
  }
  if (!manifest.keyHolders) {
    throw new ConcordatError('no-key-holders', 'the manifest names no key-holders (keyHolders)');
  }
  if (manifest.keyHolders.join() !== project.holders.join()) {
    throw new ConcordatError('wrong-holders', 'the project names other holders than the manifest');
  }
  for (const agency of [project.left, project.right]) {
    if (!manifest.agencies.some(({ id }) => id === agency)) {
      throw new ConcordatError('unknown-agency', 'the project names an agency not in the manifest');
    }
  }
  const processes = [manifest.auditor.id, ...manifest.agencies.map(({ id }) => id)];
  if (!project.holders.every((holder) => processes.includes(holder))) {
    throw new ConcordatError('wrong-holders', 'a key-holder is the auditor or an agency');
  }
}
