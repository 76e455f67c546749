/**
 * Which cells are hotter than expected? The exact tail of every cell, or of every cell with its neighbours, under
 * Poisson(expected) + noise, and Benjamini-Hochberg over the whole public domain: testing only the cells that look high
 * would already have used the data.
 */
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import type { NeighbourLists } from '#libs/grid';
import { type NoisyTail, noisyTail } from '../laws/exact-tail.js';
import { type NoiseLaw, noisePmf } from '../laws/pmf.js';
import { uniforms } from '../laws/random-variates.js';
import { benjaminiHochberg, type Discoveries } from './false-discovery.js';
import { ringSums } from './spatial-weights.js';

export interface HotCellInput {
  /** Released sum of each cell; NaN where nothing is known. */
  readonly sums: Float64Array;
  /** Expected true sum of each cell when it is not hot, from earlier periods, another release or a public rate. */
  readonly expected: Float64Array;
  /** Released counts that each sum is made of: one noise term each. */
  readonly terms: Float64Array;
  readonly law: NoiseLaw;
}

/**
 * p-value of every cell, P(X >= z). It is conservative, as counts are whole numbers; with `random` it is the randomised
 * p-value, uniform when the cell is not hot. Throws `invalid-input` when lengths differ.
 */
export function cellTails(input: HotCellInput, random?: RandomSource): Float64Array {
  const { sums, expected, terms, law } = input;
  if (sums.length !== expected.length || sums.length !== terms.length) {
    throw new ConcordatError('invalid-input', 'sums, expected and terms have one entry per cell');
  }
  const pmf = noisePmf(law);
  const prepared = new Map<number, NoisyTail>();
  const uniform = random && uniforms(random);
  const tails = new Float64Array(sums.length).fill(Number.NaN);
  for (let i = 0; i < tails.length; i++) {
    const sum = sums[i] as number;
    if (Number.isNaN(sum)) continue;
    const count = terms[i] as number;
    let tail = prepared.get(count);
    if (!tail) {
      tail = noisyTail(pmf, count);
      prepared.set(count, tail);
    }
    const { atLeast, above } = tail.pair(expected[i] as number, sum);
    tails[i] = uniform ? above + uniform() * (atLeast - above) : atLeast;
  }
  return tails;
}

/** The same for each cell together with its neighbours in the domain (the neighbourhood of G_i*). */
export function neighbourhoodTails(
  { sums, expected, terms, law }: HotCellInput,
  neighbours: NeighbourLists,
  random?: RandomSource,
): Float64Array {
  const pool = (values: Float64Array): Float64Array => {
    const known = values.map((value, i) => (Number.isNaN(sums[i] as number) ? 0 : value));
    const near = ringSums(known, neighbours);
    return near.map((sum, i) =>
      Number.isNaN(sums[i] as number) ? Number.NaN : sum + (known[i] as number),
    );
  };
  return cellTails({ sums: pool(sums), expected: pool(expected), terms: pool(terms), law }, random);
}

export interface HotCells extends Discoveries {
  readonly p: Float64Array;
}

/** Cells hotter than expected at false discovery rate `rate`: those with p <= threshold. */
export function hotCells(input: HotCellInput, rate: number): HotCells {
  const p = cellTails(input);
  return { p, ...benjaminiHochberg(p, rate) };
}
