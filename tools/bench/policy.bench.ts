import { readFileSync } from 'node:fs';
import { decide, parseFederation, parsePolicy, requestOf } from '#libs/policy';
import type { Emit } from './line.js';

const ROUNDS = 20_000;
const read = (path: string): string => readFileSync(`policies/${path}`, 'utf8');

/** Policy decisions, one at a time, over every case of a shipped policy in turn (permits, holds and refusals). */
export async function run(emit: Emit): Promise<void> {
  const agency = parsePolicy(read('agencies/avon-and-somerset-police.yaml'));
  const policies = { agency, federation: parseFederation(read('federation.yaml')) };
  const requests = agency.cases.map((item) => ({ policies, ...requestOf(agency, item) }));
  const times = new Float64Array(ROUNDS);
  for (let i = -2_000; i < ROUNDS; i++) {
    const request = requests[(i + 2_000) % requests.length];
    if (!request) continue;
    const start = performance.now();
    decide(request);
    if (i >= 0) times[i] = performance.now() - start;
  }
  times.sort();
  const at = (quantile: number): number =>
    Number((times[Math.floor(ROUNDS * quantile)] ?? 0).toFixed(4));
  emit({ name: 'policy decision p50', figure: at(0.5), unit: 'ms' });
  emit({ name: 'policy decision p99', figure: at(0.99), unit: 'ms' });
}
