/**
 * `npm run bench -- top-k`: reliability of P(top 1 %) on real fields, in five bands of what is claimed. Two truths, as nobody knows the rates of a
 * real month. Known rates: every cell has its mean over all months of the files as its rate, months are drawn from these, and the top is that of
 * the rates. Real months: the forecast sees the first months under noise, and the top is that of the sums of the months that follow; as those are counts and not
 * rates, the share found is set beside the share that the same claims give in worlds drawn from them (posterior predictive check:
 * Rubin 1984). The shipped year by default; CONCORDAT_BENCH_INCIDENTS, _CATEGORIES (separated by semicolons), _EPSILONS and _TRAIN_MONTHS choose others.
 */
import process from 'node:process';
import {
  cellsOfShare,
  type Forecast,
  forecast,
  gammaDraw,
  noiseVariance,
  poissonDraws,
  topProbabilities,
  uniforms,
} from '#libs/analytics';
import type { RandomSource } from '#libs/dp';
import { neighbourLists } from '#libs/grid';
import { areaCells } from '../../apps/cli/src/analyse/area-cells.js';
import { noiseSampler } from '../../apps/cli/src/analyse/noise.js';
import { analysisRandom } from '../../apps/cli/src/analyse/random.js';
import { countersOf, RESOLUTION, SHIPPED } from './incident-counters.js';
import type { Emit } from './line.js';
import { membership, reliability } from './reliability.js';

const {
  CONCORDAT_BENCH_INCIDENTS: PATTERNS = SHIPPED,
  CONCORDAT_BENCH_CATEGORIES:
    CATEGORIES = 'all;Anti-social behaviour;Burglary;Shoplifting;Vehicle crime',
  CONCORDAT_BENCH_EPSILONS: EPSILONS = '0.5,1,2',
  CONCORDAT_BENCH_TRAIN_MONTHS: TRAIN_MONTHS = '9',
} = process.env;

const TOP = 0.01;
const MONTHS_PER_YEAR = 12;
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
  const wanted = CATEGORIES.split(';');
  const train = Number(TRAIN_MONTHS);
  for (const pattern of PATTERNS.split(',')) {
    const counters = await countersOf(pattern);
    const forces = counters.get('all')?.forces ?? new Set<string>();
    const cells = areaCells(undefined, forces, RESOLUTION);
    const neighbours = neighbourLists(cells);
    const k = cellsOfShare(cells.length, TOP);
    for (const [label, counter] of counters) {
      if (!wanted.includes(label)) continue;
      const { selected, all } = counter.vectors(cells);
      const months = selected.flatMap((month) => (month ? [month] : []));
      const everything = all.flatMap((month) => (month ? [month] : []));
      for (const epsilon of EPSILONS.split(',').map(Number)) {
        const law = { mechanism: 'discrete-laplace', epsilon } as const;
        const sampler = noiseSampler(law);
        const random = analysisRandom(`top ${label} ${epsilon}`);
        const noise = new Int32Array(cells.length);
        const released = (counts: readonly ArrayLike<number>[]) => ({
          periods: counts.map((month) => {
            sampler.sampleInto(noise, random);
            return Float64Array.from(month, (count, i) => count + (noise[i] as number));
          }),
          noiseVariance: noiseVariance(law),
          law,
          periodsPerYear: MONTHS_PER_YEAR,
        });
        const next = (
          category: readonly ArrayLike<number>[],
          whole: readonly ArrayLike<number>[],
        ) =>
          forecast(
            released(category),
            neighbours,
            counter.selected === counter.incidents ? {} : { allCrime: released(whole) },
          );
        const name = `${[...forces].join(', ')}: ${label} at epsilon ${epsilon}`;

        const rates = sums(months).map((sum) => sum / months.length);
        const others = sums(everything).map((sum, i) => sum / months.length - (rates[i] as number));
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
  }
}
