/**
 * `npm run bench -- back-test`: is the forecast ever worse than the naive ranking of the same noisy counts? One line per
 * force, category and epsilon: hit rate of `concordat` less that of `naive12`, in points. The shipped year of Avon and
 * Somerset and City of London by default; other files, categories and epsilons as `incident-counters.ts` says, with
 * CONCORDAT_BENCH_DRAWS and CONCORDAT_BENCH_TRAIN_MONTHS.
 */
import process from 'node:process';
import { backTest } from '#libs/analytics';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { askedIncidents } from './incident-counters.js';
import type { Emit } from './line.js';

const { CONCORDAT_BENCH_DRAWS: DRAWS = '2', CONCORDAT_BENCH_TRAIN_MONTHS: TRAIN_MONTHS = '9' } =
  process.env;

const TOP = 0.01;
const points = (share: number): number => Number((100 * share).toFixed(2));

export async function run(emit: Emit): Promise<void> {
  for await (const asked of askedIncidents()) {
    const { name, label, epsilon, law, sampler, neighbours, months, allMonths } = asked;
    const results = backTest({
      category: months,
      ...(allMonths && { allCrime: allMonths }),
      neighbours,
      sampler,
      law,
      random: analysisRandom(`${label} ${epsilon}`),
      draws: Number(DRAWS),
      trainMonths: Number(TRAIN_MONTHS),
      top: TOP,
    });
    const rate = (method: string): number =>
      results.find((result) => result.method === method)?.hitRate ?? Number.NaN;
    emit({
      name: `${name}, hits of concordat less naive`,
      figure: points(rate('concordat') - rate('naive12')),
      unit: 'points',
      peer: `naive12 ${points(rate('naive12'))} %`,
    });
  }
}
