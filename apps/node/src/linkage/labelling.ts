/**
 * A node's labelling: freezes its people for an epoch, declares how many they are, and has every counted key of each evaluated by two
 * key-holders, batch by batch. It goes on where it was killed.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import {
  checkEntropy,
  countMatchKey,
  decoyOf,
  matchKeyInput,
  outputsOf,
  type Side,
} from '#libs/linkage';
import {
  type Correspondence,
  checkProject,
  epochFolder,
  type SealedFolder,
} from '#libs/linkage-party';
import { type LinkagePartState, type LinkageProject, processBoxKey } from '#libs/protocol';
import { dateToDay, londonDay } from '#libs/query';
import type { Node } from '../node.js';
import { choosePair } from './holder-pair.js';
import { labelBatch, TRIES, WrongAnswer } from './label-batch.js';
import type { LabelFiles } from './label-files.js';
import {
  assertSameSides,
  beginEpoch,
  columnOf,
  eraseEpoch,
  type LabelledEpoch,
  loadEpoch,
  totalOf,
} from './labelled-epoch.js';
import { PEOPLE_DATASET, type People, peopleDigest, readPeople } from './people.js';

const PURPOSE = 'linkage';
/** Most elements a letter: checking the answers of so many holds up the process for a fraction of a second. */
const LONGEST_BATCH = 256;
/** Batches that the spare 5 % of the quota pays for: what is lost when a holder goes away and another stands in. */
const SPARE_BATCHES = 2;

/** Elements a letter of an epoch with `total` inputs. */
const batchOf = (total: number): number =>
  Math.max(1, Math.min(LONGEST_BATCH, Math.floor(total / 20 / SPARE_BATCHES)));

/** What a question about linked people is answered from. */
export interface Labelled {
  readonly project: LinkageProject;
  readonly side: Side;
  readonly people: People;
  readonly versionDigest: string;
  readonly files: LabelFiles;
  /** Secret of the two nodes for this epoch, whatever becomes of their box keys; base64url. */
  readonly pair: string;
}

export class Labelling {
  private readonly epochs = new Map<string, LabelledEpoch>();
  private readonly erased = new Set<string>();
  private readonly erasures = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  private constructor(
    private readonly node: Node,
    /** Holds the people that the agency brought last. */
    private readonly brought: SealedFolder,
    /** Holds a folder for each epoch. */
    private readonly folder: SealedFolder,
  ) {}

  /** Opens what the folder holds. An erasure that was interrupted is finished, from the log's word for it on (`erased`: names of epochs). */
  static async open(
    node: Node,
    brought: SealedFolder,
    erased: ReadonlySet<string>,
  ): Promise<Labelling> {
    const folder = brought.folder('labels');
    const labelling = new Labelling(node, brought, folder);
    for (const name of await folder.folders()) {
      const epoch = erased.has(name)
        ? 'erased'
        : await loadEpoch(folder.folder(name), node.agency.id);
      if (epoch === 'erased') {
        labelling.erased.add(name);
        await eraseEpoch(folder.folder(name));
      } else if (epoch) labelling.epochs.set(name, epoch);
    }
    return labelling;
  }

  /** Takes labelling up that was interrupted. */
  resume(letters: Correspondence): void {
    for (const epoch of this.epochs.values()) this.start(epoch, letters);
  }

  state(project: LinkageProject): LinkagePartState {
    const name = epochFolder(project);
    const epoch = this.epochs.get(name);
    const total = epoch ? totalOf(epoch) : 0;
    const done = epoch?.done ?? 0;
    const state = this.erased.has(name)
      ? 'destroyed'
      : !epoch
        ? 'none'
        : done === total
          ? 'labelled'
          : epoch.failed
            ? 'failed'
            : 'labelling';
    return { role: 'node', state, done, total, code: epoch?.failed ?? null, publicKey: null };
  }

  /** What an epoch can be counted from; undefined before all of it is labelled. */
  labelled(name: { readonly project: string; readonly epoch: string }): Labelled | undefined {
    const epoch = this.epochs.get(epochFolder(name));
    if (!epoch || epoch.done !== totalOf(epoch)) return undefined;
    const { begun, side, people, files } = epoch;
    return {
      project: begun.project,
      side,
      people,
      versionDigest: begun.versionDigest,
      files,
      pair: begun.pair,
    };
  }

  /**
   * Begins, or goes on. Throws `not-granted` unless a grant of today allows linked people, `no-people`, `low-entropy-key`,
   * `labels-erased`, `other-project`, `unknown-agency`, what `checkProject` throws.
   */
  async run(project: LinkageProject, letters: Correspondence): Promise<void> {
    const name = epochFolder(project);
    if (this.erased.has(name)) {
      throw new ConcordatError('labels-erased', 'this epoch has ended: begin another');
    }
    const epoch = this.epochs.get(name) ?? (await this.begin(project, name));
    assertSameSides(epoch, project);
    this.start(epoch, letters);
  }

  /** Erases people, outputs and secrets of an epoch, logged first. Again is harmless, and resolves when all is gone. */
  erase(project: LinkageProject): Promise<void> {
    const name = epochFolder(project);
    const erasure =
      this.erasures.get(name) ??
      this.eraseNow(project, name).finally(() => this.erasures.delete(name));
    this.erasures.set(name, erasure);
    return erasure;
  }

  private async eraseNow(project: LinkageProject, name: string): Promise<void> {
    const epoch = this.epochs.get(name);
    if (epoch) {
      await this.node.append({
        kind: 'linkage.labels-erased',
        verb: 'erasure',
        at: new Date(this.node.nowMs()).toISOString(),
        actor: this.node.agency.id,
        purpose: PURPOSE,
        project: project.project,
        epoch: project.epoch,
      });
      this.epochs.delete(name);
      this.erased.add(name);
      epoch.ending.abort();
      await epoch.running;
    }
    if (this.erased.has(name)) await eraseEpoch(this.folder.folder(name));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled([...this.epochs.values()].map(({ running }) => running));
  }

  private async begin(project: LinkageProject, name: string): Promise<LabelledEpoch> {
    const { node } = this;
    const { id } = node.agency;
    checkProject(project, node.manifest);
    if (project.left !== id && project.right !== id) {
      throw new ConcordatError('unknown-agency', 'the project is between two other agencies');
    }
    this.assertGranted();
    const people = await readPeople(this.brought);
    if (!people || people.people.length === 0) {
      throw new ConcordatError('no-people', 'bring people first: concordat node people');
    }
    // the other types are counted with decoys and relatives, which measure what they lack in bits
    checkEntropy([countMatchKey('FSDL')], people.people);
    const other = project.left === id ? project.right : project.left;
    const frozen = {
      people,
      peopleDigest: peopleDigest(people, node.sealSecret),
      pair: node.box.secretWith(
        processBoxKey(node.manifest, other) ?? '',
        `linkage ${project.project} ${project.epoch}`,
      ),
    };
    const epoch = await beginEpoch(this.folder.folder(name), project, frozen, id, node.random);
    await node.append({
      kind: 'linkage.labelled',
      verb: 'consultation',
      at: new Date(node.nowMs()).toISOString(),
      actor: id,
      purpose: PURPOSE,
      project: project.project,
      epoch: project.epoch,
      dataset: PEOPLE_DATASET,
      versionDigest: epoch.begun.versionDigest,
    });
    this.epochs.set(name, epoch);
    return epoch;
  }

  private assertGranted(): void {
    const today = londonDay(this.node.nowMs());
    const isGranted = this.node.policies.agency.grants.some(
      ({ measures, validFrom, validUntil }) =>
        measures.includes('linked-people') &&
        dateToDay(validFrom) <= today &&
        today <= dateToDay(validUntil),
    );
    if (isGranted) return;
    throw new ConcordatError('not-granted', 'no grant of the policy allows linked people today');
  }

  private start(epoch: LabelledEpoch, letters: Correspondence): void {
    if (epoch.running || epoch.done === totalOf(epoch)) return;
    epoch.failed = null;
    epoch.running = this.label(epoch, letters)
      .catch((error: unknown) => {
        if (this.isOver(epoch)) return;
        const code = isConcordatError(error) ? error.code : 'internal-fault';
        epoch.failed = code;
        this.node.logger.error({ code, err: error }, 'labelling stopped');
      })
      .finally(() => {
        epoch.running = undefined;
      });
  }

  /** Logs who answered wrongly; the other two go on. */
  private async distrust(
    { begun, distrusted }: LabelledEpoch,
    { code, index, sequence }: WrongAnswer,
  ): Promise<void> {
    const { project, epoch, holders } = begun.project;
    distrusted.add(index);
    await this.node.append({
      kind: 'linkage.answer-refused',
      at: new Date(this.node.nowMs()).toISOString(),
      actor: this.node.agency.id,
      project,
      epoch,
      holder: holders[index - 1] as string,
      sequence,
      code,
    });
  }

  private isOver({ begun }: LabelledEpoch): boolean {
    return this.stopping.signal.aborted || !this.epochs.has(epochFolder(begun.project));
  }

  private async label(epoch: LabelledEpoch, letters: Correspondence): Promise<void> {
    const { begun, side, people, files } = epoch;
    const isOver = (): boolean => this.isOver(epoch);
    const longest = batchOf(totalOf(epoch));
    const signal = AbortSignal.any([this.stopping.signal, epoch.ending.signal]);
    let chosen = await choosePair(epoch, letters, isOver, signal);
    for (const [index, { key, kind }] of outputsOf(side).entries()) {
      const column = columnOf(key, kind);
      const match = countMatchKey(key);
      for (let from = await files.length(column); from < begun.declared; ) {
        const count = Math.min(longest, begun.declared - from);
        const inputs = Array.from({ length: count }, (_, i) => {
          const person = people.people[from + i];
          if (!person) return null;
          return matchKeyInput(match, kind === 'people' ? person : decoyOf(person), begun.project);
        });
        const position = index * begun.declared + from;
        let outputs: Uint8Array[] | undefined;
        for (let tried = 0; !outputs; tried++) {
          if (isOver()) throw new ConcordatError('stopped', 'labelling was stopped');
          if (tried === TRIES)
            throw new ConcordatError('replayed-batch', 'a holder keeps refusing');
          const batch = { inputs, position, tried };
          try {
            outputs = await labelBatch(epoch, letters, chosen, batch, signal);
          } catch (error) {
            if (error instanceof WrongAnswer) await this.distrust(epoch, error);
            if (error instanceof WrongAnswer || isConcordatError(error, 'no-answer')) {
              chosen = await choosePair(epoch, letters, isOver, signal);
            } else if (!isConcordatError(error, 'replayed-batch')) throw error;
          }
        }
        const real = outputs.map((output, i) => (inputs[i] ? output : null));
        await files.append(column, real);
        from += count;
        epoch.done += count;
        await breathe();
      }
    }
  }
}
