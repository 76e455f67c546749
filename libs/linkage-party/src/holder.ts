/**
 * A key-holder: keeps one share for each epoch of each project, evaluates batches within quotas, and ends epochs. Whatever it decides is in
 * the log of its process before anybody hears of it; quotas and what was evaluated are the replay of that log.
 */
import {
  bytesToHex,
  ConcordatError,
  fromBase64url,
  isConcordatError,
  toBase64url,
} from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { type HolderIndex, KeyHolder, type KeyShare, quotaOf } from '#libs/linkage';
import {
  type LinkageBody,
  type LinkagePartState,
  type LinkageProject,
  linkageProjectDigest,
  type Manifest,
} from '#libs/protocol';
import type { Entry } from '#libs/tlog';
import { answerBatch, logKeptAnswers } from './answer-batch.js';
import { checkProject, type EpochName, epochFolder } from './epoch.js';
import {
  assertSameProject,
  eraseEpoch,
  type HeldEpoch,
  heldEpoch,
  indexOfHolder,
  readProject,
  readShare,
  writeProject,
  writeShare,
} from './held-epoch.js';
import { HolderLog } from './holder-log.js';
import { type AskHolder, KeyExchange } from './key-exchange.js';
import type { SealedFolder } from './sealed-folder.js';

const PURPOSE = 'linkage';
/** How long a holder asks the others before it says that key making failed; asking again goes on where it stopped. */
const RETRY_MS = 1_000;

type Kind<K extends LinkageBody['kind']> = Extract<LinkageBody, { kind: K }>;

export interface HolderOptions {
  readonly me: string;
  readonly manifest: () => Manifest;
  readonly folder: SealedFolder;
  /** Of this process's own log, from its beginning. */
  readonly entries: AsyncIterable<Entry>;
  readonly append: (entry: Entry) => Promise<unknown>;
  readonly ask: (to: string, body: LinkageBody) => Promise<LinkageBody>;
  readonly random: RandomSource;
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

export class Holder {
  private readonly epochs = new Map<string, HeldEpoch>();
  private readonly log = new HolderLog();
  private stopping = false;
  /** Work that changes an epoch, one at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: HolderOptions) {}

  /** Reads log and folder; key making that was interrupted goes on. */
  static async open(options: HolderOptions): Promise<Holder> {
    const holder = new Holder(options);
    for await (const entry of options.entries) holder.log.take(entry);
    for (const name of await options.folder.folders()) await holder.load(name);
    for (const epoch of holder.epochs.values()) if (!epoch.share) holder.makeKey(epoch);
    return holder;
  }

  /** Whether the manifest names this process. */
  isNamed(): boolean {
    return this.options.manifest().keyHolders?.includes(this.options.me) ?? false;
  }

  /** This process's part in a project; undefined when it holds no share of it. */
  state(name: EpochName): LinkagePartState {
    const epoch = this.epochs.get(epochFolder(name));
    const state = this.log.isDestroyed(epochFolder(name))
      ? 'destroyed'
      : epoch?.share
        ? 'holds-share'
        : epoch?.failed
          ? 'failed'
          : epoch
            ? 'making-key'
            : 'none';
    const publicKey = epoch?.share ? toBase64url(epoch.share.publicKey) : null;
    return { role: 'holder', state, done: 0, total: 0, code: epoch?.failed ?? null, publicKey };
  }

  /** Begins to make a key, or goes on. Throws `share-destroyed`, `not-a-holder`, what `checkProject` throws. */
  async keygen(project: LinkageProject): Promise<void> {
    await this.inTurn(async () => {
      const name = epochFolder(project);
      if (this.log.isDestroyed(name)) {
        throw new ConcordatError('share-destroyed', 'this epoch has ended: begin another');
      }
      const known = this.epochs.get(name);
      if (known) {
        assertSameProject(known, project);
        if (!known.share && !known.making) this.makeKey(known);
        return;
      }
      checkProject(project, this.options.manifest());
      const index = indexOfHolder(project, this.options.me);
      const folder = this.options.folder.folder(name);
      await writeProject(folder, project);
      const exchange = await KeyExchange.open(project, index, folder, this.options.random);
      const epoch = heldEpoch(project, folder);
      epoch.exchange = exchange;
      this.epochs.set(name, epoch);
      this.makeKey(epoch);
    });
  }

  /** Ends an epoch: logged first, then the share is overwritten. Again is harmless. */
  async destroy(project: LinkageProject): Promise<void> {
    await this.inTurn(async () => {
      const name = epochFolder(project);
      const epoch = this.epochs.get(name);
      if (this.log.isDestroyed(name) || !epoch) return;
      assertSameProject(epoch, project);
      const { me, nowMs, append } = this.options;
      const at = new Date(nowMs()).toISOString();
      const publicKey = epoch.share ? { publicKey: bytesToHex(epoch.share.publicKey) } : {};
      const entry: Entry = {
        kind: 'linkage.share-destroyed',
        verb: 'erasure',
        at,
        actor: me,
        purpose: PURPOSE,
        project: project.project,
        epoch: project.epoch,
        ...publicKey,
      };
      await append(entry);
      this.log.take(entry);
      eraseEpoch(epoch, at);
    });
  }

  /** Answers a letter of another process. Throws a ConcordatError whose code is the refusal. */
  async answer(from: string, body: LinkageBody, id: string): Promise<LinkageBody> {
    if (
      body.kind !== 'commitment' &&
      body.kind !== 'opening' &&
      body.kind !== 'ask-keys' &&
      body.kind !== 'declaration' &&
      body.kind !== 'batch'
    ) {
      throw new ConcordatError('malformed-message', 'not a letter for a key-holder');
    }
    const epoch = this.epochs.get(epochFolder(body));
    if (this.log.isDestroyed(epochFolder(body))) {
      if (body.kind !== 'batch')
        throw new ConcordatError('share-destroyed', 'this epoch has ended');
    }
    if (body.kind === 'batch') {
      const asked = { from, id, body, epoch };
      return this.inTurn(() => answerBatch(asked, { ...this.options, log: this.log }));
    }
    if (!epoch) throw new ConcordatError('not-yet', 'this holder was not told to make a key yet');
    if (body.kind === 'commitment' || body.kind === 'opening') {
      return this.inTurn(() => this.exchanged(from, body, epoch));
    }
    if (body.kind === 'declaration') return this.inTurn(() => this.declare(from, body, epoch));
    if (!epoch.share) throw new ConcordatError('not-yet', 'the key is not made yet');
    const [one, two, three] = epoch.share.sharePublicKeys.map(toBase64url);
    return {
      kind: 'keys',
      publicKey: toBase64url(epoch.share.publicKey),
      sharePublicKeys: [one as string, two as string, three as string],
    };
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.allSettled([...this.epochs.values()].map(({ making }) => making));
    await this.turn.catch(() => undefined);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.turn.catch(() => undefined).then(work);
    this.turn = next;
    return next;
  }

  private async load(name: string): Promise<void> {
    const folder = this.options.folder.folder(name);
    const project = await readProject(folder);
    if (!project?.holders.includes(this.options.me)) return;
    const epoch = heldEpoch(project, folder);
    this.epochs.set(name, epoch);
    if (this.log.isDestroyed(name)) {
      // killed between the entry and the erasure
      eraseEpoch(epoch, new Date(this.options.nowMs()).toISOString());
      return;
    }
    const share = await readShare(folder);
    await logKeptAnswers(epoch, { log: this.log, append: this.options.append });
    if (share) this.hold(epoch, share);
    epoch.exchange = await KeyExchange.open(
      project,
      indexOfHolder(project, this.options.me),
      folder,
      this.options.random,
    );
  }

  private hold(epoch: HeldEpoch, share: KeyShare): void {
    const name = epochFolder(epoch.project);
    const holder = new KeyHolder(share, this.log.grants(name));
    for (const entry of this.log.batches(name)) holder.replay(entry);
    epoch.share = share;
    epoch.holder = holder;
  }

  private makeKey(epoch: HeldEpoch): void {
    const { exchange, project } = epoch;
    if (!exchange || epoch.share) return;
    const askHolder: AskHolder = async (index, body) => {
      for (;;) {
        if (this.stopping || this.log.isDestroyed(epochFolder(project))) {
          throw new ConcordatError('stopped', 'key making was stopped');
        }
        try {
          return await this.options.ask(project.holders[index - 1] as string, body);
        } catch (error) {
          if (!isConcordatError(error, 'not-yet') && !isConcordatError(error, 'no-answer'))
            throw error;
          await this.options.pause(RETRY_MS);
        }
      }
    };
    epoch.failed = null;
    epoch.making = exchange
      .finish(askHolder)
      .then((share) => this.inTurn(() => this.finished(epoch, share)))
      .catch((error: unknown) => {
        epoch.failed = isConcordatError(error) ? error.code : 'internal-fault';
      })
      .finally(() => {
        epoch.making = undefined;
      });
  }

  private async finished(epoch: HeldEpoch, share: KeyShare): Promise<void> {
    const { project } = epoch;
    if (this.log.isDestroyed(epochFolder(project)) || epoch.share) return;
    await this.options.append({
      kind: 'linkage.share-made',
      at: new Date(this.options.nowMs()).toISOString(),
      actor: this.options.me,
      project: project.project,
      epoch: project.epoch,
      projectDigest: linkageProjectDigest(project),
      index: share.index,
      publicKey: bytesToHex(share.publicKey),
    });
    await writeShare(epoch.folder, share);
    this.hold(epoch, share);
  }

  private async exchanged(
    from: string,
    body: Kind<'commitment'> | Kind<'opening'>,
    epoch: HeldEpoch,
  ): Promise<LinkageBody> {
    const index = (epoch.project.holders.indexOf(from) + 1) as HolderIndex | 0;
    if (index === 0) throw new ConcordatError('not-a-holder', 'only holders make a key');
    if (!epoch.exchange) throw new ConcordatError('not-yet', 'no key is being made');
    return body.kind === 'commitment'
      ? epoch.exchange.takeCommitment(index, fromBase64url(body.commitment))
      : epoch.exchange.takeOpening(index, body);
  }

  private async declare(
    from: string,
    { people, keys }: Kind<'declaration'>,
    epoch: HeldEpoch,
  ): Promise<LinkageBody> {
    const { project } = epoch;
    if (from !== project.left && from !== project.right) {
      throw new ConcordatError(
        'unknown-node',
        'the project is not between this agency and another',
      );
    }
    if (!epoch.share || !epoch.holder)
      throw new ConcordatError('not-yet', 'the key is not made yet');
    const before = this.log.declaredBy(epochFolder(project), from);
    if (before) {
      if (before.people === people && before.keys === keys) return { kind: 'done' };
      throw new ConcordatError('already-declared', 'a node declares its people once an epoch');
    }
    const entry: Entry = {
      kind: 'linkage.declared',
      at: new Date(this.options.nowMs()).toISOString(),
      actor: this.options.me,
      project: project.project,
      epoch: project.epoch,
      node: from,
      people,
      keys,
      quota: quotaOf({ people, keys }),
    };
    await this.options.append(entry);
    this.log.take(entry);
    epoch.holder.grant({ node: from, people, keys });
    return { kind: 'done' };
  }
}
