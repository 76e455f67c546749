/**
 * `npm run bench -- back-test`: is the forecast ever worse than the naive ranking of the same noisy counts? One line per
 * force, category and epsilon: hit rate of `concordat` less that of `naive12`, in points. The shipped year of Avon and
 * Somerset and City of London by default; other police.uk files through CONCORDAT_BENCH_INCIDENTS (patterns, one set of files
 * each, separated by commas), with CONCORDAT_BENCH_EPSILONS, CONCORDAT_BENCH_DRAWS and CONCORDAT_BENCH_TRAIN_MONTHS.
 */
import process from 'node:process';
import { backTest } from '#libs/analytics';
import { neighbourLists } from '#libs/grid';
import { areaCells } from '../../apps/cli/src/analyse/area-cells.js';
import { noiseSampler } from '../../apps/cli/src/analyse/noise.js';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { countersOf, RESOLUTION, SHIPPED } from './incident-counters.js';
import type { Emit } from './line.js';

const {
  CONCORDAT_BENCH_INCIDENTS: PATTERNS = SHIPPED,
  CONCORDAT_BENCH_EPSILONS: EPSILONS = '0.1,0.5,1,2',
  CONCORDAT_BENCH_DRAWS: DRAWS = '2',
  CONCORDAT_BENCH_TRAIN_MONTHS: TRAIN_MONTHS = '9',
} = process.env;

const TOP = 0.01;
const points = (share: number): number => Number((100 * share).toFixed(2));

export async function run(emit: Emit): Promise<void> {
  for (const pattern of PATTERNS.split(',')) {
    const counters = await countersOf(pattern);
    const forces = counters.get('all')?.forces ?? new Set<string>();
    const cells = areaCells(undefined, forces, RESOLUTION);
    const neighbours = neighbourLists(cells);
    for (const [label, counter] of counters) {
      const { selected, all } = counter.vectors(cells);
      for (const epsilon of EPSILONS.split(',').map(Number)) {
        const law = { mechanism: 'discrete-laplace', epsilon } as const;
        const results = backTest({
          category: selected,
          ...(counter.selected === counter.incidents ? {} : { allCrime: all }),
          neighbours,
          sampler: noiseSampler(law),
          law,
          random: analysisRandom(`${label} ${epsilon}`),
          draws: Number(DRAWS),
          trainMonths: Number(TRAIN_MONTHS),
          top: TOP,
        });
        const rate = (method: string): number =>
          results.find((result) => result.method === method)?.hitRate ?? Number.NaN;
        emit({
          name: `${[...forces].join(', ')}: ${label} at epsilon ${epsilon}, hits of concordat less naive`,
          figure: points(rate('concordat') - rate('naive12')),
          unit: 'points',
          peer: `naive12 ${points(rate('naive12'))} %`,
        });
      }
    }
  }
}
