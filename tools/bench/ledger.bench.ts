import { checkEntryOrder } from '#libs/ledger';
import { decodeEntry, type Entry, encodeEntry } from '#libs/tlog';
import type { Emit } from './line.js';

const QUESTIONS = 50_000;
const hex = (n: number): string => n.toString(16).padStart(64, '0');

/** An honest log of 100,001 entries: a policy, then a reserve and a release for each question, with hostile denominators. */
function* honestLog(): Generator<Entry> {
  const who = { actor: 'node', recipient: 'coordinator', purpose: 'hotspot-policing' } as const;
  const shared = { dataset: 'incidents', versionDigest: hex(2), grant: 'g', policyDigest: hex(1) };
  const at = '2026-05-01T12:00:00.000Z';
  yield {
    kind: 'policy.activated',
    at,
    actor: 'controller',
    agency: 'a',
    policyDigest: hex(1),
    limits: {
      datasets: { incidents: { rhoPerYear: '100000' } },
      analysts: { rhoPerYear: '100000', queriesPerDay: 100_000 },
    },
  };
  for (let n = 0; n < QUESTIONS; n++) {
    const rho = `1/${2 + (n % 64)}`;
    yield {
      kind: 'budget.reserved',
      verb: 'consultation',
      at,
      ...who,
      ...shared,
      fingerprint: hex(n),
      analyst: `analyst-${n % 20}`,
      years: ['2023', '2024'],
      rho,
      limit: '100000',
    };
    yield {
      kind: 'release.made',
      verb: 'disclosure',
      at,
      ...who,
      ...shared,
      fingerprint: hex(n),
      rho,
      valueDigest: hex(n),
      blob: hex(n),
      mechanism: 'discrete-gaussian',
      privacy: { unit: 'incident', maxPerRelease: 1, maxPerYear: 1 },
      reservation: String(2 * n + 1),
    };
  }
}

/** Reads, checks and folds a log of 100,001 entries: the ledger's share of an audit. */
export async function run(emit: Emit): Promise<void> {
  const leaves = [...honestLog()].map(encodeEntry);
  const start = performance.now();
  const decoded = leaves.map(decodeEntry);
  const read = performance.now();
  const { faults } = checkEntryOrder(decoded);
  const end = performance.now();
  if (faults.length > 0) throw new Error('an honest log has no fault');
  emit({ name: 'ledger decode 100,001 entries', figure: Math.round(read - start), unit: 'ms' });
  emit({
    name: 'ledger check and fold 100,001 entries',
    figure: Math.round(end - read),
    unit: 'ms',
  });
}
