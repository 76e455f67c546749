/** Small logs in folders of their own, with entries that a test knows without keeping them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { utf8ToBytes } from '#libs/bytes';
import { formatVerifierKey, leafHash, type NoteSigner, treeRoot } from '#libs/tlog';
import type { JournalOptions } from './index.js';

export const signerOf = (name: string, n: number): NoteSigner => {
  const seed = new Uint8Array(32).fill(n);
  return { name, publicKey: ed25519.getPublicKey(seed), sign: (m) => ed25519.sign(m, seed) };
};
const signer = signerOf('node.example/log', 1);
export const origin = signer.name;
export const logKeys = [formatVerifierKey(signer)];
export const entryOf = (i: number): string => `{"n":${i},"pad":"${'x'.repeat(i % 12)}"}`;
export const entryList = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => entryOf(from + i));
export const rootOf = (count: number): Uint8Array =>
  treeRoot(entryList(count).map((entry) => leafHash(utf8ToBytes(entry))));

const dirs: string[] = [];
export const newDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'journal-'));
  dirs.push(dir);
  return dir;
};
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});
export const options = (dir: string, more: Partial<JournalOptions> = {}): JournalOptions => ({
  dir,
  origin,
  signer,
  clock: () => 1_700_000_000_000,
  ...more,
});
