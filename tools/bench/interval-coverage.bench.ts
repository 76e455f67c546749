/**
 * `npm run bench -- interval-coverage`: how often the 95 % interval of a forecast's counts holds the true count of the next month, on real
 * incidents under made noise: by category and epsilon, over all cells, and over those with more than three incidents expected. Every month that
 * follows a full training window is forecast. The shipped year by default; other files and settings as for `back-test`,
 * CONCORDAT_BENCH_CATEGORIES (separated by semicolons) for some categories only.
 */
import process from 'node:process';
import { countInterval, forecast, noiseVariance } from '#libs/analytics';
import { neighbourLists } from '#libs/grid';
import { areaCells } from '../../apps/cli/src/analyse/area-cells.js';
import { noiseSampler } from '../../apps/cli/src/analyse/noise.js';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { countersOf, RESOLUTION, SHIPPED } from './incident-counters.js';
import type { Emit } from './line.js';

const {
  CONCORDAT_BENCH_INCIDENTS: PATTERNS = SHIPPED,
  CONCORDAT_BENCH_CATEGORIES: CATEGORIES,
  CONCORDAT_BENCH_EPSILONS: EPSILONS = '0.1,0.5,1,2',
  CONCORDAT_BENCH_TRAIN_MONTHS: TRAIN_MONTHS = '9',
} = process.env;

const COVERAGE = 0.95;
/** Cells of which more incidents than this are expected are counted apart. */
const BUSY = 3;
const MONTHS_PER_YEAR = 12;

class Held {
  private cells = 0;
  private held = 0;
  private below = 0;

  add(count: number, low: number, high: number): void {
    this.cells++;
    if (count < low) this.below++;
    else if (count <= high) this.held++;
  }

  /** Percentages; null without a cell. */
  get figures() {
    const percent = (part: number) => Number(((100 * part) / this.cells).toFixed(1));
    if (this.cells === 0) return null;
    return { cells: this.cells, held: percent(this.held), below: percent(this.below) };
  }
}

export async function run(emit: Emit): Promise<void> {
  const wanted = CATEGORIES?.split(';');
  const train = Number(TRAIN_MONTHS);
  for (const pattern of PATTERNS.split(',')) {
    const counters = await countersOf(pattern);
    const forces = counters.get('all')?.forces ?? new Set<string>();
    const cells = areaCells(undefined, forces, RESOLUTION);
    const neighbours = neighbourLists(cells);
    for (const [label, counter] of counters) {
      if (wanted && !wanted.includes(label)) continue;
      const { selected, all } = counter.vectors(cells);
      for (const epsilon of EPSILONS.split(',').map(Number)) {
        const law = { mechanism: 'discrete-laplace', epsilon } as const;
        const sampler = noiseSampler(law);
        const random = analysisRandom(`intervals ${label} ${epsilon}`);
        const noise = new Int32Array(cells.length);
        const released = (months: readonly (Int32Array | undefined)[]) => ({
          periods: months.map((month) => {
            if (!month) return new Float64Array(cells.length).fill(Number.NaN);
            sampler.sampleInto(noise, random);
            return Float64Array.from(month, (count, i) => count + (noise[i] as number));
          }),
          noiseVariance: noiseVariance(law),
          law,
          periodsPerYear: MONTHS_PER_YEAR,
        });
        const every = new Held();
        const busy = new Held();
        let tested = 0;
        for (let t = train; t < selected.length; t++) {
          const next = selected[t];
          if (!next) continue;
          const window = (months: typeof selected) => released(months.slice(t - train, t));
          const rates = forecast(
            window(selected),
            neighbours,
            counter.selected === counter.incidents ? {} : { allCrime: window(all) },
          );
          const { low, high } = countInterval(rates, COVERAGE, random);
          rates.mean.forEach((mean, i) => {
            const [count, from, to] = [next[i] as number, low[i] as number, high[i] as number];
            every.add(count, from, to);
            if (mean > BUSY) busy.add(count, from, to);
          });
          tested++;
        }
        for (const [which, { figures }] of [
          ['all cells', every],
          [`more than ${BUSY} expected`, busy],
        ] as const) {
          if (!figures) continue;
          emit({
            name: `${[...forces].join(', ')}: ${label} at epsilon ${epsilon}, counts of the next month inside their interval, ${which}`,
            figure: figures.held,
            unit: '%',
            peer: `below it ${figures.below} %, of ${figures.cells} in ${tested} months`,
          });
        }
      }
    }
  }
}
