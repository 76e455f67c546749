/** Why a query was answered as it was: everything a log says of one fingerprint, and the policy each entry names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError } from '#libs/bytes';
import { readJournal } from '#libs/journal';
import { decodeEntry, type Entry } from '#libs/tlog';

interface Line {
  readonly index: string;
  readonly at: string;
  readonly kind: Entry['kind'];
  /** What the entry adds: the code and constraint of a refusal, the grant and cost of a spend, the reservation paid with. */
  readonly says: string;
  readonly policyDigest: string | null;
}

const saysOf = (entry: Entry): string => {
  switch (entry.kind) {
    case 'query.refused':
      return [entry.code, entry.constraint, entry.reason].filter(Boolean).join('; ');
    case 'query.held':
      return `grant ${entry.grant}, until ${entry.expiresAt}`;
    case 'query.approved':
      return `grant ${entry.grant}, by ${entry.actor}`;
    case 'budget.reserved':
      return `grant ${entry.grant}, rho ${entry.rho} of ${entry.dataset} ${entry.years.join(', ')}`;
    case 'release.made':
      return `grant ${entry.grant}, paid by entry ${entry.reservation}`;
    case 'query.received':
      return `asked by ${entry.analyst} for ${entry.purpose}`;
    default:
      return '';
  }
};

async function history(dir: string, fingerprint: string): Promise<readonly Line[]> {
  const log = existsSync(join(dir, 'log')) ? join(dir, 'log') : dir;
  const lines: Line[] = [];
  for await (const { index, bytes } of readJournal(log)) {
    const entry = decodeEntry(bytes);
    if (!('fingerprint' in entry) || entry.fingerprint !== fingerprint) continue;
    lines.push({
      index: String(index),
      at: entry.at,
      kind: entry.kind,
      says: saysOf(entry),
      policyDigest: ('policyDigest' in entry && entry.policyDigest) || null,
    });
  }
  return lines;
}

/** Prints the history of a fingerprint; exit code 1 when the log does not know it. */
export async function runWhy(
  fingerprint: string,
  options: { readonly log: string; readonly json?: boolean },
): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new ConcordatError('bad-fingerprint', 'a fingerprint is 64 lower-case hex digits');
  }
  const entries = await history(options.log, fingerprint);
  if (options.json) process.stdout.write(`${JSON.stringify({ fingerprint, entries }, null, 2)}\n`);
  else if (entries.length === 0) process.stderr.write('the log has no entry about this query\n');
  else {
    for (const { index, at, kind, says, policyDigest } of entries) {
      const policy = policyDigest ? ` [policy ${policyDigest.slice(0, 12)}]` : '';
      process.stderr.write(`${index.padStart(6)}  ${at}  ${kind}: ${says}${policy}\n`);
    }
  }
  if (entries.length === 0) process.exitCode = 1;
}
