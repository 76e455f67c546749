/**
 * Who gets the attention, and whom does the noise fail? For each deprivation quintile: its share of the cells chosen against
 * its share of the population, the incidents the choice caught and missed, and the misses that are there only because of
 * the noise (caught by the same method on true counts). Reported with every prediction. On feedback between patrol and
 * record: Lum and Isaac 2016 (Significance 13); none of these figures can show crime that nobody recorded.
 */
import { ConcordatError } from '#libs/bytes';

export interface FairnessInput {
  /** Quintile of each cell, 1 most deprived .. 5 least; 0 unknown. */
  readonly quintiles: Uint8Array;
  readonly population: Float64Array;
  /** 1 where the forecast sends attention. */
  readonly chosen: Uint8Array;
  /** The same method's choice on true counts: known in a back-test only. */
  readonly chosenWithoutNoise?: Uint8Array;
  /** What happened. */
  readonly actual: Float64Array;
}

export interface QuintileReport {
  readonly quintile: number;
  readonly patrolShare: number;
  readonly populationShare: number;
  /** Incidents in chosen cells and in the others. */
  readonly hits: number;
  readonly misses: number;
  /** Misses that the choice without noise would have caught, and hits it would have missed. */
  readonly missesByNoise?: number;
  readonly hitsByNoise?: number;
}

const QUINTILES = 6;

/** One report per quintile that has cells, unknown (0) first. Throws `invalid-fairness`. */
export function fairness(input: FairnessInput): QuintileReport[] {
  const { quintiles, population, chosen, chosenWithoutNoise, actual } = input;
  const vectors = [population, chosen, actual, chosenWithoutNoise ?? chosen];
  if (
    vectors.some((vector) => vector.length !== quintiles.length) ||
    quintiles.some((quintile) => quintile >= QUINTILES)
  ) {
    throw new ConcordatError(
      'invalid-fairness',
      'every cell has a quintile 0..5, a population, a choice and a count',
    );
  }
  const sums = Array.from({ length: QUINTILES }, () => ({
    cells: 0,
    chosen: 0,
    population: 0,
    hits: 0,
    misses: 0,
    missesByNoise: 0,
    hitsByNoise: 0,
  }));
  quintiles.forEach((quintile, i) => {
    const sum = sums[quintile] as (typeof sums)[0];
    const happened = actual[i] as number;
    const picked = chosen[i] === 1;
    sum.cells++;
    sum.population += population[i] as number;
    if (picked) sum.chosen++;
    if (picked) sum.hits += happened;
    else sum.misses += happened;
    if (!chosenWithoutNoise) return;
    const pickedWithout = chosenWithoutNoise[i] === 1;
    if (!picked && pickedWithout) sum.missesByNoise += happened;
    if (picked && !pickedWithout) sum.hitsByNoise += happened;
  });
  const people = sums.reduce((total, sum) => total + sum.population, 0);
  const picks = sums.reduce((total, sum) => total + sum.chosen, 0);
  return sums.flatMap((sum, quintile) => {
    if (sum.cells === 0) return [];
    return [
      {
        quintile,
        patrolShare: picks === 0 ? 0 : sum.chosen / picks,
        populationShare: people === 0 ? 0 : sum.population / people,
        hits: sum.hits,
        misses: sum.misses,
        ...(chosenWithoutNoise
          ? { missesByNoise: sum.missesByNoise, hitsByNoise: sum.hitsByNoise }
          : {}),
      },
    ];
  });
}
