/**
 * Offline verification of a log by anyone who holds its keys: every entry, tile, bundle and checkpoint, compared with each
 * other and with what others have seen. Takes no lock and writes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, equalBytes, isConcordatError } from '#libs/bytes';
import { type CompactRange, EMPTY_ROOT, leafHash, parseCheckpoint } from '#libs/tlog';
import { CHECKPOINT, ENTRIES, HISTORY, parseHistoryRecord, TAIL } from './layout.js';
import { isHeld } from './lock.js';
import { type ReadFile, readFromDirectory } from './log-source.js';
import { openForScan, scanRecords, type Tail } from './record-file.js';
import type { OpenedTail } from './tail-note.js';
import { type NextRecord, walkTree } from './tree-walk.js';
import {
  type Claim,
  type Fault,
  type SignedCheckpoint,
  Verification,
  type VerifyOptions,
} from './verification.js';

export interface VerifyReport {
  readonly ok: boolean;
  readonly origin: string;
  /** Of the checkpoint; 0n and the empty tree's root when there is none to trust. */
  readonly size: bigint;
  readonly root: Uint8Array;
  /** Earlier checkpoints found consistent. */
  readonly history: number;
  /**
   * Every signed checkpoint in order, then the writer's note over entries after the last, if there is one: where it stands, its size and the
   * key of the log that signed it, `name+c74f20a3`.
   */
  readonly signedBy: readonly {
    readonly at: string;
    readonly size: bigint;
    readonly key: string;
  }[];
  /** Cosignatures of the checkpoint, and the largest signed size with a quorum of them (undefined when there is none). */
  readonly cosigned: { readonly latest: number; readonly size: bigint | undefined };
  /**
   * Whole records after the checkpoint, which it does not sign yet, and how many of them the writer's own note covers, the first few; the
   * bytes of a torn one; whether a writer was at work on this machine, who signs the rest soon. A directory's only.
   */
  readonly unsigned: {
    readonly entries: number;
    readonly vouched: number;
    readonly tornBytes: number;
    readonly isWritten: boolean;
  };
  /** In order of discovery, at most 1,000. */
  readonly faults: readonly Fault[];
}

/** The record file of a directory, read along with the bundles. */
interface Records {
  readonly next: NextRecord;
  /** Judges what is left once the tree of `size` entries was walked, and hashes on. */
  end(
    size: bigint,
    range: CompactRange,
    note: OpenedTail | undefined,
  ): Promise<Omit<VerifyReport['unsigned'], 'isWritten'>>;
  close(): Promise<void>;
}

/** Sequential reader of the record file, for `walk`. */
async function recordsOf(dir: string, verification: Verification): Promise<Records> {
  const handle = await openForScan(join(dir, ENTRIES));
  const end = handle ? (await handle.stat()).size : 0;
  const scan = handle && scanRecords(handle, 0, end);
  let index = 0n;
  let tail: Tail | undefined = scan ? undefined : { wholeBytes: 0, tornBytes: 0, isDamaged: false };
  const next = async (): Promise<Uint8Array | undefined> => {
    if (!scan || tail) return undefined;
    const step = await scan.next();
    if (step.done) {
      tail = step.value;
      return undefined;
    }
    index += 1n;
    return step.value.payload;
  };
  return {
    next,
    async end(size, range, note) {
      const signed = index;
      let vouched = 0;
      const settle = (): void => {
        if (range.size !== note?.size || index < size) return;
        if (equalBytes(range.root(), note.root)) vouched = Number(note.size - size);
        else verification.fault(TAIL, 'tail-mismatch');
      };
      for (let record = await next(); record; record = await next()) {
        range.append(leafHash(record));
        settle();
      }
      if (note && index >= size && index < note.size)
        verification.fault(`entry ${index}`, 'record-missing');
      const { wholeBytes = 0, tornBytes = 0, isDamaged = false } = tail ?? {};
      const isCovered = index < size;
      if (isDamaged || (isCovered && tornBytes > 0)) {
        verification.fault(`${ENTRIES} byte ${wholeBytes}`, 'record-damaged');
      }
      if (isCovered) verification.fault(`entry ${index}`, 'record-missing');
      return { entries: isCovered ? 0 : Number(index - signed), vouched, tornBytes };
    },
    async close() {
      await handle?.close();
    },
  };
}

/** A writer at work puts a note into the history first and publishes it after: it is given this long. */
const PUBLISHED_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/** Where a note stands in the history, nothing verified. */
async function placeInHistory(dir: string, note: string): Promise<'last' | 'earlier' | 'none'> {
  const handle = await openForScan(join(dir, HISTORY));
  if (!handle) return 'none';
  let place: 'last' | 'earlier' | 'none' = 'none';
  try {
    for await (const { payload } of scanRecords(handle, 0, (await handle.stat()).size)) {
      const text = Buffer.from(payload).toString('utf8');
      if (text.slice(text.indexOf('\n') + 1) === note) place = 'last';
      else if (place === 'last') place = 'earlier';
    }
    return place;
  } finally {
    await handle.close();
  }
}

/** The published note once it is the last of the history, which it is at once unless a writer is just about to publish. */
async function settledNote(
  dir: string,
  read: () => Promise<Uint8Array | undefined>,
): Promise<{ readonly note: Uint8Array | undefined; readonly place: 'last' | 'earlier' | 'none' }> {
  for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
    const note = await read();
    const place = await placeInHistory(dir, Buffer.from(note ?? []).toString('utf8'));
    const isSettled = place === 'last' || !note || waitedMs >= PUBLISHED_WITHIN_MS;
    if (isSettled || !(await isHeld(dir))) return { note, place };
    await pause(LOOK_AGAIN_MS);
  }
}

/** Earlier checkpoints kept in the directory, as claims; the last must be the published one. */
async function historyOf(
  dir: string,
  verification: Verification,
): Promise<{
  claims: Claim[];
  latest: SignedCheckpoint | undefined;
  cosignedSize: bigint | undefined;
  signedBy: VerifyReport['signedBy'];
}> {
  const handle = await openForScan(join(dir, HISTORY));
  const claims: Claim[] = [];
  const signedBy: { at: string; size: bigint; key: string }[] = [];
  const quorum = Math.max(1, verification.options.quorum ?? 0);
  let previousSize = 0n;
  let cosignedSize: bigint | undefined;
  try {
    const scan = handle && scanRecords(handle, 0, (await handle.stat()).size);
    for (let number = 0; scan; number++) {
      const step = await scan.next();
      if (step.done) {
        if (step.value.tornBytes > 0) verification.fault(`history ${number}`, 'history-damaged');
        break;
      }
      const at = `history ${number}`;
      try {
        const opened = verification.open(at, parseHistoryRecord(number, step.value.payload));
        if (!opened) continue;
        const { size, root } = opened.checkpoint;
        if (size < previousSize) verification.fault(at, 'checkpoint-rolled-back');
        previousSize = size;
        if (opened.cosigners >= quorum) cosignedSize = size;
        signedBy.push({ at, size, key: opened.logKey });
        claims.push({ size, root, at, kind: 'root-mismatch' });
      } catch (error) {
        if (
          !isConcordatError(error, 'log-corrupt') &&
          !isConcordatError(error, 'malformed-encoding')
        )
          throw error;
        verification.fault(at, 'history-damaged');
      }
    }
  } finally {
    await handle?.close();
  }
  const { note, place } = await settledNote(dir, () => verification.read(CHECKPOINT));
  const latest = verification.openPublished(note);
  if (latest) {
    if (place === 'earlier' || claims.some(({ size }) => size > latest.checkpoint.size)) {
      verification.fault(CHECKPOINT, 'checkpoint-rolled-back');
    } else if (place === 'none') verification.fault(HISTORY, 'history-damaged');
  }
  if (latest) signedBy.push(bySigner(latest));
  return { claims, latest, cosignedSize, signedBy };
}

const bySigner = ({ checkpoint, logKey }: SignedCheckpoint): VerifyReport['signedBy'][number] => ({
  at: CHECKPOINT,
  size: checkpoint.size,
  key: logKey,
});

const NO_UNSIGNED = { entries: 0, vouched: 0, tornBytes: 0, isWritten: false };

const report = (
  verification: Verification,
  latest: SignedCheckpoint | undefined,
  history: number,
  signedBy: VerifyReport['signedBy'],
  cosignedSize: bigint | undefined,
  unsigned: VerifyReport['unsigned'],
): VerifyReport => ({
  ok: verification.faults.length === 0,
  origin: latest?.checkpoint.origin ?? '',
  size: latest?.checkpoint.size ?? 0n,
  root: latest?.checkpoint.root ?? EMPTY_ROOT,
  history,
  signedBy,
  cosigned: { latest: latest?.cosigners ?? 0, size: cosignedSize },
  unsigned,
  faults: verification.faults,
});

/**
 * Verifies the log in a directory: checkpoint, history, tiles, bundles and record file. Faults are returned, not thrown;
 * throws `malformed-verifier-key`, what `onEntry` throws, and errors of the disk.
 */
export async function verifyJournal(dir: string, options: VerifyOptions): Promise<VerifyReport> {
  const verification = new Verification(readFromDirectory(dir), options, dir);
  const wasHeld = await isHeld(dir);
  const { claims, latest, cosignedSize, signedBy } = await historyOf(dir, verification);
  if (!latest) return report(verification, undefined, 0, [], undefined, NO_UNSIGNED);
  if (claims.length === 0) verification.fault(HISTORY, 'history-damaged');
  const { quorum = 0, quorumOf = 'checkpoint' } = options;
  if (quorumOf === 'history' && quorum > 0 && latest.checkpoint.size > 0n && !cosignedSize) {
    verification.fault(HISTORY, 'checkpoint-quorum');
  }
  const records = await recordsOf(dir, verification);
  try {
    const { checkpoint } = latest;
    const tail = await verification.tail(checkpoint.origin);
    const isCovered = tail !== undefined && tail.size <= checkpoint.size;
    const range = await walkTree(
      verification,
      checkpoint,
      [
        ...claims,
        ...verification.known(checkpoint),
        ...(isCovered ? [{ ...tail, at: TAIL, kind: 'tail-mismatch' as const }] : []),
      ],
      records.next,
    );
    const note = isCovered ? undefined : tail;
    const left = await records.end(checkpoint.size, range, note);
    const unsigned = { ...left, isWritten: wasHeld || (await isHeld(dir)) };
    const keys = note ? [...signedBy, { at: TAIL, size: note.size, key: note.logKey }] : signedBy;
    return report(verification, latest, claims.length, keys, cosignedSize, unsigned);
  } finally {
    await records.close();
  }
}

/**
 * Verifies a log as it is published (C2SP tlog-tiles), through any reader of its files, such as HTTP GET below its prefix:
 * what `verifyJournal` does without history and record file.
 */
export async function verifyPublishedLog(
  read: ReadFile,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const verification = new Verification(read, options);
  const latest = verification.openPublished(await read(CHECKPOINT));
  if (!latest) return report(verification, undefined, 0, [], undefined, NO_UNSIGNED);
  await walkTree(verification, latest.checkpoint, verification.known(latest.checkpoint));
  const isCosigned = latest.cosigners >= Math.max(1, options.quorum ?? 0);
  const cosignedSize = isCosigned ? latest.checkpoint.size : undefined;
  return report(verification, latest, 0, [bySigner(latest)], cosignedSize, NO_UNSIGNED);
}

/**
 * The signed entries of a log in a directory, for whoever only reads, and with `unsigned` also the whole ones after the
 * checkpoint; verify it first. Throws `no-such-folder`, `log-corrupt`.
 */
export async function* readJournal(
  dir: string,
  options: { readonly unsigned?: boolean } = {},
): AsyncGenerator<{ index: bigint; bytes: Uint8Array }> {
  const read = readFromDirectory(dir);
  const note = await read(CHECKPOINT);
  if (!note && !existsSync(dir)) {
    throw new ConcordatError(
      'no-such-folder',
      'there is no log here; give the folder of one process',
    );
  }
  if (!note) throw new ConcordatError('log-corrupt', 'there is no checkpoint in this directory');
  const text = Buffer.from(note).toString('utf8');
  const { size } = parseCheckpoint(text.slice(0, text.lastIndexOf('\n\n') + 1));
  const handle = await openForScan(join(dir, ENTRIES));
  let index = 0n;
  try {
    if (handle) {
      for await (const { payload } of scanRecords(handle, 0, (await handle.stat()).size)) {
        if (index >= size && !options.unsigned) return;
        yield { index, bytes: Uint8Array.from(payload) };
        index += 1n;
      }
    }
  } finally {
    await handle?.close();
  }
  if (index < size)
    throw new ConcordatError('log-corrupt', 'the record file ends before the checkpoint');
}
