/** The log of a node that was killed, cut at every byte of its last records: what a start makes of it, as docs/protocol/log.md says. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { equalBytes } from '#libs/bytes';
import { openJournal } from '#libs/journal';
import { loadSigningKey, noteSigner } from '#libs/keystore';
import { checkEntryOrder } from '#libs/ledger';
import { logOrigin } from '#libs/protocol';
import { decodeEntry, type Entry } from '#libs/tlog';
import { nodePaths } from './config.js';
import { AGENCY, makeSmallNode, type Question, type SmallNode } from './small-node.fixture-spec.js';
import {
  type NodeProcess,
  type Sent,
  startNode,
  startTaskSource,
  type TaskSource,
} from './task-source.fixture-spec.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
/** Cuts between the bytes next to a record's edges, which are always tried: every byte at night. */
const STRIDE = NIGHTLY ? 1 : 29;
/** Cuts over which the node itself is started, half of them below the signed checkpoint. */
const STARTS = NIGHTLY ? 12 : 4;
const LAST_RECORDS = 40;
const ANSWERED = 14;
/** Kills until one comes before the checkpoint over a spend and its release. */
const MOST_KILLS = 20;
const HEADER_BYTES = 8;

/** Copies are made in memory where that is possible: it is not the disk that is tried here. */
const COPIES = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let small: SmallNode;
let source: TaskSource;
let running: NodeProcess | undefined;
/** What the node wrote before it was killed. */
let whole: { bytes: Uint8Array; end: number; entry: Entry }[];
/** Entries under the last checkpoint it signed. */
let signed: number;
/** What left the machine before the kill. */
let sentBefore: Sent[];
let copies: string;

const questions: Question[] = Array.from({ length: ANSWERED }, (_, i) => ({ rho: `1/${i + 8}` }));
/** Reserved and released, and not sent: the kill comes before its checkpoint. */
const unsent = (attempt: number): Question => ({ rho: `1/${attempt + 100}` });

const logOf = (dir: string): string => nodePaths(dir).log;
const recordsOf = (dir: string): string => join(logOf(dir), 'entries.rec');

/** The whole frames of a record file: four bytes of length and a flag, four of checksum, the payload. The kill may have torn the last. */
function framesOf(path: string): { bytes: Uint8Array; end: number }[] {
  const file = readFileSync(path);
  const frames: { bytes: Uint8Array; end: number }[] = [];
  for (let at = 0; at + HEADER_BYTES <= file.length; ) {
    const end = at + HEADER_BYTES + (file.readUInt32BE(at) & 0x7fffffff);
    if (end > file.length) break;
    frames.push({ bytes: Uint8Array.from(file.subarray(at + HEADER_BYTES, end)), end });
    at = end;
  }
  return frames;
}

const entriesOf = (dir: string): typeof whole =>
  framesOf(recordsOf(dir)).map((frame) => ({ ...frame, entry: decodeEntry(frame.bytes) }));

/** Of the last checkpoint in the history, which is written before the file `checkpoint` is: a number, the origin, the size, .. */
const signedSize = (dir: string): number =>
  Number(
    Buffer.from(framesOf(join(logOf(dir), 'checkpoints.rec')).at(-1)?.bytes ?? [])
      .toString()
      .split('\n')[2],
  );

const contributions = (sent: readonly Sent[]): Sent[] =>
  sent.filter(({ kind }) => kind === 'contribution');

async function stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  running?.child.kill(signal);
  await running?.ended;
  running = undefined;
}

beforeAll(async () => {
  copies = mkdtempSync(join(COPIES, 'concordat-torn-'));
  source = await startTaskSource();
  small = await makeSmallNode({
    rhoPerYear: '1000',
    queriesPerDay: 10_000,
    coordinatorUrl: source.url,
  });
  source.key = small.coordinator;
  const queue = questions.map((question) => small.task(question));
  source.offer = () => queue.splice(0);
  running = startNode(small.dir);
  await running.ready;
  while (contributions(source.sent).length < ANSWERED) await pause(20);

  // killed while a release is durable and its checkpoint is not: an answer waits for the end of its quantum before it is signed
  const releases = () =>
    readFileSync(recordsOf(small.dir), 'latin1').split('"kind":"release.made"').length - 1;
  for (let attempt = 0; ; attempt++) {
    const known = releases();
    queue.push(small.task(unsent(attempt)));
    while (releases() === known) await pause(1);
    await stop('SIGKILL');
    whole = entriesOf(small.dir);
    signed = signedSize(small.dir);
    const unsigned = new Set(whole.slice(signed).map(({ entry }) => entry.kind));
    if (unsigned.has('budget.reserved') && unsigned.has('release.made')) break;
    // a checkpoint came between them, or before the kill, on a busy machine: once more, with another question
    if (attempt === MOST_KILLS - 1) throw new Error(`${MOST_KILLS} kills came after a checkpoint`);
    questions.push(unsent(attempt));
    running = startNode(small.dir);
    await running.ready;
  }
  sentBefore = [...source.sent];
});

afterAll(async () => {
  await stop('SIGKILL');
  await source?.close();
  small?.remove();
  rmSync(copies, { recursive: true, force: true });
});

const fingerprintsOf = (kind: 'budget.reserved' | 'release.made', entries: readonly Entry[]) =>
  entries.flatMap((entry) => (entry.kind === kind ? [entry.fingerprint] : []));

/** Every cut of the last records that is tried, in bytes from the beginning of the file. */
function cuts(): number[] {
  const first = whole.at(-LAST_RECORDS - 1)?.end ?? 0;
  const last = whole.at(-1)?.end ?? 0;
  const edges = new Set(
    whole.flatMap(({ end }) => [end - 1, end, end + 1, end + HEADER_BYTES, end + HEADER_BYTES + 1]),
  );
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
    (at) => (at - first) % STRIDE === 0 || edges.has(at),
  );
}

const wholeAt = (cut: number): number => whole.filter(({ end }) => end <= cut).length;

/** The recovery that a node's start runs, with the node's own key. */
function openCopy(dir: string) {
  const origin = logOrigin('small', AGENCY);
  const signer = noteSigner(origin, loadSigningKey(nodePaths(small.dir).signingKey));
  return openJournal({ dir, origin, signer });
}

it('has records on both sides of the signed checkpoint, a spend and a release among the unsigned', () => {
  expect(whole.length).toBeGreaterThan(LAST_RECORDS);
  expect(signed).toBeGreaterThan(whole.length - LAST_RECORDS);
  const unsigned = whole.slice(signed).map(({ entry }) => entry);
  expect(fingerprintsOf('budget.reserved', unsigned)).toHaveLength(1);
  // nothing leaves a machine before a checkpoint is over it
  const answered = new Set(contributions(sentBefore).map(({ fingerprint }) => fingerprint));
  const under = whole.slice(0, signed).map(({ entry }) => entry);
  expect(fingerprintsOf('release.made', under)).toEqual(expect.arrayContaining([...answered]));
  for (const fingerprint of fingerprintsOf('release.made', unsigned))
    expect(answered).not.toContain(fingerprint);
});

it(`loses nothing that was whole or signed, cut at ${STRIDE === 1 ? 'every byte' : 'bytes'} of the last ${LAST_RECORDS} records`, async () => {
  const copy = join(copies, 'log');
  const faults: string[] = [];
  const ordered = new Map<number, number>();
  let belowSigned = 0;
  const tried = cuts();
  for (const cut of tried) {
    cpSync(logOf(small.dir), copy, { recursive: true });
    truncateSync(join(copy, 'entries.rec'), cut);
    const journal = await openCopy(copy).catch((error: unknown) => String(error));
    if (typeof journal === 'string') {
      faults.push(`byte ${cut}: unrecoverable: ${journal}`);
    } else {
      const kept: Uint8Array[] = [];
      for await (const { bytes } of journal.entries()) kept.push(bytes);
      const { recovered } = journal;
      await journal.close();
      const count = wholeAt(cut);
      if (count < signed) belowSigned += 1;
      // below the checkpoint the bundles give back whatever it signed; above it every whole record stays, and no other
      const should = whole.slice(0, Math.max(count, signed));
      const told = {
        tornBytes: cut - (whole[count - 1]?.end ?? 0),
        restoredEntries: Math.max(0, signed - count),
        unsignedEntries: Math.max(0, count - signed),
      };
      if (JSON.stringify(recovered) !== JSON.stringify(told))
        faults.push(`byte ${cut}: told ${JSON.stringify(recovered)}`);
      if (
        kept.length !== should.length ||
        should.some(({ bytes }, i) => !equalBytes(bytes, kept[i] as Uint8Array))
      )
        faults.push(`byte ${cut}: ${kept.length} entries instead of ${should.length}, or others`);
      // the bytes are those of a prefix, whose fold is the same each time
      if (!ordered.has(kept.length)) {
        const report = checkEntryOrder(kept.map(decodeEntry));
        ordered.set(kept.length, report.faults.length);
        const spends = fingerprintsOf(
          'budget.reserved',
          whole.slice(0, count).map(({ entry }) => entry),
        );
        const folded = new Set(
          [...report.ledger.reservations.values()].map(({ entry }) => entry.fingerprint),
        );
        if (spends.some((spend) => !folded.has(spend))) faults.push(`byte ${cut}: a spend is lost`);
      }
    }
    rmSync(copy, { recursive: true });
  }
  expect(faults).toEqual([]);
  expect([...ordered.values()].every((count) => count === 0)).toBe(true);
  expect(belowSigned).toBeGreaterThan(0);
  expect(belowSigned).toBeLessThan(tried.length);
  process.stderr.write(
    `${tried.length} cuts, ${belowSigned} below the checkpoint of ${signed} of ${whole.length} entries, 0 faults\n`,
  );
}, 1_800_000);

it('refuses a log cut below its checkpoint when the bundles are gone too', async () => {
  const copy = join(copies, 'bare');
  for (let count = whole.length - LAST_RECORDS; count <= signed; count++) {
    cpSync(logOf(small.dir), copy, { recursive: true });
    rmSync(join(copy, 'tile'), { recursive: true });
    truncateSync(join(copy, 'entries.rec'), whole[count - 1]?.end);
    if (count < signed) {
      await expect(openCopy(copy)).rejects.toMatchObject({ code: 'log-corrupt' });
    } else {
      // what the checkpoint signed is all there: tiles and bundles are written again
      const journal = await openCopy(copy);
      expect(Number(journal.size)).toBe(signed);
      await journal.close();
    }
    rmSync(copy, { recursive: true });
  }
});

it(`answers as before and pays once when the node starts on ${STARTS} of those logs`, async () => {
  const edge = whole[signed - 1]?.end ?? 0;
  const below = cuts().filter((cut) => cut < edge);
  const above = cuts().filter((cut) => cut >= edge);
  const spread = (from: readonly number[], count: number): number[] =>
    Array.from(
      { length: count },
      (_, i) => from[Math.floor(((i + 0.5) * from.length) / count)] as number,
    );
  for (const cut of [...spread(below, STARTS / 2), ...spread(above, STARTS / 2)]) {
    // not in memory: a node keeps its database beside the log
    const dir = mkdtempSync(join(tmpdir(), 'concordat-torn-'));
    cpSync(small.dir, dir, { recursive: true });
    truncateSync(recordsOf(dir), cut);
    const asked = [
      questions[0],
      ...questions.slice(ANSWERED - 1),
      unsent(questions.length - ANSWERED),
    ].map((question) => small.task(question));
    const queue = [...asked];
    source.offer = () => queue.splice(0);
    const from = source.sent.length;
    running = startNode(dir);
    await running.ready;
    const rounds = new Set(asked.map(({ payload }) => payload.round));
    const settled = () => source.sent.slice(from).filter(({ round }) => rounds.has(round));
    while (settled().length < asked.length) await pause(20);
    await stop('SIGTERM');

    const answers = new Map<string, Set<string>>();
    for (const { kind, fingerprint = '', says = '' } of [
      ...sentBefore,
      ...source.sent.slice(from),
    ]) {
      expect(kind).toBe('contribution');
      answers.set(fingerprint, (answers.get(fingerprint) ?? new Set()).add(says));
    }
    expect([...answers.values()].filter(({ size }) => size !== 1)).toEqual([]);

    const after = entriesOf(dir);
    const kept = Math.max(wholeAt(cut), signed);
    expect(after.slice(0, kept).map(({ bytes }) => bytes)).toEqual(
      whole.slice(0, kept).map(({ bytes }) => bytes),
    );
    const entries = after.map(({ entry }) => entry);
    expect(checkEntryOrder(entries).faults).toEqual([]);
    const spends = fingerprintsOf('budget.reserved', entries);
    expect(spends).toHaveLength(new Set(spends).size);
    expect(new Set(spends)).toEqual(new Set(answers.keys()));
    // the torn tail is noted in the log itself
    const torn = cut - (whole[wholeAt(cut) - 1]?.end ?? 0);
    expect(entries[kept]).toMatchObject({
      kind: 'started',
      ...(torn > 0 && { truncatedBytes: torn }),
    });
    expect(statSync(recordsOf(dir)).size).toBe(after.at(-1)?.end);
    rmSync(dir, { recursive: true });
  }
}, 900_000);
