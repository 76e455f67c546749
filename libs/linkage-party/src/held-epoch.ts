/** One epoch at a key-holder: its project, its folder, and the share once there is one. */
import { ConcordatError, canonicalBytes, parseCanonicalJson } from '#libs/bytes';
import {
  decodeShare,
  destroyShare,
  encodeShare,
  type HolderIndex,
  type KeyHolder,
  type KeyShare,
} from '#libs/linkage';
import { LinkageProject, linkageProjectDigest } from '#libs/protocol';
import { KeyExchange } from './key-exchange.js';
import type { SealedFolder } from './sealed-folder.js';

const PROJECT = 'project';
const SHARE = 'share';

export interface HeldEpoch {
  readonly project: LinkageProject;
  readonly folder: SealedFolder;
  exchange: KeyExchange | undefined;
  share: KeyShare | undefined;
  holder: KeyHolder | undefined;
  making: Promise<void> | undefined;
  failed: string | null;
}

export const heldEpoch = (project: LinkageProject, folder: SealedFolder): HeldEpoch => ({
  project,
  folder,
  exchange: undefined,
  share: undefined,
  holder: undefined,
  making: undefined,
  failed: null,
});

export async function readProject(folder: SealedFolder): Promise<LinkageProject | undefined> {
  const bytes = await folder.read(PROJECT);
  return bytes && LinkageProject.parse(parseCanonicalJson(bytes));
}
export const writeProject = (folder: SealedFolder, project: LinkageProject): Promise<void> =>
  folder.write(PROJECT, canonicalBytes(project));

export async function readShare(folder: SealedFolder): Promise<KeyShare | undefined> {
  const bytes = await folder.read(SHARE);
  return bytes && decodeShare(bytes);
}
export const writeShare = (folder: SealedFolder, share: KeyShare): Promise<void> =>
  folder.write(SHARE, encodeShare(share));

/** Name of the file with the last answer to a node. */
export const answerFile = (node: string): string => `answer-${node}`;

/** Overwrites the share, in memory and on disk, and what it could be made from again. */
export function eraseEpoch(epoch: HeldEpoch, at: string): void {
  if (epoch.share) destroyShare(epoch.share, at);
  for (const node of [epoch.project.left, epoch.project.right]) {
    epoch.folder.erase(answerFile(node));
  }
  epoch.folder.erase(SHARE);
  KeyExchange.erase(epoch.folder);
  epoch.exchange = undefined;
  epoch.share = undefined;
  epoch.holder = undefined;
}

/** Throws `other-project` when an epoch of this name was begun otherwise. */
export function assertSameProject(known: HeldEpoch, project: LinkageProject): void {
  if (linkageProjectDigest(known.project) !== linkageProjectDigest(project)) {
    throw new ConcordatError(
      'other-project',
      'this epoch was begun with other agencies or holders',
    );
  }
}

/** Which of the three holders a process is. Throws `not-a-holder`. */
export function indexOfHolder(project: LinkageProject, process: string): HolderIndex {
  const index = project.holders.indexOf(process) + 1;
  if (index === 0) throw new ConcordatError('not-a-holder', 'the project names other holders');
  return index as HolderIndex;
}
