/**
 * A log of 100,000 real entries (a policy, then questions, spends and releases) with 100 checkpoints: writing it, opening it again,
 * and auditing it offline: every entry, tile, bundle, record, checkpoint signature and root, every entry's form, and the order rules
 * over the ledger. Blobs are not part of it. The audit runs in this process: its memory is that of the process at its peak.
 */

import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyEd25519ByNode } from '#libs/host';
import { openJournal, verifyJournal } from '#libs/journal';
import { applyEntry, checkEntry, emptyLedger } from '#libs/ledger';
import {
  decodeEntry,
  type Entry,
  encodeEntry,
  formatVerifierKey,
  type NoteSigner,
  openNote,
  verifyEd25519,
} from '#libs/tlog';
import type { Emit } from './line.js';

const ENTRIES = 100_000;
const PER_CHECKPOINT = 1_000;

function nodeSigner(name: string): NoteSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    name,
    publicKey: spki.subarray(-32),
    sign: (message) => sign(null, message, privateKey),
  };
}

const hex = (n: number): string => n.toString(16).padStart(64, '0');
const POLICY = hex(1);

/** Entry `i` of the log of a node: the policy first, then for each question what was asked, spent and released. */
function entryOf(i: number): Entry {
  const at = new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString();
  if (i === 0) {
    const analysts = { rhoPerYear: '1000000', queriesPerDay: 1_000_000 };
    const limits = { datasets: { incidents: { rhoPerYear: '1000000' } }, analysts };
    const actor = 'bench-police';
    return { kind: 'policy.activated', at, actor, agency: actor, policyDigest: POLICY, limits };
  }
  const question = Math.floor((i - 1) / 3);
  const about = {
    at,
    actor: 'bench-police',
    recipient: 'coordinator',
    purpose: 'hotspot-policing',
    fingerprint: hex(1000 + question),
  };
  const paid = {
    dataset: 'incidents',
    versionDigest: hex(2),
    rho: '1/8',
    grant: 'hotspot-policing',
    policyDigest: POLICY,
  };
  if ((i - 1) % 3 === 0) {
    const round = `round-${question}`;
    const query = JSON.stringify({ categories: ['robbery'], periods: ['2024-01'], question });
    return { kind: 'query.received', verb: 'consultation', ...about, round, analyst: 'a1', query };
  }
  if ((i - 1) % 3 === 1) {
    const spend = { years: ['2024'], analyst: 'a1', limit: '1000000' };
    return { kind: 'budget.reserved', verb: 'consultation', ...about, ...paid, ...spend };
  }
  return {
    kind: 'release.made',
    verb: 'disclosure',
    ...about,
    ...paid,
    valueDigest: hex(3),
    blob: hex(3),
    mechanism: 'discrete-gaussian',
    privacy: { unit: 'incident', maxPerRelease: 1, maxPerYear: 1 },
    reservation: String(i - 1),
  };
}

const started = (i: number): Entry => ({
  kind: 'started',
  at: '2026-06-01T00:00:00.000Z',
  actor: 'bench-police',
  process: 'node',
  version: `0.${i}.0`,
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
          Array.from({ length: PER_CHECKPOINT }, (_, i) =>
            journal.append(encodeEntry(entryOf(from + i))),
          ),
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
      for (let i = 0; i < 300; i++) await journal.append(encodeEntry(started(i)));
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
    const ledger = emptyLedger();
    const audited = await seconds(async () => {
      const report = await verifyJournal(dir, {
        verifierKeys: [formatVerifierKey(signer)],
        onEntry: (index, bytes) => {
          const entry = decodeEntry(bytes);
          if (checkEntry(ledger, index, entry).length > 0) throw new Error(`entry ${index}`);
          applyEntry(ledger, index, entry);
          entries += 1;
        },
      });
      if (!report.ok || report.size !== BigInt(entries)) throw new Error('the log must verify');
    });
    emit({
      name: 'audit: log, entries and order rules of 100,000 entries (limit 60)',
      figure: audited,
      unit: 's',
    });
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
