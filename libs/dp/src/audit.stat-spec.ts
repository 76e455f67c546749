import { describe, expect, it } from '@jest/globals';
import { auditEpsilonLowerBound, clopperPearson, seededRandom } from '#libs/testing';
import {
  addNoise,
  answerEvents,
  type ContributionBounds,
  discreteGaussian,
  discreteLaplace,
  drawNoise,
  epsilonAtDelta,
  exactCounts,
  type LevelVariance,
  levelVariances,
  type NoiseSampler,
  parseRho,
  pureEpsilon,
  querySensitivity,
  type Resolution,
  rational,
} from './index.js';

/**
 * Hockey-stick audits: a mechanism that claims (epsilon, delta) must not be shown, on neighbouring datasets, to have a larger
 * epsilon. The lower bound is wrong with probability at most 1e-6 (Clopper-Pearson); seeds are fixed.
 */
const TRIALS = 100_000;
const DELTA = 1e-2;

const DEPTH: Resolution = 5;
const PERSON: ContributionBounds = { unit: 'person', perGroup: 4, perYear: 4 };
const rho = parseRho('1/8');

/** One released count per level (the person's cell and its ancestors), and its log-likelihood ratio for `change` records. */
function releases(
  levels: readonly LevelVariance[],
  records: number,
  change: number,
  seed: string,
): Float64Array {
  const random = seededRandom(seed);
  const statistic = new Float64Array(TRIALS);
  for (const { sigma2 } of levels) {
    const variance = Number(sigma2.num) / Number(sigma2.den);
    const noise = drawNoise(TRIALS, discreteGaussian({ sigma2 }), random);
    const released = addNoise(exactCounts(new Array<number>(TRIALS).fill(records)), noise);
    released.forEach((value, i) => {
      statistic[i] = (statistic[i] as number) + (value * change) / variance;
    });
  }
  return statistic;
}

/** What the answer path would show an attacker who knows all but one person, against what it claims. */
function audit(levels: readonly LevelVariance[], seed: string) {
  const change = PERSON.perGroup;
  const { epsilon } = auditEpsilonLowerBound(
    releases(levels, 7 + change, change, `${seed} with`),
    releases(levels, 7, change, `${seed} without`),
    { delta: DELTA },
  );
  return epsilon;
}

const l2SensitivitySquared = querySensitivity(PERSON, 1).l2Squared;
const sound = levelVariances({ rho, finest: DEPTH, l2SensitivitySquared });
const claimed = epsilonAtDelta(answerEvents(sound, PERSON, 1), DELTA).upper;

describe('the audit of a tree of counts', () => {
  it('finds no more loss than claimed, and most of it', () => {
    const found = audit(sound, 'sound');
    expect(found).toBeLessThanOrEqual(claimed);
    expect(found).toBeGreaterThan(0.6 * claimed);
  });

  it('mutant: sensitivity 1 for m records is caught', () => {
    const mutant = levelVariances({ rho, finest: DEPTH, l2SensitivitySquared: 1n });
    expect(audit(mutant, 'one')).toBeGreaterThan(claimed);
  });

  it('mutant: the tree-L2 bug, m instead of m^2 (opendp #2924), is caught', () => {
    const records = BigInt(PERSON.perGroup);
    const mutant = levelVariances({ rho, finest: DEPTH, l2SensitivitySquared: records });
    expect(audit(mutant, 'tree')).toBeGreaterThan(claimed);
  });

  it('mutant: the whole rho at every level is caught', () => {
    const mutant = sound.map((level) => ({
      ...level,
      sigma2: rational(l2SensitivitySquared * rho.den, 2n * rho.num),
    }));
    expect(audit(mutant, 'whole')).toBeGreaterThan(claimed);
  });
});

describe('the audit of one discrete Laplace count', () => {
  it('finds no more than the pure epsilon; an output of the wrong scale is caught', () => {
    const scale = rational(1n);
    const event = { mechanism: 'discrete-laplace', scale, sensitivity: 1, count: 1 } as const;
    const limit = Number(pureEpsilon(event).num);
    const sample = (sampler: NoiseSampler, count: number, seed: string) =>
      addNoise(
        exactCounts(new Array<number>(TRIALS).fill(count)),
        drawNoise(TRIALS, sampler, seededRandom(seed)),
      );
    const run = (sampler: NoiseSampler) =>
      auditEpsilonLowerBound(sample(sampler, 8, 'a'), sample(sampler, 7, 'b'), { delta: 0 })
        .epsilon;
    const found = run(discreteLaplace({ scale }));
    expect(found).toBeLessThanOrEqual(limit);
    expect(found).toBeGreaterThan(0.9 * limit);
    expect(run(discreteLaplace({ scale: rational(4n, 5n) }))).toBeGreaterThan(limit);
  });
});

describe('bias of a sparse total', () => {
  /** |mean error| of the total of 2,000 mostly empty cells, in standard errors. */
  const bias = (post: (released: Int32Array) => Int32Array): number => {
    const cells = 2000;
    const runs = 200;
    const random = seededRandom('bias');
    const sampler = discreteGaussian({ sigma2: rational(4n) });
    const truth = new Array<number>(cells).fill(0).fill(1, 0, 66);
    const errors = Array.from({ length: runs }, () => {
      const released = addNoise(exactCounts(truth), drawNoise(cells, sampler, random));
      return post(released).reduce((sum, x) => sum + x, 0) - 66;
    });
    const mean = errors.reduce((a, b) => a + b) / runs;
    const variance = errors.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (runs - 1);
    return Math.abs(mean) / Math.sqrt(variance / runs);
  };

  it('is within 5 standard errors (false alarm 6e-7); the mutant that clips at zero is not', () => {
    expect(bias((released) => released)).toBeLessThan(5);
    expect(bias((released) => released.map((x) => Math.max(0, x)))).toBeGreaterThan(5);
  });
});

describe('Clopper-Pearson bounds', () => {
  it('have the textbook values', () => {
    // 0 of n: upper = 1 - alpha^(1/n); n of n: lower = alpha^(1/n); 5 of 10 at 2.5 %: 0.1871, 0.8129.
    expect(clopperPearson(0, 100, 0.05).upper).toBeCloseTo(1 - 0.05 ** (1 / 100), 12);
    expect(clopperPearson(100, 100, 0.05).lower).toBeCloseTo(0.05 ** (1 / 100), 12);
    const five = clopperPearson(5, 10, 0.025);
    expect(five.lower).toBeCloseTo(0.187086, 6);
    expect(five.upper).toBeCloseTo(0.812914, 6);
  });
});
