/**
 * The estimator on invented populations (see `synthetic-people.ts`) whose true overlap is known. 20 populations in a usual
 * run, 400 with CONCORDAT_NIGHTLY=1. A false alarm has probability under 1e-6 per assertion: bias is compared with 2 % and
 * five standard errors, coverage is rejected only when its exact 1e-6 interval misses 93-97 %.
 */
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, type RandomSource, type Rational, rational } from '#libs/dp';
import { clopperPearson, seededRandom } from '#libs/testing';
import { plainCounts } from './count-keys.js';
import { noiseVariance } from './count-noise.js';
import { estimateOverlap } from './overlap.js';
import type { KeyCount, OverlapCounts } from './overlap-counts.js';
import { standardise } from './standardise.js';
import { type SyntheticPlan, type SyntheticRecord, syntheticLists } from './synthetic-people.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
const RUNS = NIGHTLY ? 400 : 20;
const SIZE = NIGHTLY ? 1500 : 500;

/** Milliseconds a case may take on a busy machine. */
const TIMEOUT = RUNS * 12_000;

const people = (records: readonly SyntheticRecord[]) =>
  records.map(({ record }) => standardise(record));

/** Counts as a counter releases them: discrete Laplace noise of `scale` from both sides on every number. */
function withNoise(exact: OverlapCounts, scale: Rational, random: RandomSource): OverlapCounts {
  const plan = { scale, dummyMean: 0 };
  const noisy = (value: number): number => {
    const two = new Int32Array(2);
    discreteLaplace({ scale }).sampleInto(two, random);
    return value + (two[0] as number) + (two[1] as number);
  };
  const counts = Object.entries(exact.counts).map(([key, count]): [string, KeyCount] => [
    key,
    {
      ...count,
      shared: noisy(count.shared),
      decoys: count.decoys === null ? null : noisy(count.decoys),
      relatives: count.relatives && {
        left: noisy(count.relatives.left),
        right: noisy(count.relatives.right),
      },
    },
  ]);
  return { counts: Object.fromEntries(counts), noiseVariance: noiseVariance(plan) };
}

type Case = Omit<SyntheticPlan, 'both' | 'onlyLeft' | 'onlyRight'> & {
  readonly noiseScale?: Rational;
};

function simulate(name: string, { noiseScale, ...plan }: Case) {
  const ratios: number[] = [];
  let covered = 0;
  let naive = 0;
  for (let run = 0; run < RUNS; run++) {
    const sizes = { both: SIZE, onlyLeft: 2 * SIZE, onlyRight: 2 * SIZE };
    const random = seededRandom(`${name} ${run}`);
    const { left, right } = syntheticLists({ ...plan, ...sizes }, random);
    const exact = plainCounts(people(left), people(right));
    const estimate = estimateOverlap(noiseScale ? withNoise(exact, noiseScale, random) : exact);
    ratios.push(estimate.corrected / SIZE);
    if (estimate.low <= SIZE && SIZE <= estimate.high) covered++;
    naive += (exact.counts.FSDL?.shared ?? 0) / SIZE / RUNS;
  }
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / RUNS;
  const spread = Math.sqrt(ratios.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (RUNS - 1));
  return { bias: mean - 1, error: spread / Math.sqrt(RUNS), covered, naive };
}

/** Cases of the nightly run only. */
const RARER: [string, Case][] = [
  ['errors that come together more often', { dependence: 2 }],
  ['people with a single name', { dependence: 1, singleNames: 0.05 }],
  ['few changes of name', { dependence: 1, nameChange: 0.02 }],
];

describe(`overlap estimate over ${RUNS} populations`, () => {
  it.each<[string, Case]>([
    ['errors that come together', { dependence: 1 }],
    ['independent errors', { dependence: 0 }],
    ['many changes of name', { dependence: 1, nameChange: 0.2 }],
    ['noise on every count', { dependence: 1, noiseScale: rational(3n) }],
    ...(NIGHTLY ? RARER : []),
  ])(
    '%s',
    (name, plan) => {
      const { bias, error, covered, naive } = simulate(name, plan);
      expect(naive).toBeLessThan(0.72);
      expect(Math.abs(bias)).toBeLessThan(0.02 + 5 * error);
      const { lower, upper } = clopperPearson(covered, RUNS, 1e-6);
      expect(upper).toBeGreaterThan(0.93);
      expect(lower).toBeLessThan(0.97);
    },
    TIMEOUT,
  );
});

describe('synthetic people', () => {
  const plan = { both: 300, onlyLeft: 100, onlyRight: 200, dependence: 1 };
  const lists = syntheticLists(plan, seededRandom('people'));

  it('have the sizes asked for, say that they are synthetic, and come again from the same seed', () => {
    expect([lists.left.length, lists.right.length]).toEqual([400, 500]);
    const right = new Set(lists.right.map(({ person }) => person));
    expect(lists.left.filter(({ person }) => right.has(person))).toHaveLength(300);
    for (const record of [...lists.left, ...lists.right]) {
      expect(record.synthetic).toBe(true);
      expect(record.person).toMatch(/^synthetic-\d+$/);
    }
    expect(syntheticLists(plan, seededRandom('people'))).toEqual(lists);
    expect(syntheticLists(plan, seededRandom('others'))).not.toEqual(lists);
  });

  it('disagree about as often as UK studies report: surname near 18 %, forename near 12 %', () => {
    const many = syntheticLists({ ...plan, both: 6000 }, seededRandom('rates'));
    const right = new Map(many.right.map(({ person, record }) => [person, record]));
    const pairs = many.left.flatMap(({ person, record }) => {
      const other = right.get(person);
      return other ? [[record, other] as const] : [];
    });
    const differ = (field: 'forename' | 'surname') =>
      pairs.filter(([a, b]) => a[field]?.toLowerCase() !== b[field]?.toLowerCase()).length /
      pairs.length;
    expect(differ('surname')).toBeGreaterThan(0.15);
    expect(differ('surname')).toBeLessThan(0.23);
    expect(differ('forename')).toBeGreaterThan(0.09);
    expect(differ('forename')).toBeLessThan(0.17);
  });
});
