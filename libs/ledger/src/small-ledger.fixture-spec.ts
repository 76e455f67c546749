/** A small log beside its ledger, and the entries that tests put into it. */
import type { Entry, EntryOf } from '#libs/tlog';
import { applyEntry, emptyLedger, type Ledger, type ReserveRequest, reserve } from './index.js';

export const hex = (n: number): string => n.toString(16).padStart(64, '0');
export const POLICY = hex(1);
export const activated = (
  rhoPerYear = '2',
  analysts = { rhoPerYear: '100', queriesPerDay: 10_000 },
): EntryOf<'policy.activated'> => ({
  kind: 'policy.activated',
  at: '2026-01-01T00:00:00.000Z',
  actor: 'controller',
  agency: 'avon-and-somerset-police',
  policyDigest: POLICY,
  limits: { datasets: { incidents: { rhoPerYear } }, analysts },
});
export const ask = (n: number, change: Partial<ReserveRequest> = {}): ReserveRequest => ({
  at: '2026-05-01T12:00:00.000Z',
  actor: 'node',
  recipient: 'coordinator',
  purpose: 'hotspot-policing',
  dataset: 'incidents',
  years: ['2024'],
  fingerprint: hex(n),
  versionDigest: hex(2),
  analyst: 'analyst-1',
  rho: '1/8',
  grant: 'hotspot-policing',
  policyDigest: POLICY,
  ...change,
});
export const release = (
  reserved: EntryOf<'budget.reserved'>,
  reservation: bigint,
): EntryOf<'release.made'> => ({
  kind: 'release.made',
  verb: 'disclosure',
  at: reserved.at,
  actor: 'node',
  recipient: 'coordinator',
  purpose: reserved.purpose,
  fingerprint: reserved.fingerprint,
  versionDigest: reserved.versionDigest,
  dataset: reserved.dataset,
  rho: reserved.rho,
  grant: reserved.grant,
  policyDigest: reserved.policyDigest,
  valueDigest: hex(3),
  blob: hex(4),
  mechanism: 'discrete-gaussian',
  privacy: { unit: 'incident', maxPerRelease: 1, maxPerYear: 1 },
  reservation: String(reservation),
});

/** A log beside its ledger, as a node keeps them. */
export const withLog = (policy: Entry = activated()) => {
  const log: Entry[] = [];
  const ledger: Ledger = emptyLedger();
  const append = (entry: Entry): bigint => {
    const index = BigInt(log.push(entry) - 1);
    applyEntry(ledger, index, entry);
    return index;
  };
  append(policy);
  return { log, ledger, append };
};
export const granted = (ledger: Ledger, request: ReserveRequest): EntryOf<'budget.reserved'> => {
  const result = reserve(ledger, request);
  if (!result.ok) throw new Error(result.code);
  return result.entry;
};
