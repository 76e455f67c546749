/** What `analytics.bench.ts` times, in parts that threads take one after the other, as a coordinator computes layers: a job a core. */
import {
  cellsOfShare,
  concentration,
  concentrationUnderNoise,
  denoise,
  emergingClasses,
  forecast,
  giStarOnGrid,
  hotCells,
  noiseVariance,
  rateInterval,
  sumPeriods,
  topProbabilities,
  trends,
  usualBaseline,
  warnings,
} from '#libs/analytics';
import { type NeighbourLists, neighbourLists } from '#libs/grid';
import type { Emit } from './line.js';
import { LAW, MONTHS, mixedWords } from './made-up-months.js';

/** As the layer asks for it unless told otherwise. */
const INTERVAL = { coverage: 0.95 } as const;
const HELD_SHARES = [0.25, 0.5];
/** Newest months that early warning watches. */
const WATCHED = 3;

type Layer = <T>(name: string, work: () => T) => T;

const seconds = (since: bigint): number => Number(process.hrtime.bigint() - since) / 1e9;

const timedBy =
  (emit: Emit, prefix: string): Layer =>
  (name, work) => {
    const start = process.hrtime.bigint();
    const result = work();
    emit({ name: `${prefix} ${name}`, figure: Number(seconds(start).toFixed(3)), unit: 's' });
    return result;
  };

/** What a part computes from. */
export interface LayerInput {
  readonly cells: BigUint64Array;
  /** Released counts of the category and of all crime, a vector a month. */
  readonly counts: readonly Float64Array[];
  readonly allCrime: readonly Float64Array[];
}

const releaseOf = ({ counts }: LayerInput) => ({
  periods: counts,
  noiseVariance: noiseVariance(LAW),
  law: LAW,
  periodsPerYear: MONTHS,
});

function hot(layer: Layer, input: LayerInput, neighbours: NeighbourLists): void {
  const release = releaseOf(input);
  const map = layer('denoised map', () => denoise(release, neighbours));
  layer('Gi*', () => giStarOnGrid(sumPeriods(release).sums, neighbours));
  layer('hot cells, exact tail', () =>
    hotCells(
      {
        sums: sumPeriods(release).sums,
        expected: map.map((mean) => MONTHS * mean),
        terms: new Float64Array(map.length).fill(MONTHS),
        law: LAW,
      },
      0.05,
    ),
  );
}

function changing(layer: Layer, input: LayerInput, neighbours: NeighbourLists): void {
  const { periods } = releaseOf(input);
  layer('trend, Theil-Sen', () => trends(periods));
  layer('emerging classes', () => emergingClasses(periods, neighbours));
}

function places(layer: Layer, input: LayerInput, neighbours: NeighbourLists): void {
  const release = releaseOf(input);
  const allCrime = { periods: input.allCrime, noiseVariance: release.noiseVariance };
  const next = layer('forecast, interval', () => {
    const { coverage } = INTERVAL;
    const result = forecast(release, neighbours, { allCrime, coverage });
    rateInterval(result, coverage);
    return result;
  });
  layer('P(top 1 %)', () => topProbabilities(next, cellsOfShare(input.cells.length, 0.01)));
}

function concentrated(layer: Layer, input: LayerInput, neighbours: NeighbourLists): void {
  layer('concentration with its intervals', () => {
    const own = forecast(releaseOf(input), neighbours);
    concentration(own.mean);
    const options = { random: mixedWords(), ...INTERVAL };
    const { gini } = concentrationUnderNoise(own, options, HELD_SHARES);
    // Where the counts say nothing the work ends early: that would be no measurement.
    if (!gini.isIdentified) throw new Error('the made-up counts identify no Gini');
  });
}

function warned(layer: Layer, input: LayerInput, neighbours: NeighbourLists): void {
  layer('early warning with its baseline', () => {
    const periods = input.counts.slice(0, -WATCHED);
    const baseline = usualBaseline(forecast({ ...releaseOf(input), periods }, neighbours));
    return warnings(input.counts.slice(-WATCHED), baseline, { law: LAW });
  });
}

/** The longest first. */
export const LAYER_PARTS = { places, concentrated, warned, hot, changing } as const;

/** Computes parts of `input`, a line for each layer; the neighbour lists are made once. */
export function partsOf(
  prefix: string,
  input: LayerInput,
  emit: Emit,
): (part: keyof typeof LAYER_PARTS) => void {
  const layer = timedBy(emit, prefix);
  const neighbours = layer('neighbour lists', () => neighbourLists(input.cells));
  return (part) => LAYER_PARTS[part](layer, input, neighbours);
}
