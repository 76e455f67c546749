/**
 * A node's labelling: freezes its people for an epoch, declares how many they are, and has every counted key of each evaluated by two
 * key-holders, batch by batch. It goes on where it was killed: blinds, letters and sequence numbers follow from a secret of the epoch and
 * the position, so a batch that was under way is the same batch again.
 */
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises';
import {
  bytesToHex,
  ConcordatError,
  canonicalBytes,
  domainDigest,
  fromBase64url,
  isConcordatError,
  parseCanonicalJson,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import {
  type BatchResponse,
  blindBatch,
  checkEntropy,
  countMatchKey,
  decoyOf,
  finishBatch,
  type HolderPair,
  matchKeyInput,
  type PublicKeySet,
  type Side,
  secretStream,
  setsOf,
} from '#libs/linkage';
import {
  type Correspondence,
  checkProject,
  epochFolder,
  joinElements,
  type SealedFolder,
  splitElements,
} from '#libs/linkage-party';
import { type LinkageBody, type LinkagePartState, LinkageProject } from '#libs/protocol';
import { dateToDay, londonDay } from '#libs/query';
import type { Node } from '../node.js';
import { LabelFiles } from './label-files.js';
import {
  erasePeople,
  PEOPLE_DATASET,
  type People,
  peopleDigest,
  readPeople,
  writePeople,
} from './people.js';

const PURPOSE = 'linkage';
const STATE = 'labelling';
/** Elements a letter: checking the answers of so many holds up the process for a fraction of a second. */
const BATCH = 256;
/** Declared numbers are rounded up to a multiple of this, and batches padded to them: neither holder nor log learns how many people there are. */
const DECLARED_STEP = 50;
/** Sequence numbers kept for one batch: its first try, and more when a holder forgot what it answered. */
const TRIES = 8;
const RETRY_MS = 1_000;
const HOLDER_WITHIN_MS = 60_000;
const KEYS_WITHIN_MS = 10_000;
const PAIRS: readonly HolderPair[] = [
  [1, 2],
  [1, 3],
  [2, 3],
];

interface Saved {
  readonly project: LinkageProject;
  readonly seed: string;
  readonly declared: number;
  readonly versionDigest: string;
}

interface Epoch {
  readonly saved: Saved;
  readonly side: Side;
  readonly people: People;
  readonly files: LabelFiles;
  done: number;
  running: Promise<void> | undefined;
  failed: string | null;
}

/** What a question about linked people is answered from. */
export interface Labelled {
  readonly project: LinkageProject;
  readonly side: Side;
  readonly people: People;
  readonly versionDigest: string;
  readonly files: LabelFiles;
}

export const columnOf = (key: string, kind: string): string => `${key}.${kind}`;

export class Labelling {
  private readonly epochs = new Map<string, Epoch>();
  private readonly erased = new Set<string>();
  private readonly stopping = new AbortController();

  private constructor(
    private readonly node: Node,
    /** Holds the people that the agency brought last. */
    private readonly brought: SealedFolder,
    /** Holds a folder for each epoch. */
    private readonly folder: SealedFolder,
  ) {}

  /** Opens what the folder holds. */
  static async open(node: Node, brought: SealedFolder): Promise<Labelling> {
    const folder = brought.folder('labels');
    const labelling = new Labelling(node, brought, folder);
    for (const name of await folder.folders()) await labelling.load(name);
    return labelling;
  }

  /** Takes labelling up that was interrupted. */
  resume(letters: Correspondence): void {
    for (const epoch of this.epochs.values()) this.start(epoch, letters);
  }

  state(project: LinkageProject): LinkagePartState {
    const name = epochFolder(project);
    const epoch = this.epochs.get(name);
    const total = epoch ? epoch.saved.declared * setsOf(epoch.side).length : 0;
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
    if (!epoch || this.state(epoch.saved.project).state !== 'labelled') return undefined;
    const { saved, side, people, files } = epoch;
    return { project: saved.project, side, people, versionDigest: saved.versionDigest, files };
  }

  /**
   * Begins, or goes on. Throws `not-granted` unless a grant of today allows linked people, `no-people`, `low-entropy-key`,
   * `labels-erased`, `unknown-agency`, what `checkProject` throws.
   */
  async run(project: LinkageProject, letters: Correspondence): Promise<void> {
    const name = epochFolder(project);
    if (this.erased.has(name)) {
      throw new ConcordatError('labels-erased', 'this epoch has ended: begin another');
    }
    const epoch = this.epochs.get(name) ?? (await this.begin(project, name));
    if (epoch.saved.project.left !== project.left || epoch.saved.project.right !== project.right) {
      throw new ConcordatError('other-project', 'this epoch was begun with other agencies');
    }
    this.start(epoch, letters);
  }

  /** Erases people, outputs and secrets of an epoch, logged first. Again is harmless. */
  async erase(project: LinkageProject): Promise<void> {
    const name = epochFolder(project);
    const epoch = this.epochs.get(name);
    if (!epoch) return;
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
    await epoch.running;
    await this.eraseFiles(name);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled([...this.epochs.values()].map(({ running }) => running));
  }

  private async eraseFiles(name: string): Promise<void> {
    const folder = this.folder.folder(name);
    await folder.write('erased', new Uint8Array());
    folder.erase(STATE);
    erasePeople(folder);
    await this.filesOf(name).erase();
  }

  private filesOf(name: string): LabelFiles {
    return new LabelFiles(`${this.folder.folder(name).dir}/outputs`);
  }

  private async load(name: string): Promise<void> {
    const folder = this.folder.folder(name);
    if (await folder.read('erased')) {
      this.erased.add(name);
      await this.eraseFiles(name);
      return;
    }
    const bytes = await folder.read(STATE);
    const people = await readPeople(folder);
    if (!bytes || !people) return;
    const saved = parseCanonicalJson(bytes) as unknown as Saved;
    await this.open(name, { ...saved, project: LinkageProject.parse(saved.project) }, people);
  }

  private async open(name: string, saved: Saved, people: People): Promise<Epoch> {
    const side: Side = saved.project.left === this.node.agency.id ? 'left' : 'right';
    const files = this.filesOf(name);
    const lengths = await Promise.all(
      setsOf(side).map(({ key, kind }) => files.length(columnOf(key, kind))),
    );
    const done = lengths.reduce((sum, length) => sum + length, 0);
    const epoch = { saved, side, people, files, done, running: undefined, failed: null };
    this.epochs.set(name, epoch);
    return epoch;
  }

  private async begin(project: LinkageProject, name: string): Promise<Epoch> {
    const { node } = this;
    checkProject(project, node.manifest);
    if (project.left !== node.agency.id && project.right !== node.agency.id) {
      throw new ConcordatError('unknown-agency', 'the project is between two other agencies');
    }
    const today = londonDay(node.nowMs());
    const isGranted = node.policies.agency.grants.some(
      ({ measures, validFrom, validUntil }) =>
        measures.includes('linked-people') &&
        dateToDay(validFrom) <= today &&
        today <= dateToDay(validUntil),
    );
    if (!isGranted) {
      throw new ConcordatError('not-granted', 'no grant of the policy allows linked people today');
    }
    const people = await readPeople(this.brought);
    if (!people || people.people.length === 0) {
      throw new ConcordatError('no-people', 'bring people first: concordat node people');
    }
    // the other types are counted with decoys and relatives, which measure what they lack in bits
    checkEntropy([countMatchKey('FSDL')], people.people);
    const secret = new Uint32Array(8);
    node.random.fillWords(secret);
    const folder = this.folder.folder(name);
    await writePeople(folder, people);
    const versionDigest = bytesToHex(
      domainDigest(
        'concordat/linkage-epoch/v1',
        utf8ToBytes(peopleDigest(people, node.box)),
        utf8ToBytes(project.project),
        utf8ToBytes(project.epoch),
      ),
    );
    const saved: Saved = {
      project,
      seed: toBase64url(new Uint8Array(secret.buffer)),
      declared: Math.ceil(people.people.length / DECLARED_STEP) * DECLARED_STEP,
      versionDigest,
    };
    await folder.write(STATE, canonicalBytes(saved));
    await node.append({
      kind: 'linkage.labelled',
      verb: 'consultation',
      at: new Date(node.nowMs()).toISOString(),
      actor: node.agency.id,
      purpose: PURPOSE,
      project: project.project,
      epoch: project.epoch,
      dataset: PEOPLE_DATASET,
      versionDigest,
    });
    return this.open(name, saved, people);
  }

  private start(epoch: Epoch, letters: Correspondence): void {
    if (epoch.running || this.state(epoch.saved.project).state === 'labelled') return;
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

  private isOver(epoch: Epoch): boolean {
    return this.stopping.signal.aborted || !this.epochs.has(epochFolder(epoch.saved.project));
  }

  private async label(epoch: Epoch, letters: Correspondence): Promise<void> {
    const { saved, side, people, files } = epoch;
    const { project, epoch: name } = saved.project;
    const sets = setsOf(side);
    let keys = await this.keys(epoch, letters);
    for (const [index, { key, kind }] of sets.entries()) {
      const column = columnOf(key, kind);
      const match = countMatchKey(key);
      for (let from = await files.length(column); from < saved.declared; ) {
        const count = Math.min(BATCH, saved.declared - from);
        const inputs = Array.from({ length: count }, (_, i) => {
          const person = people.people[from + i];
          if (!person) return null;
          const of = kind === 'people' ? person : decoyOf(person);
          return matchKeyInput(match, of, { project, epoch: name });
        });
        const position = index * saved.declared + from;
        let outputs: Uint8Array[] | undefined;
        for (let tried = 0; !outputs; tried++) {
          if (this.isOver(epoch)) throw new ConcordatError('stopped', 'labelling was stopped');
          if (tried === TRIES)
            throw new ConcordatError('replayed-batch', 'a holder keeps refusing');
          try {
            outputs = await this.evaluated(epoch, letters, keys, inputs, position, tried);
          } catch (error) {
            if (isConcordatError(error, 'no-answer')) keys = await this.keys(epoch, letters);
            else if (!isConcordatError(error, 'replayed-batch')) throw error;
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

  /** Has one batch evaluated by the pair, checks both proofs, and unblinds. */
  private async evaluated(
    epoch: Epoch,
    letters: Correspondence,
    { pair, keys }: { readonly pair: HolderPair; readonly keys: PublicKeySet },
    inputs: readonly (Uint8Array | null)[],
    position: number,
    tried: number,
  ): Promise<Uint8Array[]> {
    const { saved } = epoch;
    const { project, epoch: name, holders } = saved.project;
    const seed = fromBase64url(saved.seed);
    const use = [`${position}`, `${tried}`, pair.join()];
    // a filler stands where a person lacks the key: random bytes, which no record of anybody gives
    const fillers = secretStream(seed, 'filler', ...use);
    const filled = inputs.map((input) => {
      if (input) return input;
      const words = new Uint32Array(8);
      fillers.fillWords(words);
      return new Uint8Array(words.buffer);
    });
    const batch = blindBatch(filled, secretStream(seed, 'blinds', ...use));
    const body: LinkageBody = {
      kind: 'batch',
      project,
      epoch: name,
      sequence: position * TRIES + tried + 1,
      pair: [pair[0], pair[1]],
      elements: joinElements(batch.elements),
    };
    const answers = await Promise.all(
      pair.map(async (index): Promise<BatchResponse> => {
        const id = bytesToHex(
          domainDigest(
            'concordat/linkage-letter/v1',
            seed,
            ...[...use, `${index}`].map(utf8ToBytes),
          ).subarray(0, 16),
        );
        const said = await letters.ask(holders[index - 1] as string, body, {
          id,
          timeoutMs: HOLDER_WITHIN_MS,
          signal: this.stopping.signal,
        });
        if (said.kind !== 'evaluation') {
          throw new ConcordatError('malformed-message', 'a holder did not answer the batch');
        }
        return {
          index: said.index,
          evaluated: splitElements(said.evaluated),
          proof: fromBase64url(said.proof),
        };
      }),
    );
    return finishBatch(batch, pair, answers as [BatchResponse, BatchResponse], keys);
  }

  /** Declares to a holder how many people and keys there are: once an epoch, again is harmless. */
  private async declare(epoch: Epoch, letters: Correspondence, holder: string): Promise<void> {
    const { project, epoch: name } = epoch.saved.project;
    const people = epoch.saved.declared;
    const keys = setsOf(epoch.side).length;
    await letters.ask(
      holder,
      { kind: 'declaration', project, epoch: name, people, keys },
      { timeoutMs: KEYS_WITHIN_MS },
    );
  }

  /** The public keys that at least two holders agree on, and the first pair of those that answered. */
  private async keys(
    epoch: Epoch,
    letters: Correspondence,
  ): Promise<{ readonly pair: HolderPair; readonly keys: PublicKeySet }> {
    const { project, epoch: name, holders } = epoch.saved.project;
    for (;;) {
      if (this.isOver(epoch)) throw new ConcordatError('stopped', 'labelling was stopped');
      const said = await Promise.all(
        holders.map((holder) =>
          letters
            .ask(holder, { kind: 'ask-keys', project, epoch: name }, { timeoutMs: KEYS_WITHIN_MS })
            .catch((error: unknown) => {
              if (isConcordatError(error, 'share-destroyed')) throw error;
              return undefined;
            }),
        ),
      );
      const texts = said.map((body) =>
        body?.kind === 'keys' ? `${body.publicKey} ${body.sharePublicKeys.join(' ')}` : undefined,
      );
      const pair = PAIRS.find(([a, b]) => texts[a - 1] && texts[a - 1] === texts[b - 1]);
      const body = pair && said[pair[0] - 1];
      if (pair && body?.kind === 'keys') {
        for (const index of pair) {
          await this.declare(epoch, letters, holders[index - 1] as string);
        }
        const [one, two, three] = body.sharePublicKeys.map(fromBase64url);
        return {
          pair,
          keys: {
            context: { project, epoch: name, holders },
            publicKey: fromBase64url(body.publicKey),
            sharePublicKeys: [one as Uint8Array, two as Uint8Array, three as Uint8Array],
          },
        };
      }
      if (new Set(texts.filter(Boolean)).size > 1) {
        throw new ConcordatError(
          'keys-differ',
          'the holders name different keys: begin a new epoch',
        );
      }
      await pause(RETRY_MS);
    }
  }
}
