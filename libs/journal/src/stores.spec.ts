import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256Hex, utf8ToBytes } from '#libs/bytes';
import {
  type Checkpoint,
  consistencyProof,
  formatVerifierKey,
  formatWitnessRequest,
  leafHash,
  type NoteSigner,
  signCheckpoint,
  treeRoot,
} from '#libs/tlog';
import { openBlobs, openWitness } from './index.js';

const signerOf = (name: string, n: number): NoteSigner => {
  const seed = new Uint8Array(32).fill(n);
  return { name, publicKey: ed25519.getPublicKey(seed), sign: (m) => ed25519.sign(m, seed) };
};

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stores-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('blobs', () => {
  it('are kept by their hash, written once', async () => {
    const blobs = await openBlobs({ dir });
    const bytes = utf8ToBytes('a release');
    const hash = await blobs.put(bytes);
    expect(hash).toBe(sha256Hex(bytes));
    const { mtimeMs, ino } = await stat(blobs.path(hash));
    expect(await blobs.put(bytes)).toBe(hash);
    expect(await stat(blobs.path(hash))).toMatchObject({ mtimeMs, ino });
    expect(await blobs.has(hash)).toBe(true);
    expect(Buffer.from(await blobs.get(hash)).toString()).toBe('a release');
    expect(await blobs.put(new Uint8Array())).toBe(sha256Hex());
    expect((await Promise.all([1, 2, 3].map(() => blobs.put(Uint8Array.of(9))))).length).toBe(3);
    expect(
      (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.tmp')),
    ).toEqual([]);
  });

  it('are hashed again when read, and healed when stored again', async () => {
    const blobs = await openBlobs({ dir });
    const hash = await blobs.put(utf8ToBytes('a release'));
    await writeFile(blobs.path(hash), 'a changed release');
    await expect(blobs.get(hash)).rejects.toMatchObject({ code: 'blob-corrupt' });
    await blobs.put(utf8ToBytes('a release'));
    expect(await blobs.get(hash)).toHaveLength(9);
    await expect(blobs.get('0'.repeat(64))).rejects.toMatchObject({ code: 'blob-missing' });
    expect(await blobs.has('0'.repeat(64))).toBe(false);
    for (const name of ['', '../../etc/passwd', 'A'.repeat(64), '0'.repeat(63)]) {
      expect(() => blobs.path(name)).toThrow(expect.objectContaining({ code: 'malformed-hash' }));
    }
  });

  it('are refused whole when the disk refuses', async () => {
    const blobs = await openBlobs({ dir });
    const hash = sha256Hex(Uint8Array.of(1));
    // a file where the directory should be: refused for root too
    await writeFile(join(dir, hash.slice(0, 2)), '');
    await expect(blobs.put(Uint8Array.of(1))).rejects.toMatchObject({ code: 'blob-unavailable' });
    await rm(join(dir, hash.slice(0, 2)));
    expect(await blobs.put(Uint8Array.of(1))).toBe(hash);
  });
});

describe('a witness', () => {
  const log = signerOf('node.example/log', 1);
  const signer = signerOf('auditor.example/witness', 2);
  const leaves = Array.from({ length: 40 }, (_, i) => leafHash(Uint8Array.of(i)));
  const head = (size: number, from = 0): Checkpoint => ({
    origin: log.name,
    size: BigInt(size),
    root: treeRoot(leaves.slice(from, from + size)),
  });
  const request = async (oldSize: number, checkpoint: Checkpoint) =>
    formatWitnessRequest({
      oldSize: BigInt(oldSize),
      proof: await consistencyProof(BigInt(oldSize), checkpoint.size, (level, index) => {
        const start = Number(index) << level;
        return treeRoot(leaves.slice(start, start + (1 << level)));
      }),
      checkpoint: signCheckpoint(checkpoint, log),
    });
  const open = () =>
    openWitness({
      dir,
      logKeys: new Map([[log.name, [formatVerifierKey(log)]]]),
      signer,
      clock: () => 1_700_000_000_999,
    });

  it('remembers across restarts and never goes back', async () => {
    let witness = await open();
    expect(await witness.addCheckpoint(await request(0, head(9)))).toMatchObject({ status: 200 });
    await expect(open()).rejects.toMatchObject({ code: 'log-locked' });
    await witness.close();
    witness = await open();
    expect(witness.latest(log.name)).toEqual(head(9));
    expect(await witness.addCheckpoint(await request(0, head(5)))).toMatchObject({
      status: 409,
      size: 9n,
    });
    expect(await witness.addCheckpoint(await request(9, head(20)))).toMatchObject({ status: 200 });
    expect(witness.latest(log.name)?.size).toBe(20n);
    await witness.close();
  });

  it('lets one of several requests from one size through', async () => {
    const witness = await open();
    const sizes = [8, 9, 10, 11];
    const replies = await Promise.all(
      sizes.map(async (size) => witness.addCheckpoint(await request(0, head(size)))),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    await witness.close();
  });

  it('keeps the proof of a fork', async () => {
    const witness = await open();
    await witness.addCheckpoint(await request(0, head(9)));
    const body = formatWitnessRequest({
      oldSize: 9n,
      proof: [],
      checkpoint: signCheckpoint(head(9, 1), log),
    });
    expect(await witness.addCheckpoint(body)).toEqual({ status: 409, code: 'fork' });
    const [name = ''] = await readdir(join(dir, 'evidence'));
    expect(await readFile(join(dir, 'evidence', name), 'utf8')).toBe(body);
    await witness.close();
  });

  it('cosigns nothing it could not store, and goes on when it can', async () => {
    const witness = await open();
    await witness.addCheckpoint(await request(0, head(9)));
    const [state = ''] = (await readdir(dir)).filter((name) => name.endsWith('.checkpoint'));
    // a directory in the place of the file: a rename onto it is refused for root too
    await rm(join(dir, state));
    await mkdir(join(dir, state, 'x'), { recursive: true });
    const next = await request(9, head(12));
    await expect(witness.addCheckpoint(next)).rejects.toMatchObject({
      code: 'witness-unavailable',
    });
    expect(witness.latest(log.name)?.size).toBe(9n);
    await rm(join(dir, state), { recursive: true });
    expect(await witness.addCheckpoint(next)).toMatchObject({ status: 200 });
    await witness.close();
  });

  it('does not begin again when its state is damaged', async () => {
    const witness = await open();
    await witness.addCheckpoint(await request(0, head(9)));
    await witness.close();
    const [state = ''] = (await readdir(dir)).filter((name) => name.endsWith('.checkpoint'));
    const text = await readFile(join(dir, state), 'utf8');
    for (const bad of ['', text.slice(0, 30), text.replace('node.', 'nodes.')]) {
      await writeFile(join(dir, state), bad);
      await expect(open()).rejects.toMatchObject({ code: 'witness-corrupt' });
    }
  });
});
