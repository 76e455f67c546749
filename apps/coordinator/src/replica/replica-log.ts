/**
 * A verified copy of another process's log: the entry bundles and the checkpoint that covers them. Every new checkpoint must be signed by the log
 * and must be the root of the entries held before, carried on: a tree that was cut, rewritten or forked gives another root (RFC 9162,
 * section 2.1.4, by computing and not by proof, since every entry is held).
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, equalBytes } from '#libs/bytes';
import { replaceFile, verifyEd25519ByNode } from '#libs/host';
import {
  CompactRange,
  decodeEntry,
  type Entry,
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from '#libs/tlog';

const CHECKPOINT = 'checkpoint';

/** Reads a file below a log's prefix; undefined when there is none. */
type Read = (path: string) => Promise<Uint8Array | undefined>;

/** Who signs the log: read anew for every checkpoint, since keys change. */
export interface LogIdentity {
  readonly origin: () => string;
  readonly logKeys: () => readonly string[];
}

const forked = (code: 'log-behind' | 'log-forked', why: string): ConcordatError =>
  new ConcordatError(code, why);

export class ReplicaLog {
  private range = new CompactRange();
  private note: Uint8Array | undefined;

  private constructor(
    private readonly dir: string,
    private readonly identity: LogIdentity,
  ) {}

  /** Opens the copy in `dir`, verifying all of it, and hands its entries to `take` in order. Throws `replica-corrupt`. */
  static async open(
    dir: string,
    identity: LogIdentity,
    take: (entry: Entry) => Promise<void>,
  ): Promise<ReplicaLog> {
    const log = new ReplicaLog(dir, identity);
    const read: Read = (path) => readFile(join(dir, path)).catch(() => undefined);
    const note = await read(CHECKPOINT);
    if (!note) return log;
    try {
      const { entries, range } = await log.follow(note, read);
      for (const entry of entries) await take(entry);
      log.range = range;
      log.note = note;
    } catch (cause) {
      throw new ConcordatError(
        'replica-corrupt',
        `the copy in ${dir} does not verify; delete the folder of the replica and make it anew`,
        { cause },
      );
    }
    return log;
  }

  get size(): bigint {
    return this.range.size;
  }

  /**
   * Takes what the log has more, once it verifies; `prepare` is given the new entries and makes durable whatever they name, before they count.
   * Returns the new entries. Throws `log-behind`, `log-forked`, what `openCheckpoint` and `read` throw, and then nothing was taken.
   */
  async catchUp(
    read: Read,
    prepare: (entries: readonly Entry[]) => Promise<void>,
  ): Promise<readonly Entry[]> {
    const note = await read(CHECKPOINT);
    if (!note || (this.note && equalBytes(note, this.note))) return [];
    const bundles = new Map<string, Uint8Array>();
    const { entries, range } = await this.follow(note, async (path) => {
      const bytes = await read(path);
      if (bytes) bundles.set(path, bytes);
      return bytes;
    });
    await prepare(entries);
    for (const [path, bytes] of bundles) await replaceFile(join(this.dir, path), bytes);
    await replaceFile(join(this.dir, CHECKPOINT), note);
    this.range = range;
    this.note = note;
    return entries;
  }

  /** The entries that `note` has more than this copy, and the range that covers them. Changes nothing. */
  private async follow(
    note: Uint8Array,
    read: Read,
  ): Promise<{ readonly entries: Entry[]; readonly range: CompactRange }> {
    const { checkpoint } = openCheckpoint(note, {
      origin: this.identity.origin(),
      logKeys: this.identity.logKeys(),
      verify: verifyEd25519ByNode,
    });
    const { size, root } = checkpoint;
    const from = this.range.size;
    if (size < from)
      throw forked('log-behind', 'the coordinator shows an earlier state of its log than before');
    const range = CompactRange.restore(from, this.range.nodes);
    const entries: Entry[] = [];
    const width = BigInt(TILE_WIDTH);
    for (let index = from / width; range.size < size; index++) {
      const path = tilePath('entries', index, tileWidth('entries', index, size));
      const bytes = await read(path);
      if (!bytes) throw new ConcordatError('unreachable', 'a part of the log is not published yet');
      const skip = Number(range.size - index * width);
      for (const entry of parseEntryBundle(bytes).slice(skip)) {
        range.append(leafHash(entry));
        entries.push(decodeEntry(entry));
      }
    }
    if (!equalBytes(range.root(), root))
      throw forked('log-forked', 'the coordinator shows another log than the one followed so far');
    return { entries, range };
  }
}
