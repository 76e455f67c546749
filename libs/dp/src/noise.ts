import { ConcordatError } from '#libs/bytes';
import { type ExactCounts, type NoisyCounts, noisyCountsOfMechanism } from './count.js';
import type { NoiseSampler } from './inversion-table.js';
import type { RandomSource } from './random.js';

/** Noise for one vector, drawn and not yet used. It serves one release: `addNoise` refuses it a second time. */
export interface Noise {
  readonly length: number;
}

const fresh = new WeakMap<Noise, Int32Array>();

/** Draws noise for `length` cells in bulk. Call it before the counts are read, so that timing tells nothing of them. */
export function drawNoise(length: number, sampler: NoiseSampler, random: RandomSource): Noise {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new ConcordatError('bad-length', 'the number of cells is a non-negative integer');
  }
  const values = new Int32Array(length);
  sampler.sampleInto(values, random);
  const noise: Noise = Object.freeze({ length });
  fresh.set(noise, values);
  return noise;
}

/** One level of a tree: how many nodes it has and what each of them is measured with. */
export interface LevelNoise {
  readonly nodes: number;
  readonly sampler: NoiseSampler;
}

/**
 * Noise for the vector of `groups` trees, one after another, each level after level as its nodes are numbered. Drawn in bulk
 * before the counts are read, like `drawNoise`.
 */
export function drawTreeNoise(
  levels: readonly LevelNoise[],
  groups: number,
  random: RandomSource,
): Noise {
  const nodes = levels.reduce((sum, level) => sum + level.nodes, 0);
  const values = new Int32Array(nodes * groups);
  let at = 0;
  for (let g = 0; g < groups; g++) {
    for (const level of levels) {
      level.sampler.sampleInto(values.subarray(at, at + level.nodes), random);
      at += level.nodes;
    }
  }
  const noise: Noise = Object.freeze({ length: values.length });
  fresh.set(noise, values);
  return noise;
}

/**
 * exact + noise, cell by cell; negative results stay (clipping at zero would bias every total upward). Uses the noise up.
 * Throws `noise-reused`, `length-mismatch`, and `count-overflow` for a sum outside int32 instead of wrapping.
 */
export function addNoise(exact: ExactCounts, noise: Noise): NoisyCounts {
  const values = fresh.get(noise);
  if (!values) {
    throw new ConcordatError('noise-reused', 'draw new noise for every release: this was used');
  }
  fresh.delete(noise);
  if (exact.length !== values.length) {
    throw new ConcordatError('length-mismatch', 'draw noise for exactly the cells of the domain');
  }
  for (let i = 0; i < values.length; i++) {
    const sum = (exact[i] as number) + (values[i] as number);
    if (sum !== (sum | 0)) {
      throw new ConcordatError('count-overflow', 'a noisy count does not fit 32 bits');
    }
    values[i] = sum;
  }
  return noisyCountsOfMechanism(values);
}
