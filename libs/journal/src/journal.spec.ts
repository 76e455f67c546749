import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { utf8ToBytes } from '#libs/bytes';
import {
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  verifyConsistency,
  verifyInclusion,
} from '#libs/tlog';
import { openJournal, verifyJournal } from './index.js';
import {
  entryList,
  entryOf,
  logKeys,
  newDir,
  options,
  origin,
  rootOf,
  signerOf,
} from './sample-log.fixture-spec.js';

const readAll = async (
  journal: Awaited<ReturnType<typeof openJournal>>,
  from?: bigint,
  to?: bigint,
) => {
  const texts: string[] = [];
  for await (const { bytes } of journal.entries(from, to))
    texts.push(Buffer.from(bytes).toString());
  return texts;
};

describe('a journal', () => {
  it('is founded with a signed checkpoint of the empty tree', async () => {
    const dir = await newDir();
    const journal = await openJournal(options(join(dir, 'a', 'b')));
    expect(journal.recovered).toEqual({ tornBytes: 0, restoredEntries: 0, unsignedEntries: 0 });
    const note = await readFile(join(dir, 'a', 'b', 'checkpoint'), 'utf8');
    expect(openCheckpoint(note, { origin, logKeys }).checkpoint).toEqual({
      origin,
      size: 0n,
      root: rootOf(0),
    });
    await journal.close();
  });

  it('gives indexes in order of the calls, and every entry, root and proof back', async () => {
    const dir = await newDir();
    const journal = await openJournal(options(dir));
    const indexes = await Promise.all(entryList(700).map((entry) => journal.append(entry)));
    expect(indexes).toEqual(indexes.map((_, i) => BigInt(i)));
    expect(await journal.appendAll(entryList(500, 700))).toBe(700n);
    expect(await journal.appendAll([])).toBe(1200n);
    expect(journal.root()).toEqual(rootOf(1200));
    const note = await journal.checkpoint();
    expect(await journal.checkpoint()).toBe(note);
    expect(await readFile(join(dir, 'checkpoint'), 'utf8')).toBe(note);
    const { checkpoint } = openCheckpoint(note, { origin, logKeys });
    expect(checkpoint.size).toBe(1200n);
    for (const [index, size] of [
      [0n, 1200n],
      [255n, 256n],
      [256n, 900n],
      [1199n, 1200n],
      [3n, 5n],
    ] as const) {
      const proof = await journal.inclusionProof(index, size);
      const root = rootOf(Number(size));
      const leaf = leafHash(utf8ToBytes(entryOf(Number(index))));
      expect(
        verifyInclusion({ leafIndex: index, treeSize: size, leafHash: leaf, proof, root }),
      ).toBe(true);
    }
    for (const [size1, size2] of [
      [0n, 7n],
      [1n, 1200n],
      [700n, 1200n],
      [256n, 512n],
    ] as const) {
      const claim = { size1, size2, root1: rootOf(Number(size1)), root2: rootOf(Number(size2)) };
      expect(
        verifyConsistency({ ...claim, proof: await journal.consistencyProof(size1, size2) }),
      ).toBe(true);
    }
    await expect(journal.inclusionProof(0n, 1201n)).rejects.toMatchObject({ code: 'out-of-range' });
    expect(await readAll(journal)).toEqual(entryList(1200));
    expect(await readAll(journal, 300n, 520n)).toEqual(entryList(220, 300));
    expect(await readAll(journal, 1199n, 5000n)).toEqual(entryList(1, 1199));
    expect(await readAll(journal, 1200n)).toEqual([]);
    await journal.close();
    await expect(journal.append('x')).rejects.toMatchObject({ code: 'log-closed' });
    await expect(journal.checkpoint()).rejects.toMatchObject({ code: 'log-closed' });
  });

  it('serves a call made at any moment of another one being answered', async () => {
    const journal = await openJournal(options(await newDir()));
    for (let ticks = 0; ticks < 12; ticks++) {
      const first = journal.append('x');
      const second = first.then(async () => {
        for (let i = 0; i < ticks; i++) await undefined;
        return journal.append('y');
      });
      expect(await second).toBe(BigInt(2 * ticks + 1));
    }
    await journal.close();
  });

  it('signs while entries come in', async () => {
    const dir = await newDir();
    const journal = await openJournal(options(dir));
    const notes: Promise<string>[] = [];
    const appends: Promise<bigint>[] = [];
    for (let i = 0; i < 1100; i++) {
      appends.push(journal.append(entryOf(i)));
      if (i % 9 === 0) await appends.at(-1);
      if (i % 20 === 0) notes.push(journal.checkpoint());
    }
    await Promise.all(appends);
    for (const note of await Promise.all(notes)) {
      const { size, root } = openCheckpoint(note, { origin, logKeys }).checkpoint;
      expect(root).toEqual(rootOf(Number(size)));
    }
    await journal.checkpoint();
    await journal.close();
    expect(await verifyJournal(dir, { verifierKeys: logKeys })).toMatchObject({
      ok: true,
      size: 1100n,
    });
  });

  it('lays tiles and bundles out as tlog-tiles says', async () => {
    const dir = await newDir();
    const journal = await openJournal(options(dir));
    await journal.appendAll(entryList(300));
    await journal.checkpoint();
    await journal.close();
    const width = async (path: string) => (await stat(join(dir, path))).size / 32;
    expect(await width('tile/0/000')).toBe(256);
    expect(await width('tile/0/001.p/44')).toBe(44);
    expect(await width('tile/1/000.p/1')).toBe(1);
    const bundle = parseEntryBundle(await readFile(join(dir, 'tile/entries/001.p/44')));
    expect(bundle.map((entry) => Buffer.from(entry).toString())).toEqual(entryList(44, 256));
  });

  it('goes on where it stopped, and keeps whole entries after the last checkpoint', async () => {
    const dir = await newDir();
    for (let round = 0; round < 5; round++) {
      const journal = await openJournal(options(dir));
      expect(journal.size).toBe(BigInt(round * 130));
      expect(journal.root()).toEqual(rootOf(round * 130));
      expect(journal.recovered.unsignedEntries).toBe(round > 0 ? 30 : 0);
      await journal.appendAll(entryList(100, round * 130));
      await journal.checkpoint();
      await journal.appendAll(entryList(30, round * 130 + 100));
      await journal.close();
    }
  });

  it('builds missing tiles again', async () => {
    const dir = await newDir();
    const first = await openJournal(options(dir));
    await first.appendAll(entryList(600));
    await first.checkpoint();
    await first.close();
    const before = await readFile(join(dir, 'tile/0/001'));
    await rm(join(dir, 'tile'), { recursive: true });
    await (await openJournal(options(dir))).close();
    expect(await readFile(join(dir, 'tile/0/001'))).toEqual(before);
    expect((await stat(join(dir, 'tile/entries/002.p/88'))).isFile()).toBe(true);
  });

  it('refuses entries it cannot hold', async () => {
    const journal = await openJournal(options(await newDir()));
    const code = { code: 'entry-size' };
    await expect(journal.append('')).rejects.toMatchObject(code);
    await expect(journal.append(new Uint8Array(60 * 1024 + 1))).rejects.toMatchObject(code);
    expect(await journal.append(new Uint8Array(60 * 1024))).toBe(0n);
    expect(journal.size).toBe(1n);
    await journal.close();
  });

  it('keeps the bytes it was given when the caller changes them', async () => {
    const journal = await openJournal(options(await newDir()));
    const bytes = utf8ToBytes('before');
    const appended = journal.append(bytes);
    bytes.fill(0);
    await appended;
    expect(await readAll(journal)).toEqual(['before']);
    await journal.close();
  });

  it('has one writer', async () => {
    const dir = await newDir();
    const journal = await openJournal(options(dir));
    await expect(openJournal(options(dir))).rejects.toMatchObject({ code: 'log-locked' });
    await journal.close();
    const racers = await Promise.allSettled(
      Array.from({ length: 8 }, () => openJournal(options(dir))),
    );
    const winners = racers.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
    expect(winners).toHaveLength(1);
    for (const winner of winners) await winner.close();
    await (await openJournal(options(dir))).close();
  });

  it.each([
    ['a process that is gone', { pid: 2 ** 22 + 1, startTime: '' }],
    ['an earlier boot', { pid: process.pid, bootId: 'another', startTime: '1' }],
    ['a process id used again', { pid: process.pid, startTime: '1' }],
  ])('takes over the lock of %s', async (_, holder) => {
    const dir = await newDir();
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const text = JSON.stringify({ bootId, since: '2026-01-01T00:00:00Z', ...holder });
    await writeFile(join(dir, 'lock.41'), text);
    const journal = await openJournal(options(dir));
    await journal.append('x');
    await journal.close();
  });

  it('adds cosignatures to the checkpoint it published, and to no other', async () => {
    const dir = await newDir();
    const journal = await openJournal(options(dir));
    await journal.append('x');
    const note = await journal.checkpoint();
    const line = `— witness.example ${Buffer.alloc(76, 1).toString('base64')}\n`;
    const cosigned = await journal.addCosignatures(note, [line]);
    expect(cosigned).toBe(note + line);
    expect(await journal.addCosignatures(note, [line])).toBe(cosigned);
    expect(await journal.checkpoint()).toBe(cosigned);
    await journal.append('y');
    await journal.checkpoint();
    await expect(journal.addCosignatures(note, [line])).rejects.toMatchObject({
      code: 'stale-checkpoint',
    });
    await journal.close();
  });

  it('refuses to go on behind or beside what a witness has seen', async () => {
    const journal = await openJournal(options(await newDir()));
    await journal.appendAll(entryList(10));
    await journal.assertContains({ size: 10n, root: rootOf(10) });
    await journal.assertContains({ size: 4n, root: rootOf(4) });
    await expect(journal.assertContains({ size: 11n, root: rootOf(11) })).rejects.toMatchObject({
      code: 'log-behind',
    });
    await expect(journal.assertContains({ size: 4n, root: rootOf(5) })).rejects.toMatchObject({
      code: 'log-forked',
    });
    await journal.close();
  });

  it('refuses another origin, another key, and accepts a former one', async () => {
    const dir = await newDir();
    await (await openJournal(options(dir))).close();
    const next = signerOf(origin, 2);
    await expect(openJournal(options(dir, { origin: 'other' }))).rejects.toMatchObject({
      code: 'wrong-origin',
    });
    await expect(openJournal(options(dir, { signer: next }))).rejects.toMatchObject({
      code: 'unknown-signer',
    });
    const rotated = await openJournal(options(dir, { signer: next, formerKeys: logKeys }));
    await rotated.append('x');
    await rotated.checkpoint();
    await rotated.close();
  });
});
