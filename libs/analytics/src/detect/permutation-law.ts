/**
 * Size of G_i* under any noise: the exact law of a neighbourhood sum when the released values of the map are dealt to the places
 * at random (the randomisation null of Ord and Getis 1995 and Anselin 1995, Geographical Analysis 27; Boots and
 * Tiefelsdorf 2000, J. Geographical Systems 2, for exact laws of such statistics). The normal law is only its limit: with
 * seven places and long-tailed noise it rejects too often at 1 %. Noise is in the values, so it is in the law.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import type { NeighbourLists } from '#libs/grid';
import { uniforms } from '../laws/random-variates.js';
import { ringSums } from './spatial-weights.js';

/** A cell and its neighbours. */
const MOST_PLACES = 7;
/** Sums beyond this many outcomes would take minutes. */
const MOST_OUTCOMES = 1 << 18;

/** Tails of the sum of k values drawn without replacement, for every k up to seven at once. */
export interface DrawnSums {
  /** P(sum of k values >= sum) and P(sum of k values > sum). */
  tails(k: number, sum: number): { atLeast: number; above: number };
}

function checkValues(values: Float64Array): { least: number; most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) {
      throw new ConcordatError('invalid-count', 'exact p-values need whole, released counts');
    }
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (MOST_PLACES * (most - least) >= MOST_OUTCOMES) {
    throw new ConcordatError(
      'values-too-wide',
      'the counts spread too far for the exact law: use more budget or a shorter time',
    );
  }
  return { least, most };
}

/**
 * Counts the ways: the coefficient of y^k q^s in the product over all values v of (1 + y q^v). Values are taken less the
 * least one and in ascending order, so that row k never reaches beyond k times the value at hand. Throws `invalid-count`,
 * `values-too-wide`, `too-few-places`.
 */
export function drawnSums(values: Float64Array): DrawnSums {
  const { least, most } = checkValues(values);
  const counts = new Float64Array(Math.max(0, most - least) + 1);
  let n = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    counts[value - least] = (counts[value - least] as number) + 1;
    n++;
  }
  if (n < MOST_PLACES) {
    throw new ConcordatError('too-few-places', 'the exact law needs at least seven places');
  }
  const rows = Array.from(
    { length: MOST_PLACES + 1 },
    (_, k) => new Float64Array(k * (most - least) + 1),
  );
  (rows[0] as Float64Array)[0] = 1;
  counts.forEach((count, value) => {
    if (count > 0) addValue(rows, value, count);
  });
  const survivals = rows.map((row) => {
    const survival = new Float64Array(row.length + 1);
    for (let s = row.length - 1; s >= 0; s--) {
      survival[s] = (survival[s + 1] as number) + (row[s] as number);
    }
    return survival;
  });
  return {
    tails(k, sum) {
      const survival = survivals[k] as Float64Array;
      const at = sum - k * least;
      const ways = survival[0] as number;
      return {
        atLeast: (survival[at] as number) / ways,
        above: (survival[at + 1] as number) / ways,
      };
    },
  };
}

/** Multiplies the product by (1 + y q^value)^count, from the longest row down so that each term is added once. */
function addValue(rows: readonly Float64Array[], value: number, count: number): void {
  for (let k = MOST_PLACES; k > 0; k--) {
    const row = rows[k] as Float64Array;
    let ways = 1;
    for (let taken = 1; taken <= Math.min(k, count); taken++) {
      ways *= (count - taken + 1) / taken;
      const from = rows[k - taken] as Float64Array;
      const shift = taken * value;
      const end = Math.min(from.length, (k - taken) * value + 1);
      for (let s = 0; s < end; s++) {
        row[s + shift] = (row[s + shift] as number) + ways * (from[s] as number);
      }
    }
  }
}

/**
 * Two-sided p-value of every cell's G_i* (a cell and its neighbours in the domain): twice the smaller tail of the drawn sum.
 * It is conservative, as sums are whole numbers; with `random` it is randomised and uniform under the null. NaN where the
 * cell is missing. `values` are released counts or sums of them. Throws as `drawnSums`.
 */
export function giStarTails(
  values: Float64Array,
  neighbours: NeighbourLists,
  random?: RandomSource,
): Float64Array {
  const law = drawnSums(values);
  const known = values.map((value) => (Number.isNaN(value) ? 0 : value));
  const sums = ringSums(known, neighbours);
  const places = ringSums(
    values.map((value) => (Number.isNaN(value) ? 0 : 1)),
    neighbours,
  );
  const uniform = random && uniforms(random);
  return values.map((value, i) => {
    if (Number.isNaN(value)) return Number.NaN;
    const { atLeast, above } = law.tails(1 + (places[i] as number), (sums[i] as number) + value);
    if (uniform) {
      const upper = above + uniform() * (atLeast - above);
      return 2 * Math.min(upper, 1 - upper);
    }
    return Math.min(1, 2 * Math.min(atLeast, 1 - above));
  });
}
