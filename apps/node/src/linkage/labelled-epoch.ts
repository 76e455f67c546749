/** One epoch at a node: what it was begun with, the frozen people, and what is labelled so far. */
import {
  bytesToHex,
  ConcordatError,
  canonicalBytes,
  domainDigest,
  parseCanonicalJson,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { type HolderIndex, outputsOf, type Side } from '#libs/linkage';
import { epochFolder, type SealedFolder } from '#libs/linkage-party';
import { LinkageProject } from '#libs/protocol';
import { LabelFiles } from './label-files.js';
import { erasePeople, type People, readPeople, writePeople } from './people.js';

const STATE = 'labelling';
const ERASED = 'erased';
/** Declared numbers are rounded up to a multiple of this, and batches padded to them: neither holder nor log learns how many people there are. */
const DECLARED_STEP = 50;

/** What must stay the same for as long as the epoch lasts. */
interface Begun {
  readonly project: LinkageProject;
  /** Of blinds, fillers and letter ids, in base64url. */
  readonly seed: string;
  /** People as declared to holders. */
  readonly declared: number;
  /** Keyed digest of people and epoch. */
  readonly versionDigest: string;
  /** What both nodes' box keys of now give, in base64url: dummies come from it for as long as the epoch lasts. */
  readonly pair: string;
}

export interface LabelledEpoch {
  readonly begun: Begun;
  readonly side: Side;
  readonly people: People;
  readonly files: LabelFiles;
  /** OPRF inputs that have their outputs, of all key types. */
  done: number;
  /** Holders that answered wrongly since the process started. */
  readonly distrusted: Set<HolderIndex>;
  running: Promise<void> | undefined;
  failed: string | null;
  /** Aborted when the epoch ends, so that nothing waits for a holder any more. */
  readonly ending: AbortController;
}

/** File name of the outputs of one key type. */
export const columnOf = (key: string, kind: string): string => `${key}.${kind}`;

/** All OPRF inputs of an epoch. */
export const totalOf = ({ begun, side }: LabelledEpoch): number =>
  begun.declared * outputsOf(side).length;

const filesIn = (folder: SealedFolder): LabelFiles => new LabelFiles(`${folder.dir}/outputs`);

async function openEpoch(
  folder: SealedFolder,
  begun: Begun,
  people: People,
  agency: string,
): Promise<LabelledEpoch> {
  const side: Side = begun.project.left === agency ? 'left' : 'right';
  const files = filesIn(folder);
  const lengths = await Promise.all(
    outputsOf(side).map(({ key, kind }) => files.length(columnOf(key, kind))),
  );
  const done = lengths.reduce((sum, length) => sum + length, 0);
  const distrusted = new Set<HolderIndex>();
  const idle = { running: undefined, failed: null, ending: new AbortController() };
  return { begun, side, people, files, done, distrusted, ...idle };
}

/** Freezes the people for an epoch. `peopleDigest` is keyed. */
export async function beginEpoch(
  folder: SealedFolder,
  project: LinkageProject,
  {
    people,
    peopleDigest,
    pair,
  }: { readonly people: People; readonly peopleDigest: string; readonly pair: Uint8Array },
  agency: string,
  random: RandomSource,
): Promise<LabelledEpoch> {
  const secret = new Uint32Array(8);
  random.fillWords(secret);
  await writePeople(folder, people);
  const begun: Begun = {
    project,
    seed: toBase64url(new Uint8Array(secret.buffer)),
    declared: Math.ceil(people.people.length / DECLARED_STEP) * DECLARED_STEP,
    pair: toBase64url(pair),
    versionDigest: bytesToHex(
      domainDigest(
        'concordat/linkage-epoch/v1',
        ...[peopleDigest, project.project, project.epoch].map(utf8ToBytes),
      ),
    ),
  };
  await folder.write(STATE, canonicalBytes(begun));
  return openEpoch(folder, begun, people, agency);
}

/** Opens what a folder holds: an epoch, `erased` after its end, undefined where none was begun. */
export async function loadEpoch(
  folder: SealedFolder,
  agency: string,
): Promise<LabelledEpoch | 'erased' | undefined> {
  if (await folder.read(ERASED)) return 'erased';
  const bytes = await folder.read(STATE);
  const people = await readPeople(folder);
  if (!bytes || !people) return undefined;
  const begun = parseCanonicalJson(bytes) as unknown as Begun;
  const project = LinkageProject.parse(begun.project);
  return openEpoch(folder, { ...begun, project }, people, agency);
}

/** Erases people, outputs and secrets; what is left says that there was an epoch. Again is harmless. */
export async function eraseEpoch(folder: SealedFolder): Promise<void> {
  await folder.write(ERASED, new Uint8Array());
  folder.erase(STATE);
  erasePeople(folder);
  await filesIn(folder).erase();
}

/** Throws `other-project` when the epoch was begun between other agencies. */
export function assertSameSides({ begun }: LabelledEpoch, project: LinkageProject): void {
  if (begun.project.left !== project.left || begun.project.right !== project.right) {
    throw new ConcordatError(
      'other-project',
      `the epoch ${epochFolder(project)} was begun with other agencies`,
    );
  }
}
