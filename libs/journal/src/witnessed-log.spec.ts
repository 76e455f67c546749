import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { formatVerifierKey, type NoteSigner } from '#libs/tlog';
import { type Journal, openJournal, WitnessedLog } from './index.js';

const seed = new Uint8Array(32).fill(1);
const signer: NoteSigner = {
  name: 'node.example/log',
  publicKey: ed25519.getPublicKey(seed),
  sign: (message) => ed25519.sign(message, seed),
};
const witness = formatVerifierKey(
  { name: 'auditor.example/log', publicKey: ed25519.getPublicKey(new Uint8Array(32).fill(2)) },
  'cosignature/v1',
);

let dir: string;
let journal: Journal;
let log: WitnessedLog;

const open = (name: string): Promise<Journal> =>
  openJournal({ dir: join(dir, name), origin: signer.name, signer });

/** The signed note of another log of the same name and key. */
async function noteOf(name: string, entries: readonly string[]): Promise<string> {
  const other = await open(name);
  await other.appendAll(entries);
  const note = await other.checkpoint();
  await other.close();
  return note;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'witnessed-log-'));
  journal = await open('log');
  await journal.appendAll(['a', 'b']);
  log = new WitnessedLog({
    journal,
    origin: signer.name,
    keys: () => ({
      logKeys: [formatVerifierKey(signer)],
      witnesses: new Map([['auditor', witness]]),
      quorum: 1,
    }),
    send: async () => undefined,
  });
});
afterEach(async () => {
  await journal.close();
  await rm(dir, { recursive: true, force: true });
});

it.each([
  ['log-forked', ['a', 'c']],
  ['log-behind', ['a', 'b', 'c']],
])('is closed for good by a witness that shows it later: %s', async (code, entries) => {
  await log.receive('auditor', { kind: 'latest', note: null });
  await log.untilVouched();
  expect(log.refusal).toBeUndefined();
  const note = await noteOf('other', entries);
  await expect(log.receive('auditor', { kind: 'latest', note })).rejects.toMatchObject({ code });
  expect(log.refusal).toBe(code);
  expect(log.isVouched).toBe(false);
  await expect(log.untilVouched()).rejects.toMatchObject({ code });
  // nothing is signed any more, and a witness that knows nothing does not open it again
  const published = journal.published;
  await journal.append('d');
  await log.receive('auditor', { kind: 'latest', note: null });
  expect(await log.checkpoint()).toBe(published);
});

it('takes no word for proof that the log itself did not sign', async () => {
  const note = (await noteOf('other', ['x'])).replace(/.{8}\n$/, 'AAAAAAA=\n');
  await expect(log.receive('auditor', { kind: 'latest', note })).rejects.toThrow();
  await log.receive('stranger', { kind: 'latest', note: await noteOf('third', ['x', 'y']) });
  expect(log.refusal).toBeUndefined();
});
