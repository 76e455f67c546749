import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, utf8ToBytes } from '#libs/bytes';
import { openJournal } from '#libs/journal';
import { formatVerifierKey, leafHash, openCheckpoint, verifyInclusion } from '#libs/tlog';
import { provenInLog } from './receipt.js';

const origin = 'node.example/log';
const seed = new Uint8Array(32).fill(1);
const signer = {
  name: origin,
  publicKey: ed25519.getPublicKey(seed),
  sign: (message: Uint8Array) => ed25519.sign(message, seed),
};

it('proves an entry under the checkpoint beside it, also while the log grows', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'receipt-'));
  const journal = await openJournal({ dir, origin, signer, clock: () => 1_700_000_000_000 });
  const entry = 'an answer';
  const index = await journal.append(entry);
  const proofs: ReturnType<typeof provenInLog>[] = [];
  for (let i = 0; i < 40; i++) {
    proofs.push(provenInLog(journal, index));
    await Promise.all([0, 1, 2].map((k) => journal.append(`another entry ${i} ${k}`)));
  }
  for (const { checkpoint: note, proof } of await Promise.all(proofs)) {
    const { checkpoint } = openCheckpoint(note, { origin, logKeys: [formatVerifierKey(signer)] });
    const included = verifyInclusion({
      leafIndex: index,
      treeSize: checkpoint.size,
      leafHash: leafHash(utf8ToBytes(entry)),
      proof: proof.map(fromHex),
      root: checkpoint.root,
    });
    expect(included).toBe(true);
  }
  await journal.close();
  rmSync(dir, { recursive: true, force: true });
});
