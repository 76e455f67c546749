import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import {
  cosign,
  EMPTY_ROOT,
  formatVerifierKey,
  type NoteSigner,
  openCheckpoint,
  openNote,
} from '#libs/tlog';
import { formatBatch } from './frame.js';
import {
  type Fault,
  openJournal,
  readJournal,
  type VerifyReport,
  verifyJournal,
  verifyPublishedLog,
} from './index.js';
import { openTail, signTail } from './tail-note.js';

const MUTATIONS = process.env.CONCORDAT_NIGHTLY === '1' ? 10_000 : 150;

const signerOf = (name: string, n: number): NoteSigner => {
  const seed = new Uint8Array(32).fill(n);
  return { name, publicKey: ed25519.getPublicKey(seed), sign: (m) => ed25519.sign(m, seed) };
};
const signer = signerOf('node.example/log', 1);
const witness = signerOf('auditor.example/witness', 2);
const witnessKey = formatVerifierKey(witness, 'cosignature/v1');
const verifierKeys = [formatVerifierKey(signer), witnessKey];

/** Numbers of a seeded xorshift generator, so that a failing mutation can be made again. */
const generator = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

/** Writes a log of `size` entries with a checkpoint after each of the sizes in `signed` and after the last. */
async function writeLog(
  dir: string,
  size: number,
  signed: readonly number[],
  salt = '',
): Promise<string[]> {
  const journal = await openJournal({ dir, origin: signer.name, signer, clock: () => 0 });
  const notes: string[] = [];
  let from = 0;
  for (const to of [...signed, size]) {
    const texts = Array.from(
      { length: to - from },
      (_, i) => `{"n":${from + i}${i === 7 ? salt : ''}}`,
    );
    await journal.appendAll(texts);
    notes.push(await journal.checkpoint());
    from = to;
  }
  await journal.close();
  return notes;
}

let root: string;
let clean: string;
let notes: string[];
let original: Map<string, Buffer>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'verify-'));
  clean = join(root, 'clean');
  notes = await writeLog(clean, 620, [0, 1, 120, 256, 257, 530, 600]);
  original = new Map();
  for (const name of await readdir(clean, { recursive: true })) {
    const path = join(clean, name);
    if (!name.startsWith('lock') && (await stat(path)).isFile())
      original.set(name, await readFile(path));
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

const kindsAt = ({ faults }: VerifyReport, kind: Fault['kind']) =>
  faults.filter((fault) => fault.kind === kind).map(({ at }) => at);
/** Verifies the clean log with some of its files replaced (or deleted: undefined), and puts them back. */
async function verifyWith(
  changes: Readonly<Record<string, Uint8Array | undefined>>,
  options = {},
): Promise<VerifyReport> {
  try {
    for (const [name, bytes] of Object.entries(changes)) {
      if (bytes) await writeFile(join(clean, name), bytes);
      else await rm(join(clean, name));
    }
    return await verifyJournal(clean, { verifierKeys, ...options });
  } finally {
    for (const name of Object.keys(changes)) {
      const bytes = original.get(name);
      if (bytes) await writeFile(join(clean, name), bytes);
      else await rm(join(clean, name), { force: true });
    }
  }
}
const bytesOf = (name: string): Buffer => Buffer.from(original.get(name) ?? []);
const flipped = (name: string, at: number, mask = 1): Buffer => {
  const bytes = bytesOf(name);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  return bytes;
};

describe('verifyJournal', () => {
  it('finds a clean log clean, and hands out its entries', async () => {
    const seen: bigint[] = [];
    const report = await verifyJournal(clean, {
      verifierKeys,
      origin: signer.name,
      known: notes,
      onEntry: (index, bytes) => {
        expect(Buffer.from(bytes).toString()).toBe(`{"n":${index}}`);
        seen.push(index);
      },
    });
    expect(report).toMatchObject({
      ok: true,
      origin: signer.name,
      size: 620n,
      history: 8,
      faults: [],
    });
    expect(report.unsigned).toEqual({
      entries: 0,
      vouched: 0,
      tornBytes: 0,
      isWritten: false,
    });
    expect(seen).toHaveLength(620);
    let read = 0n;
    for await (const { index } of readJournal(clean)) expect(index).toBe(read++);
    expect(read).toBe(620n);
  });

  it('finds the published files clean through a reader', async () => {
    const report = await verifyPublishedLog(async (path) => original.get(path), { verifierKeys });
    expect(report).toMatchObject({ ok: true, size: 620n, faults: [] });
    const changed = await verifyPublishedLog(
      async (path) => (path === 'tile/entries/001' ? flipped(path, 9) : original.get(path)),
      { verifierKeys },
    );
    expect(kindsAt(changed, 'entry-mismatch')).toEqual(['entry 256']);
  });

  it('names the entry a bit was changed in, in whichever copy', async () => {
    const bundle = await verifyWith({ 'tile/entries/000': flipped('tile/entries/000', 3) });
    expect(kindsAt(bundle, 'entry-mismatch')).toEqual(['entry 0']);
    expect(kindsAt(bundle, 'record-mismatch')).toEqual(['entry 0']);
    const tile = await verifyWith({ 'tile/0/001': flipped('tile/0/001', 32 * 100 + 5) });
    expect(tile.faults).toEqual([
      { at: 'tile/0/001', kind: 'tile-mismatch' },
      { at: 'entry 356', kind: 'entry-mismatch' },
    ]);
    const upper = await verifyWith({ 'tile/1/000.p/2': flipped('tile/1/000.p/2', 40) });
    expect(upper.faults).toEqual([{ at: 'tile/1/000.p/2', kind: 'tile-mismatch' }]);
    const record = await verifyWith({ 'entries.rec': flipped('entries.rec', 30) });
    expect(kindsAt(record, 'record-missing')).toEqual(['entry 2']);
    expect(kindsAt(record, 'record-damaged')).toHaveLength(1);
  });

  it('tells a missing file, an older checkpoint and a gap in the history', async () => {
    expect((await verifyWith({ checkpoint: undefined })).faults).toEqual([
      { at: 'checkpoint', kind: 'checkpoint-missing' },
    ]);
    const missing = await verifyWith({ 'tile/0/000': undefined, 'tile/entries/001': undefined });
    expect(kindsAt(missing, 'tile-missing')).toEqual(['tile/0/000']);
    expect(kindsAt(missing, 'bundle-missing')).toEqual(['tile/entries/001']);
    for (const note of notes.slice(0, -1)) {
      const older = await verifyWith({ checkpoint: Buffer.from(note) });
      expect(kindsAt(older, 'checkpoint-rolled-back')).toEqual(['checkpoint']);
    }
    const history = bytesOf('checkpoints.rec');
    const first = 8 + (history.readUInt32BE(0) & 0xffff);
    const gap = await verifyWith({ 'checkpoints.rec': history.subarray(first) });
    expect(kindsAt(gap, 'history-damaged')).toContain('history 0');
    const none = await verifyWith({ 'checkpoints.rec': undefined });
    expect(kindsAt(none, 'history-damaged')).toContain('checkpoints.rec');
  });

  it('accepts what is not signed yet, and says so', async () => {
    const dir = join(root, 'unsigned');
    await writeLog(dir, 300, []);
    const journal = await openJournal({ dir, origin: signer.name, signer, clock: () => 0 });
    await journal.appendAll(['a', 'b', 'c']);
    // another process is writing: nothing is wrong
    expect(await verifyJournal(dir, { verifierKeys })).toMatchObject({
      ok: true,
      unsigned: { entries: 3 },
    });
    await journal.close();
  });

  it('covers entries that the writer left unsigned by its own note, and finds any others', async () => {
    const dir = join(root, 'tail');
    await writeLog(dir, 300, []);
    const journal = await openJournal({ dir, origin: signer.name, signer, clock: () => 0 });
    await journal.appendAll(['a', 'b', 'c']);
    await journal.close();
    const verify = () => verifyJournal(dir, { verifierKeys });
    const left = { entries: 3, vouched: 3, tornBytes: 0, isWritten: false };
    expect(await verify()).toMatchObject({ ok: true, size: 300n, unsigned: left });
    expect((await verify()).signedBy.at(-1)).toMatchObject({ at: 'tail', size: 303n });
    const entries = join(dir, 'entries.rec');
    const tail = join(dir, 'tail');
    const [records, note] = [await readFile(entries), await readFile(tail)];

    // another record after them, whole
    await writeFile(entries, Buffer.concat([records, formatBatch([Buffer.from('d')])]));
    expect(await verify()).toMatchObject({ ok: true, unsigned: { entries: 4, vouched: 3 } });
    // one of them changed, whole
    const cut = records.length - formatBatch([Buffer.from('c')]).length;
    await writeFile(
      entries,
      Buffer.concat([records.subarray(0, cut), formatBatch([Buffer.from('x')])]),
    );
    const changed = await verify();
    expect(changed.faults).toEqual([{ at: 'tail', kind: 'tail-mismatch' }]);
    expect(changed.unsigned).toMatchObject({ entries: 3, vouched: 0 });
    // the last one gone, or cut
    for (const [to, tornBytes] of [
      [cut, 0],
      [records.length - 1, 8],
    ] as const) {
      await writeFile(entries, records.subarray(0, to));
      const shorter = await verify();
      expect(shorter.faults).toEqual([{ at: 'entry 302', kind: 'record-missing' }]);
      expect(shorter.unsigned).toMatchObject({ entries: 2, vouched: 0, tornBytes });
    }
    await writeFile(entries, records);

    for (const [bytes, kind] of [
      [Buffer.from(note).fill(0x41, 30, 31), 'tail-malformed'],
      [Buffer.from(notes.at(-1) ?? ''), 'tail-malformed'],
      [Buffer.alloc(0), 'tail-malformed'],
    ] as const) {
      await writeFile(tail, bytes);
      expect((await verify()).faults).toEqual([{ at: 'tail', kind }]);
    }
    await rm(tail);
    expect(await verify()).toMatchObject({ ok: true, unsigned: { entries: 3, vouched: 0 } });

    // a checkpoint over them needs no note; an old one may stay and must still be true
    await writeFile(tail, note);
    const again = await openJournal({ dir, origin: signer.name, signer, clock: () => 0 });
    await again.checkpoint();
    expect(await verify()).toMatchObject({ ok: true, size: 303n, unsigned: { isWritten: true } });
    await writeFile(tail, signTail({ origin: signer.name, size: 302n, root: EMPTY_ROOT }, signer));
    expect((await verify()).faults).toEqual([{ at: 'tail', kind: 'tail-mismatch' }]);
    await again.close();
    expect(await verify()).toMatchObject({ ok: true, unsigned: { entries: 0, isWritten: false } });
    await expect(readFile(tail)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is no checkpoint, and a checkpoint is none', () => {
    const note = signTail({ origin: signer.name, size: 2n, root: EMPTY_ROOT }, signer);
    const policy = { origin: signer.name, logKeys: verifierKeys };
    expect(() => openCheckpoint(note, policy)).toThrow(
      expect.objectContaining({ code: 'malformed-checkpoint' }),
    );
    expect(() => openTail(notes.at(-1) ?? '', verifierKeys)).toThrow(
      expect.objectContaining({ code: 'malformed-tail' }),
    );
  });

  it('demands quorum, origin and keys', async () => {
    const dir = join(root, 'cosigned');
    const note = (await writeLog(dir, 500, [120, 300])).at(-1) ?? '';
    const { text } = openNote(note, verifierKeys);
    const journal = await openJournal({ dir, origin: signer.name, signer, clock: () => 0 });
    await journal.addCosignatures(note, [cosign(text, witness, 5n)]);
    const verify = (quorum: number, quorumOf?: 'history') =>
      verifyJournal(dir, { verifierKeys, quorum, ...(quorumOf ? { quorumOf } : {}) });
    expect(await verify(1)).toMatchObject({ ok: true, cosigned: { latest: 1, size: 500n } });
    expect((await verify(2)).faults).toEqual([{ at: 'checkpoint', kind: 'checkpoint-quorum' }]);
    // a newer checkpoint that no witness has seen yet: the earlier quorum still stands in the history
    await journal.append('later');
    await journal.checkpoint();
    await journal.close();
    expect((await verify(1)).faults).toEqual([{ at: 'checkpoint', kind: 'checkpoint-quorum' }]);
    expect(await verify(1, 'history')).toMatchObject({
      ok: true,
      cosigned: { latest: 0, size: 500n },
    });
    expect(kindsAt(await verify(2, 'history'), 'checkpoint-quorum')).toEqual(['checkpoints.rec']);
    // a line that no key of ours vouches for is a change of the published note like any other
    const path = join(dir, 'checkpoint');
    await writeFile(path, `${await readFile(path, 'utf8')}\u2014 stranger AAAAAAA=\n`);
    expect(kindsAt(await verify(1, 'history'), 'history-damaged')).toEqual(['checkpoints.rec']);
    expect((await verifyWith({}, { origin: 'other' })).faults).toContainEqual({
      at: 'checkpoint',
      kind: 'checkpoint-origin',
    });
    const stranger = [formatVerifierKey(signerOf(signer.name, 9))];
    expect(
      kindsAt(await verifyWith({}, { verifierKeys: stranger }), 'checkpoint-signature'),
    ).toContain('checkpoint');
    await expect(verifyWith({}, { verifierKeys: ['x'] })).rejects.toMatchObject({
      code: 'malformed-verifier-key',
    });
    expect(
      kindsAt(await verifyWith({}, { verifierKeys: [witnessKey] }), 'checkpoint-signature'),
    ).toContain('checkpoint');
  });

  it('finds a whole log rolled back or signed anew, by what a witness has seen', async () => {
    const known = [notes.at(-1) ?? ''];
    const earlier = join(root, 'earlier');
    await writeLog(earlier, 500, [120]);
    expect((await verifyJournal(earlier, { verifierKeys, known })).faults).toEqual([
      { at: 'known 0', kind: 'known-ahead' },
    ]);
    const forked = join(root, 'forked');
    await writeLog(forked, 700, [120], ' ');
    // by itself it is a perfect log
    expect(await verifyJournal(forked, { verifierKeys })).toMatchObject({ ok: true });
    expect((await verifyJournal(forked, { verifierKeys, known })).faults).toEqual([
      { at: 'known 0', kind: 'known-mismatch' },
    ]);
    // the fork's files under the true history
    await cp(join(clean, 'checkpoints.rec'), join(forked, 'checkpoints.rec'));
    expect((await verifyJournal(forked, { verifierKeys })).ok).toBe(false);
  });

  it(`detects ${MUTATIONS} random changes, with no false alarm between them`, async () => {
    const pick = generator(20260711);
    // the narrower partial tiles of earlier checkpoints are compared, but not missed: see docs/protocol/log.md
    const needed = [...original.keys()].filter(
      (name) => !name.includes('.p/') || /\.p\/(108|2)$/.test(name),
    );
    const all = [...original.keys()];
    const frames: [number, number][] = [];
    const records = bytesOf('entries.rec');
    for (let at = 0; at < records.length; ) {
      const end = at + 8 + (records.readUInt32BE(at) & 0xffff);
      frames.push([at, end]);
      at = end;
    }
    const frame = (i: number) => records.subarray(...(frames[i] ?? [0, 0]));
    const mutations: (() => Record<string, Uint8Array | undefined>)[] = [
      () => {
        const name = all[pick(all.length)] ?? '';
        return { [name]: flipped(name, pick(bytesOf(name).length), 1 << pick(8)) };
      },
      () => ({ [needed[pick(needed.length)] ?? '']: undefined }),
      () => {
        const name = all[pick(all.length)] ?? '';
        return { [name]: bytesOf(name).subarray(0, pick(bytesOf(name).length)) };
      },
      () => {
        const [a, b] = [pick(frames.length), pick(frames.length)].sort((x, y) => x - y) as [
          number,
          number,
        ];
        const order = frames.map((_, i) => (i === a ? b : i === b ? a : i));
        if (a === b) order.splice(a, 1);
        return { 'entries.rec': Buffer.concat(order.map(frame)) };
      },
      () => {
        const row = bytesOf('tile/0/000');
        const [a, b] = [pick(256), pick(255)];
        const other = b >= a ? b + 1 : b;
        const [x, y] = [
          row.subarray(a * 32, a * 32 + 32),
          row.subarray(other * 32, other * 32 + 32),
        ].map((h) => Buffer.from(h));
        if (x && y) {
          row.set(y, a * 32);
          row.set(x, other * 32);
        }
        return { 'tile/0/000': row };
      },
      () => ({ checkpoint: Buffer.from(notes[pick(notes.length - 1)] ?? '') }),
    ];
    for (let i = 0; i < MUTATIONS; i++) {
      const changes = (
        mutations[i % mutations.length] as () => Record<string, Uint8Array | undefined>
      )();
      const { ok } = await verifyWith(changes);
      if (ok) throw new Error(`change ${i} of ${Object.keys(changes)} went unnoticed`);
      if (i % 100 === 0)
        expect(await verifyJournal(clean, { verifierKeys })).toMatchObject({ ok: true });
    }
  }, 3_600_000);
});
