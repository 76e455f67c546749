/**
 * A key-holder: keeps one share for each epoch of each project, evaluates batches within quotas, and ends epochs. Whatever it decides is in
 * the log of its process before anybody hears of it; quotas and what was evaluated are the replay of that log.
 */
import {
  bytesToHex,
  ConcordatError,
  canonicalBytes,
  fromBase64url,
  isConcordatError,
  parseCanonicalJson,
  toBase64url,
} from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import {
  type BatchEntry,
  type BatchRequest,
  decodeShare,
  destroyShare,
  encodeShare,
  type HolderIndex,
  type HolderPair,
  KeyHolder,
  type KeyShare,
  quotaOf,
} from '#libs/linkage';
import {
  LinkageBody,
  type LinkagePartState,
  LinkageProject,
  linkageProjectDigest,
  type Manifest,
} from '#libs/protocol';
import type { Entry } from '#libs/tlog';
import { joinElements, splitElements } from './elements.js';
import { checkProject, type EpochName, epochFolder } from './epoch.js';
import { type AskHolder, KeyExchange } from './key-exchange.js';
import type { SealedFolder } from './sealed-folder.js';

const PURPOSE = 'linkage';
const SHARE = 'share';
const PROJECT = 'project';
/** How long a holder asks the others before it says that key making failed; asking again goes on where it stopped. */
const RETRY_MS = 1_000;

interface Epoch {
  readonly project: LinkageProject;
  readonly folder: SealedFolder;
  exchange: KeyExchange | undefined;
  share: KeyShare | undefined;
  holder: KeyHolder | undefined;
  making: Promise<void> | undefined;
  failed: string | null;
}

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

/** What a log says of one epoch. */
interface Past {
  readonly declared: Map<string, { people: number; keys: number }>;
  readonly batches: BatchEntry[];
  destroyed: boolean;
}

export class Holder {
  private readonly epochs = new Map<string, Epoch>();
  private readonly past = new Map<string, Past>();
  private stopping = false;
  /** Work that changes an epoch, one at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: HolderOptions) {}

  /** Reads log and folder; key making that was interrupted goes on. */
  static async open(options: HolderOptions): Promise<Holder> {
    const holder = new Holder(options);
    for await (const entry of options.entries) holder.replay(entry);
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
    const past = this.past.get(epochFolder(name));
    const state = past?.destroyed
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
      if (this.past.get(name)?.destroyed) {
        throw new ConcordatError('share-destroyed', 'this epoch has ended: begin another');
      }
      const known = this.epochs.get(name);
      if (known) {
        this.sameProject(known, project);
        if (!known.share && !known.making) this.makeKey(known);
        return;
      }
      checkProject(project, this.options.manifest());
      const index = this.indexIn(project);
      const folder = this.options.folder.folder(name);
      await folder.write(PROJECT, canonicalBytes(project));
      const exchange = await KeyExchange.open(project, index, folder, this.options.random);
      const epoch = this.newEpoch(project, folder);
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
      if (this.past.get(name)?.destroyed || !epoch) return;
      this.sameProject(epoch, project);
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
      this.replay(entry);
      this.eraseAll(epoch, at);
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
    if (this.past.get(epochFolder(body))?.destroyed) {
      if (body.kind !== 'batch')
        throw new ConcordatError('share-destroyed', 'this epoch has ended');
    }
    if (body.kind === 'batch') return this.inTurn(() => this.batch(from, body, epoch, id));
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

  private newEpoch(project: LinkageProject, folder: SealedFolder): Epoch {
    return {
      project,
      folder,
      exchange: undefined,
      share: undefined,
      holder: undefined,
      making: undefined,
      failed: null,
    };
  }

  private async load(name: string): Promise<void> {
    const folder = this.options.folder.folder(name);
    const bytes = await folder.read(PROJECT);
    if (!bytes) return;
    const project = LinkageProject.parse(parseCanonicalJson(bytes));
    if (!project.holders.includes(this.options.me)) return;
    const epoch = this.newEpoch(project, folder);
    this.epochs.set(name, epoch);
    if (this.past.get(name)?.destroyed) {
      // killed between the entry and the erasure
      this.eraseAll(epoch, new Date(this.options.nowMs()).toISOString());
      return;
    }
    const stored = await folder.read(SHARE);
    if (stored) this.hold(epoch, decodeShare(stored));
    epoch.exchange = await KeyExchange.open(
      project,
      this.indexIn(project),
      folder,
      this.options.random,
    );
  }

  private replay(entry: Entry): void {
    if (!entry.kind.startsWith('linkage.') || !('epoch' in entry)) return;
    const name = epochFolder(entry);
    const past: Past = this.past.get(name) ?? {
      declared: new Map(),
      batches: [],
      destroyed: false,
    };
    this.past.set(name, past);
    if (entry.kind === 'linkage.share-destroyed') past.destroyed = true;
    if (entry.kind === 'linkage.declared') past.declared.set(entry.node, entry);
    if (entry.kind === 'linkage.batch' && entry.code === undefined) {
      past.batches.push({ ...entry, kind: 'linkage-batch-evaluated', code: null });
    }
  }

  private hold(epoch: Epoch, share: KeyShare): void {
    const past = this.past.get(epochFolder(epoch.project));
    const grants = [...(past?.declared ?? [])].map(([node, grant]) => ({ ...grant, node }));
    const holder = new KeyHolder(share, grants);
    for (const entry of past?.batches ?? []) holder.replay(entry);
    epoch.share = share;
    epoch.holder = holder;
  }

  private makeKey(epoch: Epoch): void {
    const { exchange, project } = epoch;
    if (!exchange || epoch.share) return;
    const askHolder: AskHolder = async (index, body) => {
      for (;;) {
        if (this.stopping || this.past.get(epochFolder(project))?.destroyed) {
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

  private async finished(epoch: Epoch, share: KeyShare): Promise<void> {
    const { project } = epoch;
    if (this.past.get(epochFolder(project))?.destroyed || epoch.share) return;
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
    await epoch.folder.write(SHARE, encodeShare(share));
    this.hold(epoch, share);
  }

  private async exchanged(
    from: string,
    body: Kind<'commitment'> | Kind<'opening'>,
    epoch: Epoch,
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
    epoch: Epoch,
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
    const before = this.past.get(epochFolder(project))?.declared.get(from);
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
    this.replay(entry);
    epoch.holder.grant({ node: from, people, keys });
    return { kind: 'done' };
  }

  private async batch(
    from: string,
    body: Kind<'batch'>,
    epoch: Epoch | undefined,
    id: string,
  ): Promise<LinkageBody> {
    if (epoch && !epoch.holder && !this.past.get(epochFolder(body))?.destroyed) {
      throw new ConcordatError('not-yet', 'the key is not made yet');
    }
    const before = await this.answered(from, id, epoch);
    if (before) return before;
    let elements: Uint8Array[];
    try {
      elements = splitElements(body.elements);
    } catch {
      elements = [];
    }
    const request: BatchRequest = {
      project: body.project,
      epoch: body.epoch,
      node: from,
      sequence: body.sequence,
      pair: body.pair as unknown as HolderPair,
      elements,
    };
    const decision = epoch?.holder?.evaluate(request, this.options.random);
    const refusal = decision && !decision.ok ? decision.code : undefined;
    const isOver = this.past.get(epochFolder(body))?.destroyed;
    const code = decision ? refusal : isOver ? 'share-destroyed' : 'other-epoch';
    await this.options.append({
      kind: 'linkage.batch',
      at: new Date(this.options.nowMs()).toISOString(),
      actor: this.options.me,
      project: body.project,
      epoch: body.epoch,
      node: from,
      sequence: body.sequence,
      elements: elements.length,
      digest: decision?.entry.digest ?? '',
      used: decision?.entry.used ?? 0,
      quota: decision?.entry.quota ?? 0,
      ...(code === undefined ? {} : { code }),
    });
    if (!decision?.ok) throw new ConcordatError(code ?? 'other-epoch', 'the batch was refused');
    const { index, evaluated, proof } = decision.response;
    const answer: LinkageBody = {
      kind: 'evaluation',
      index,
      evaluated: joinElements(evaluated),
      proof: toBase64url(proof),
    };
    await epoch?.folder.write(`answer-${from}`, canonicalBytes({ id, answer }));
    return answer;
  }

  /** The last answer to a node, when the letter is the one it answered: the letter came again because the answer got lost. */
  private async answered(
    from: string,
    id: string,
    epoch: Epoch | undefined,
  ): Promise<LinkageBody | undefined> {
    const bytes = await epoch?.folder.read(`answer-${from}`);
    if (!bytes) return undefined;
    const kept = parseCanonicalJson(bytes) as { id?: unknown; answer?: unknown };
    return kept.id === id ? LinkageBody.parse(kept.answer) : undefined;
  }

  private eraseAll(epoch: Epoch, at: string): void {
    if (epoch.share) destroyShare(epoch.share, at);
    for (const node of [epoch.project.left, epoch.project.right])
      epoch.folder.erase(`answer-${node}`);
    epoch.folder.erase(SHARE);
    epoch.folder.erase('key-making');
    epoch.exchange = undefined;
    epoch.share = undefined;
    epoch.holder = undefined;
  }

  private sameProject(known: Epoch, project: LinkageProject): void {
    if (linkageProjectDigest(known.project) !== linkageProjectDigest(project)) {
      throw new ConcordatError(
        'other-project',
        'this epoch was begun with other agencies or holders',
      );
    }
  }

  private indexIn(project: LinkageProject): HolderIndex {
    const index = project.holders.indexOf(this.options.me) + 1;
    if (index === 0) throw new ConcordatError('not-a-holder', 'the project names other holders');
    return index as HolderIndex;
  }
}
