/**
 * A process's transparency log on disk: one writer, entries durable before they are acknowledged, checkpoints signed over
 * what is durable. `docs/protocol/log.md` gives the layout and the rules of recovery.
 */

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, equalBytes, utf8ToBytes } from '#libs/bytes';
import { hasErrno, makeDirectory, replaceFile } from '#libs/host';
import {
  addSignatures,
  type Checkpoint,
  consistencyProof,
  inclusionProof,
  rootOfPrefix,
  signCheckpoint,
  TILE_WIDTH,
} from '#libs/tlog';
import { assertPayload, HEADER_BYTES } from './frame.js';
import { GroupCommit } from './group-commit.js';
import {
  CHECKPOINT,
  ENTRIES,
  formatHistoryRecord,
  HISTORY,
  parseHistoryRecord,
  TAIL,
} from './layout.js';
import { type Lock, lockDirectory } from './lock.js';
import { RecordFile } from './record-file.js';
import {
  assertRoot,
  entriesFromBundles,
  foundLog,
  type JournalOptions,
  latestCheckpoint,
  type Recovery,
  removeTemporaries,
} from './recovery.js';
import { signTail } from './tail-note.js';
import { TileStore } from './tile-store.js';

/** While a log is opened its tiles are compared with the disk this often, so that memory stays bounded. */
const OPENING_STRIDE = 4096n;

export interface JournalEntry {
  readonly index: bigint;
  readonly bytes: Uint8Array;
}

const unavailable = (cause: unknown): ConcordatError =>
  new ConcordatError('log-unavailable', 'the log cannot be written; check disk space and rights', {
    cause,
  });

const closed = (): ConcordatError =>
  new ConcordatError('log-closed', 'the log is closed; open it again');

function entryBytes(entry: Uint8Array | string): Uint8Array {
  const bytes = typeof entry === 'string' ? utf8ToBytes(entry) : Uint8Array.from(entry);
  assertPayload(bytes);
  return bytes;
}

export class Journal {
  /** Entries below this index are durable. */
  #size = 0n;
  /** Byte offset in the record file of every 256th entry. */
  readonly #bundleOffsets: number[];
  readonly #commits = new GroupCommit((entries) => this.#write(entries));
  /** Checkpoints are made one after another. */
  #publishing: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(
    private readonly options: JournalOptions,
    private readonly lock: Lock,
    private readonly file: RecordFile,
    private readonly history: RecordFile,
    private readonly tiles: TileStore,
    private latest: { readonly note: string; readonly checkpoint: Checkpoint; historySize: number },
    bundleOffsets: number[],
    readonly recovered: Recovery,
  ) {
    this.#bundleOffsets = bundleOffsets;
    this.#size = tiles.size;
  }

  /**
   * Opens the log in `dir`, or founds it, signing the checkpoint of the empty tree. Mends what a crash leaves (see
   * `Recovery`). Throws `log-locked` while another process writes it, `log-corrupt` when the damage is none a crash makes
   * or a checkpoint does not fit the entries, `wrong-origin`, and `log-unavailable` when the disk fails.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { dir, clock = Date.now } = options;
    const opened: RecordFile[] = [];
    let lock: Lock | undefined;
    try {
      await makeDirectory(dir);
      lock = await lockDirectory(dir, clock());
      await removeTemporaries(dir);

      const tiles = new TileStore(dir);
      const bundleOffsets: number[] = [];
      const add = (payload: Uint8Array, offset: number): void => {
        if (tiles.size % BigInt(TILE_WIDTH) === 0n) bundleOffsets.push(offset);
        tiles.add(Uint8Array.from(payload));
      };
      const entries = await RecordFile.open(join(dir, ENTRIES), async ({ payload, offset }) => {
        add(payload, offset);
        if (tiles.size % OPENING_STRIDE === 0n) await tiles.writeMissing();
      });
      opened.push(entries.file);

      const notes: string[] = [];
      const history = await RecordFile.open(join(dir, HISTORY), ({ payload }) => {
        notes.push(parseHistoryRecord(notes.length, payload));
      });
      opened.push(history.file);

      const latest = await latestCheckpoint(options, notes);
      const sizeFound = tiles.size;
      if (latest && sizeFound < latest.checkpoint.size) {
        const missing = await entriesFromBundles(dir, sizeFound, latest.checkpoint.size);
        let offset = entries.file.durableBytes;
        await entries.file.append(missing);
        for (const entry of missing) {
          add(entry, offset);
          offset += HEADER_BYTES + entry.length;
        }
      }
      const signed = latest?.checkpoint.size ?? 0n;
      if (latest) await assertRoot(tiles, latest.checkpoint);
      await tiles.writeMissing();
      await tiles.removeBeyond();
      await tiles.writePartial(tiles.partial());

      const founding = latest ?? (await foundLog(options, history.file));
      return new Journal(
        options,
        lock,
        entries.file,
        history.file,
        tiles,
        { ...founding, historySize: Math.max(1, notes.length) },
        bundleOffsets,
        {
          tornBytes: entries.tornBytes,
          restoredEntries: Number(tiles.size - sizeFound),
          unsignedEntries: Number(tiles.size - signed),
        },
      );
    } catch (error) {
      for (const file of opened) await file.close();
      await lock?.release();
      throw error instanceof ConcordatError ? error : unavailable(error);
    }
  }

  /** Number of durable entries. */
  get size(): bigint {
    return this.#size;
  }

  /** The published note, with the cosignatures it has got. */
  get published(): string {
    return this.latest.note;
  }

  /** Merkle tree hash of the durable entries. */
  root(): Uint8Array {
    return this.tiles.root();
  }

  /**
   * Appends one entry (a string as UTF-8); resolves to its index once it is durable. Entries that wait at the same time
   * share one fsync and keep the order of the calls. Rejects with `entry-size`, `log-closed`, or `log-unavailable`: then
   * the log stands as before, and a later call may succeed.
   */
  append(entry: Uint8Array | string): Promise<bigint> {
    return this.appendAll([entry]);
  }

  /**
   * Appends entries next to each other, in order; resolves to the index of the first (of the next entry, for none). One
   * fsync, but a crash before it resolves may leave some of them: the first few.
   */
  async appendAll(entries: readonly (Uint8Array | string)[]): Promise<bigint> {
    if (this.#isClosed) throw closed();
    return this.#commits.add(entries.map(entryBytes));
  }

  /** Makes entries durable and takes them into the tree; resolves to the index of the first. Rejects with `log-unavailable`. */
  async #write(entries: readonly Uint8Array[]): Promise<bigint> {
    const first = this.#size;
    let offset = this.file.durableBytes;
    try {
      if (entries.length > 0) await this.file.append(entries);
    } catch (error) {
      throw unavailable(error);
    }
    for (const entry of entries) {
      if (this.tiles.size % BigInt(TILE_WIDTH) === 0n) this.#bundleOffsets.push(offset);
      this.tiles.add(entry);
      offset += HEADER_BYTES + entry.length;
    }
    this.#size += BigInt(entries.length);
    // the entries are safe already; tiles that cannot be written now are tried again with the next checkpoint
    this.tiles.flush().catch(() => undefined);
    return first;
  }

  /**
   * The signed note of the present size: tiles written, the note in the history and then published, all durable. The same
   * note again when nothing was appended, with the cosignatures it has got. Rejects with `log-unavailable`.
   */
  checkpoint(): Promise<string> {
    return this.#publish(() => {
      if (this.latest.checkpoint.size === this.#size) return undefined;
      return { origin: this.options.origin, size: this.#size, root: this.root() };
    });
  }

  /**
   * Adds cosignature lines (as witnesses return them; the caller has verified them) to the published checkpoint and returns
   * it. Rejects with `stale-checkpoint` when the log has published another since `note`.
   */
  addCosignatures(note: string, lines: readonly string[]): Promise<string> {
    const textOf = (whole: string) => whole.slice(0, whole.lastIndexOf('\n\n'));
    return this.#publish(() => {
      if (textOf(note) !== textOf(this.latest.note)) {
        throw new ConcordatError(
          'stale-checkpoint',
          'a later checkpoint is published; cosign that',
        );
      }
      const cosigned = addSignatures(this.latest.note, lines);
      return cosigned === this.latest.note ? undefined : cosigned;
    });
  }

  #publish(next: () => Checkpoint | string | undefined): Promise<string> {
    if (this.#isClosed) return Promise.reject(closed());
    const run = this.#publishing.then(async () => {
      // size, root, partial tiles and the key in force must be of one moment: nothing is awaited between them
      const target = next();
      if (target === undefined) return this.latest.note;
      const note =
        typeof target === 'string' ? target : signCheckpoint(target, this.options.signer);
      const partial = this.tiles.partial();
      try {
        if (typeof target === 'string') return await this.#put(note, this.latest.checkpoint);
        await this.tiles.flush();
        await this.tiles.writePartial(partial);
        return await this.#put(note, target);
      } catch (error) {
        throw error instanceof ConcordatError ? error : unavailable(error);
      }
    });
    this.#publishing = run.catch(() => undefined);
    return run;
  }

  /** History first: a checkpoint that was ever published can be found there. */
  async #put(note: string, checkpoint: Checkpoint): Promise<string> {
    await this.history.append([formatHistoryRecord(this.latest.historySize, note)]);
    this.latest = { ...this.latest, historySize: this.latest.historySize + 1 };
    await replaceFile(join(this.options.dir, CHECKPOINT), note);
    this.latest = { ...this.latest, note, checkpoint };
    return note;
  }

  /** The durable entries with `from <= index < to`; `to` is the size at the call unless given. */
  async *entries(from = 0n, to = this.#size): AsyncGenerator<JournalEntry> {
    let end = to;
    if (end > this.#size) end = this.#size;
    if (from < 0n || from >= end) return;
    const bundle = from / BigInt(TILE_WIDTH);
    let index = bundle * BigInt(TILE_WIDTH);
    const offset = this.#bundleOffsets[Number(bundle)] ?? 0;
    for await (const { payload } of this.file.read(offset, this.file.durableBytes)) {
      if (index >= end) return;
      if (index >= from) yield { index, bytes: Uint8Array.from(payload) };
      index += 1n;
    }
  }

  /** Proof that entry `index` is in the tree of `size` leaves, for `verifyInclusion`. Throws `out-of-range`. */
  async inclusionProof(index: bigint, size: bigint): Promise<Uint8Array[]> {
    this.#assertReached(size);
    return inclusionProof(index, size, this.tiles.reader());
  }

  /** Proof that the tree of `size2` leaves continues that of `size1`, for `verifyConsistency`. Throws `out-of-range`. */
  async consistencyProof(size1: bigint, size2: bigint): Promise<Uint8Array[]> {
    this.#assertReached(size2);
    return consistencyProof(size1, size2, this.tiles.reader());
  }

  #assertReached(size: bigint): void {
    if (size > this.#size)
      throw new ConcordatError('out-of-range', 'the log is not that large yet');
  }

  /**
   * Refuses to go on when a witness has seen more of this log, or something else: throws `log-behind` (restored from an old
   * copy: restore a later one) or `log-forked`. To be called with every witness's latest checkpoint before anything is
   * signed after a start.
   */
  async assertContains({ size, root }: Pick<Checkpoint, 'size' | 'root'>): Promise<void> {
    if (size > this.#size) {
      throw new ConcordatError(
        'log-behind',
        'a witness has seen a longer log; restore a later copy',
      );
    }
    if (!equalBytes(await rootOfPrefix(size, this.tiles.reader()), root)) {
      throw new ConcordatError(
        'log-forked',
        'a witness has seen another log of this name; do not go on',
      );
    }
  }

  /**
   * Waits for what was appended, and lets go of the log. Signs no checkpoint: call `checkpoint` before. Entries that none covers get the
   * writer's note (`tail-note.ts`). Rejects with `log-unavailable` when that cannot be written; the log is closed all the same.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#commits.idle();
    await this.#publishing;
    await this.tiles.flush().catch(() => undefined);
    const steps = [
      () => this.#leaveTail(),
      () => this.file.close(),
      () => this.history.close(),
      () => this.lock.release(),
    ];
    const errors: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw unavailable(errors[0]);
  }

  async #leaveTail(): Promise<void> {
    const { dir, origin, signer } = this.options;
    const path = join(dir, TAIL);
    if (this.#size > this.latest.checkpoint.size) {
      const note = signTail({ origin, size: this.#size, root: this.root() }, signer);
      await replaceFile(path, note);
    } else if (await hasFile(path)) await rm(path);
  }
}

/** Asked before removing: a disk that takes no writes refuses to remove even what is not there. */
const hasFile = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    (error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return false;
      throw error;
    },
  );

/** `Journal.open` by the name other processes know. */
export const openJournal = (options: JournalOptions): Promise<Journal> => Journal.open(options);
