/** A copy of a real journal that takes what follows, and nothing that does not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openJournal, type ReadFile, readFromDirectory } from '#libs/journal';
import { createSigningKey, noteSigner, type SigningKey } from '#libs/keystore';
import { type Entry, encodeEntry, formatVerifierKey } from '#libs/tlog';
import { ReplicaLog } from './replica-log.js';

const base = mkdtempSync(join(tmpdir(), 'concordat-replica-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const ORIGIN = 'concordat/test/coordinator';
const key = createSigningKey(join(base, 'key.pem'));
const stranger = createSigningKey(join(base, 'stranger.pem'));

let made = 0;
const folder = (): string => join(base, `folder-${made++}`);
const started = (version: string): Entry => ({
  ...{ kind: 'started', at: '2024-01-01T00:00:00.000Z', actor: 'coordinator' },
  ...{ process: 'coordinator', version },
});

/** A journal with `count` entries, its checkpoint published. */
async function writeLog(dir: string, count: number, tag: string, signer: SigningKey = key) {
  const journal = await openJournal({
    dir,
    origin: ORIGIN,
    signer: noteSigner(ORIGIN, signer),
    clock: () => Date.UTC(2024, 0, 1),
  });
  for (let i = Number(journal.size); i < count; i++)
    await journal.append(encodeEntry(started(`${tag}-${i}`)));
  await journal.checkpoint();
  await journal.close();
  return readFromDirectory(dir);
}
const identity = {
  origin: () => ORIGIN,
  logKeys: () => [formatVerifierKey({ name: ORIGIN, publicKey: key.publicKeyBytes }, 'ed25519')],
};
const versions = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => (entry.kind === 'started' ? entry.version : entry.kind));
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: { code?: string }) => error.code ?? String(error),
  );
const nothing = async (): Promise<void> => {};

describe('a copy of a log', () => {
  it('takes each entry once, over full and partial bundles, and again after a restart', async () => {
    const [source, dir] = [folder(), folder()];
    const log = await ReplicaLog.open(dir, identity, nothing);
    const taken: string[] = [];
    for (const count of [3, 256, 300, 700]) {
      const read = await writeLog(source, count, 'a');
      taken.push(...versions(await log.catchUp(read, nothing)));
      expect(await log.catchUp(read, nothing)).toEqual([]);
    }
    expect(taken).toEqual(Array.from({ length: 700 }, (_, i) => `a-${i}`));
    const again: string[] = [];
    const reopened = await ReplicaLog.open(dir, identity, async (entry) => {
      again.push(...versions([entry]));
    });
    expect(again).toEqual(taken);
    expect(reopened.size).toBe(700n);
  });

  it('takes nothing that was rewritten, cut, altered or signed by another', async () => {
    const [source, dir] = [folder(), folder()];
    const log = await ReplicaLog.open(dir, identity, nothing);
    await log.catchUp(await writeLog(source, 40, 'a'), nothing);
    const more = await writeLog(source, 50, 'a');
    const altered: ReadFile = async (path) => {
      const bytes = await more(path);
      if (!bytes || !path.startsWith('tile/entries/')) return bytes;
      return Buffer.from(Buffer.from(bytes).toString('latin1').replace('a-45', 'b-45'), 'latin1');
    };
    const cases: [string, ReadFile, string][] = [
      ['another history, longer', await writeLog(folder(), 60, 'b'), 'log-forked'],
      ['another history of the same length', await writeLog(folder(), 40, 'b'), 'log-forked'],
      ['an earlier state', await writeLog(folder(), 20, 'a'), 'log-behind'],
      ['another key', await writeLog(folder(), 60, 'a', stranger), 'unknown-signer'],
      ['an altered entry', altered, 'log-forked'],
    ];
    const found: string[] = [];
    for (const [name, read] of cases)
      found.push(`${name}: ${await codeOf(log.catchUp(read, nothing))}`);
    expect(found).toEqual(cases.map(([name, , code]) => `${name}: ${code}`));
    expect(log.size).toBe(40n);
    // nor what names something that cannot be had
    const lacking = log.catchUp(more, () => Promise.reject(new Error('no blob')));
    expect(await codeOf(lacking)).toContain('no blob');
    expect(log.size).toBe(40n);
    expect(await log.catchUp(more, nothing)).toHaveLength(10);
  });

  it('does not open when a byte of it changed', async () => {
    const dir = folder();
    const log = await ReplicaLog.open(dir, identity, nothing);
    await log.catchUp(await writeLog(folder(), 10, 'a'), nothing);
    const path = join(dir, 'tile/entries/000.p/10');
    const bytes = readFileSync(path);
    bytes[bytes.length - 4] = (bytes[bytes.length - 4] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(await codeOf(ReplicaLog.open(dir, identity, nothing))).toBe('replica-corrupt');
  });
});
