/**
 * A log of 100,000 entries of about 600 bytes with 100 checkpoints: writing it, opening it again, and verifying it offline
 * (every entry, tile, bundle, record, checkpoint signature and root). The verification runs in this process: its memory is
 * that of the process at its peak.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal, verifyEd25519ByNode, verifyJournal } from '#libs/journal';
import { formatVerifierKey, type NoteSigner, openNote, verifyEd25519 } from '#libs/tlog';

const ENTRIES = 100_000;
const PER_CHECKPOINT = 1_000;

type Emit = (line: {
  name: string;
  figure: number;
  unit: string;
  peer?: string;
  ratio?: number;
}) => void;

function nodeSigner(name: string): NoteSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    name,
    publicKey: spki.subarray(-32),
    sign: (message) => sign(null, message, privateKey),
  };
}

const entryOf = (i: number): string =>
  JSON.stringify({
    index: i,
    kind: 'budget.reserved',
    fingerprint: 'f'.repeat(64),
    note: 'x'.repeat(480 + (i % 40)),
  });

const seconds = async (run: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
};

export async function run(emit: Emit): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'audit-bench-'));
  const signer = nodeSigner('bench.example/log');
  const options = { dir, origin: signer.name, signer };
  try {
    const journal = await openJournal(options);
    const written = await seconds(async () => {
      for (let from = 0; from < ENTRIES; from += PER_CHECKPOINT) {
        await Promise.all(
          Array.from({ length: PER_CHECKPOINT }, (_, i) => journal.append(entryOf(from + i))),
        );
        await journal.checkpoint();
      }
    });
    emit({
      name: 'journal: appends by 1,000 callers at a time, durable',
      figure: ENTRIES / written,
      unit: 'entries/s',
    });
    const single = await seconds(async () => {
      for (let i = 0; i < 300; i++) await journal.append(entryOf(i));
    });
    emit({
      name: 'journal: appends one after another, each its own fsync',
      figure: 300 / single,
      unit: 'entries/s',
    });
    const note = await journal.checkpoint();
    await journal.close();

    const opened = await seconds(async () => (await openJournal(options)).close());
    emit({ name: 'journal: open 100,000 entries', figure: opened, unit: 's' });

    let entries = 0;
    const audited = await seconds(async () => {
      const report = await verifyJournal(dir, {
        verifierKeys: [formatVerifierKey(signer)],
        onEntry: (_, bytes) => {
          entries += bytes.length > 0 ? 1 : 0;
        },
      });
      if (!report.ok || report.size !== BigInt(entries)) throw new Error('the log must verify');
    });
    emit({ name: 'audit: verify 100,000 entries (limit 60)', figure: audited, unit: 's' });
    const peakMiB = process.resourceUsage().maxRSS / 1024;
    emit({
      name: 'audit: peak memory of the whole bench (limit 512)',
      figure: peakMiB,
      unit: 'MiB',
    });

    const keys = [formatVerifierKey(signer)];
    const rate = async (verify: typeof verifyEd25519, count: number) =>
      count /
      (await seconds(async () => {
        for (let i = 0; i < count; i++) openNote(note, keys, verify);
      }));
    await rate(verifyEd25519, 20);
    const plain = await rate(verifyEd25519, 200);
    const native = await rate(verifyEd25519ByNode, 2000);
    emit({ name: 'openNote, Ed25519 in JavaScript', figure: plain, unit: 'notes/s' });
    emit({
      name: 'openNote, Ed25519 by node:crypto',
      figure: native,
      unit: 'notes/s',
      peer: 'noble-curves',
      ratio: native / plain,
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
