/**
 * `npm run bench -- interval-coverage`: how often the 95 % interval of a forecast's counts holds the true count of the next month, on real
 * incidents under made noise: by category and epsilon, over all cells, and over those with more than three incidents expected. Every month that
 * follows CONCORDAT_BENCH_TRAIN_MONTHS (9) is forecast, or the last CONCORDAT_BENCH_TEST_MONTHS of them. The shipped year by default; other
 * files, categories and epsilons as `incident-counters.ts` says.
 */
import process from 'node:process';
import { countInterval, forecast } from '#libs/analytics';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { askedIncidents, type Month } from './incident-counters.js';
import type { Emit } from './line.js';

const { CONCORDAT_BENCH_TRAIN_MONTHS: TRAIN_MONTHS = '9', CONCORDAT_BENCH_TEST_MONTHS: TESTED } =
  process.env;

const COVERAGE = 0.95;
/** Cells of which more incidents than this are expected are counted apart. */
const BUSY = 3;

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
  const train = Number(TRAIN_MONTHS);
  for await (const asked of askedIncidents()) {
    const { name, label, epsilon, months, allMonths, neighbours, release } = asked;
    const random = analysisRandom(`intervals ${label} ${epsilon}`);
    const every = new Held();
    const busy = new Held();
    let tested = 0;
    const first = TESTED ? Math.max(train, months.length - Number(TESTED)) : train;
    for (let t = first; t < months.length; t++) {
      const next = months[t];
      if (!next) continue;
      const window = (of: readonly Month[]) => release(of.slice(t - train, t), random);
      const category = window(months);
      const rates = forecast(category, neighbours, allMonths && { allCrime: window(allMonths) });
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
        name: `${name}, counts of the next month inside their interval, ${which}`,
        figure: figures.held,
        unit: '%',
        peer: `below it ${figures.below} %, of ${figures.cells} in ${tested} months`,
      });
    }
  }
}
