/**
 * `npm run bench -- top-k`: reliability of P(top 1 %) on real fields, in five bands of what is claimed. Two truths, as nobody knows the rates of a
 * real month. Known rates: the rate of every cell is drawn from the gamma law that its count over all months of the files gives (means alone
 * would be equal in hundreds of cells at the limit of the top), months are drawn from these rates, and the top is that of the rates. Real months: the forecast sees the first months under noise, and the top is that of the sums of the months that follow; as those are counts and not
 * rates, the share found is set beside the share that the same claims give in worlds drawn from them (posterior predictive check:
 * Rubin 1984). The shipped year, five categories, by default; others as `incident-counters.ts` says, with CONCORDAT_BENCH_TRAIN_MONTHS.
 */
import process from 'node:process';
import {
  cellsOfShare,
  type Forecast,
  forecast,
  gammaDraw,
  poissonDraws,
  topProbabilities,
  uniforms,
} from '#libs/analytics';
import type { RandomSource } from '#libs/dp';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { askedIncidents } from './incident-counters.js';
import type { Emit } from './line.js';
import { membership, reliability } from './reliability.js';

const { CONCORDAT_BENCH_TRAIN_MONTHS: TRAIN_MONTHS = '9' } = process.env;
const CATEGORIES = ['all', 'Anti-social behaviour', 'Burglary', 'Shoplifting', 'Vehicle crime'];
const EPSILONS = [0.5, 1, 2];

const TOP = 0.01;
/** Worlds that tell what the claims give where the top is that of counts. */
const WORLDS = 20;

const share = (value: number): number => Number(value.toFixed(3));

/** Sums over months, cell by cell. */
function sums(months: readonly ArrayLike<number>[]): Float64Array {
  const total = new Float64Array((months[0] as ArrayLike<number>).length);
  for (const month of months) {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (month[i] as number);
  }
  return total;
}

/** Per cell the share of worlds in which its count over `months` months is among the k highest, were the claimed law of its rate right. */
function predicted(
  { mean, rateVariance }: Forecast,
  months: number,
  k: number,
  random: RandomSource,
): Float64Array {
  const uniform = uniforms(random);
  const worlds = Array.from({ length: WORLDS }, () => {
    const rates = mean.map((rate, i) => {
      const variance = rateVariance[i] as number;
      if (!(variance > 0 && rate > 0)) return months * rate;
      return (months * gammaDraw(rate ** 2 / variance, uniform) * variance) / rate;
    });
    return membership(poissonDraws(rates, random), k);
  });
  return sums(worlds).map((times) => times / WORLDS);
}

export async function run(emit: Emit): Promise<void> {
  const train = Number(TRAIN_MONTHS);
  for await (const asked of askedIncidents({ categories: CATEGORIES, epsilons: EPSILONS })) {
    const { name, label, epsilon, neighbours, release } = asked;
    const k = cellsOfShare(neighbours.degrees.length, TOP);
    const months = asked.months.filter((month) => month !== undefined);
    const everything = (asked.allMonths ?? asked.months).filter((month) => month !== undefined);
    const random = analysisRandom(`top ${label} ${epsilon}`);
    const next = (category: readonly ArrayLike<number>[], whole: readonly ArrayLike<number>[]) =>
      forecast(
        release(category, random),
        neighbours,
        asked.allMonths && { allCrime: release(whole, random) },
      );

    const counts = sums(months);
    const rest = sums(everything).map((sum, i) => sum - (counts[i] as number));
    const uniform = uniforms(random);
    const [rates, others] = [counts, rest].map((totals) =>
      totals.map((total) => (total > 0 ? gammaDraw(total, uniform) / months.length : 0)),
    ) as [Float64Array, Float64Array];
    const drawn = Array.from({ length: train }, () => poissonDraws(rates, random));
    const drawnWhole = drawn.map((month) => sums([month, poissonDraws(others, random)]));
    const known = topProbabilities(next(drawn, drawnWhole), k);
    for (const band of reliability(known, membership(rates, k))) {
      emit({
        name: `${name}, known rates, P(top 1 %) claimed ${band.claimed.toFixed(3)} in ${band.cells} cells, found`,
        figure: share(band.found),
        unit: 'share',
      });
    }

    const later = months.slice(train);
    if (later.length === 0) continue;
    const rated = next(months.slice(0, train), everything.slice(0, train));
    const claims = topProbabilities(rated, k);
    const found = reliability(claims, membership(sums(later), k));
    const promised = reliability(claims, predicted(rated, later.length, k, random));
    found.forEach((band, i) => {
      emit({
        name: `${name}, ${later.length} real months, P(top 1 %) claimed ${band.claimed.toFixed(3)} in ${band.cells} cells, found`,
        figure: share(band.found),
        unit: 'share',
        peer: `${share((promised[i] as (typeof found)[number]).found)} in worlds drawn from the claims`,
      });
    });
  }
}
