/** The statistics a terminal can ask for: one JSON document in, one out. */
import { z } from 'zod';
import {
  coverage,
  detectableFall,
  giStar,
  lorenz,
  mannKendall,
  moran,
  moranPermutation,
  type NoiseLaw,
  noisePmf,
  noiseVariance,
  noisyTail,
  power,
  scan,
  scanP,
  weightedDisplacement,
  weightsFromTriples,
} from '#libs/analytics';
import { ConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { type NoiseOptions, noiseLaw, noiseSampler } from './noise.js';

const finite = z.number();
const values = z.array(finite).min(1);
const weights = z.array(z.tuple([z.int(), z.int(), finite]));
const variance = z.number().min(0).default(0);
const mechanism = z.enum(['discrete-laplace', 'discrete-gaussian']);

const GiStarInput = z.strictObject({ values, weights, star: z.boolean().default(true) });
const draws = z.int().min(0).max(100_000).default(0);
/** All pairs of periods are compared, and their slopes kept: 5,000 periods take 100 MB. */
const MOST_PERIODS = 5_000;
/** Steps of a Monte Carlo p-value, about half a minute. */
const MOST_STEPS = 2e9;
const MoranInput = z.strictObject({ values, weights, variance, draws });
const MannKendallInput = z.strictObject({
  series: z.array(finite.nullable()).min(1).max(MOST_PERIODS),
  variance,
});
const LorenzInput = z.strictObject({ counts: values });
const noiseFields = {
  mechanism: mechanism.optional(),
  epsilon: z.number().positive().optional(),
  sigma2: z.number().positive().optional(),
};
const WddInput = z.strictObject({
  treatedBefore: finite,
  treatedAfter: finite,
  controlBefore: finite,
  controlAfter: finite,
  displacementBefore: finite.default(0),
  displacementAfter: finite.default(0),
  displacementControlBefore: finite.default(0),
  displacementControlAfter: finite.default(0),
  variance: z.number().min(0).optional(),
  ...noiseFields,
  terms: z.int().min(1).optional(),
});
const ScanInput = z.strictObject({
  counts: z.array(finite.nullable()).min(1),
  expected: z.array(z.number().positive()).min(1),
  zones: z.array(z.array(z.int()).min(1)).min(1),
  model: z.enum(['expectation', 'conditional']).default('expectation'),
  variance: z.number().min(0).optional(),
  ...noiseFields,
  draws,
});
const TailInput = z.strictObject({
  lambda: z.number().min(0),
  m: z.int().min(0).default(1),
  ...noiseFields,
  mechanism,
  z: finite,
});

const CoverageInput = z.strictObject({
  periods: z.array(z.array(finite.nullable()).min(1)).min(1),
  ...noiseFields,
});
const PowerInput = z.strictObject({
  treated: z.number().min(0),
  control: z.number().min(0),
  change: z.number().min(-1).default(-0.3),
  terms: z.int().min(0).default(4),
  size: z.number().gt(0).lt(1).default(0.05),
  ...noiseFields,
});

const toSeries = (list: readonly (number | null)[]): Float64Array =>
  Float64Array.from(list, (value) => value ?? Number.NaN);

/** NaN is no JSON: null stands for an undefined figure, such as the z of constant values. */
const toJson = (list: Float64Array): (number | null)[] =>
  Array.from(list, (value) => (Number.isFinite(value) ? value : null));

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the document';
  throw new ConcordatError('malformed-input', `${where}: ${issue?.message}; see --help`);
}

/** One statistic: `compute` checks the document, refuses what it does not know and returns what is printed. */
export interface Statistic {
  readonly summary: string;
  readonly example: string;
  compute(input: unknown, random: RandomSource): object;
}

const DEFINITIONS: Readonly<Record<string, Statistic>> = {
  'gi-star': {
    summary:
      "Getis-Ord G_i* (star: a place's own weight is 1 unless given) or G_i (own weights do not count) z-scores, one per value",
    example: '{"values":[3,0,1,9],"weights":[[0,1,1],[1,0,1],[2,3,1],[3,2,1]],"star":true}',
    compute(input) {
      const { values, weights, star } = read(GiStarInput, input);
      const rows = weightsFromTriples(values.length, weights, star);
      const z = giStar(Float64Array.from(values), rows, star);
      // A score is undefined where there is nothing to compare; one that overflowed is not.
      checkFinite(values.reduce((sum, value) => sum + value * value, 0));
      checkFinite(weights.reduce((sum, [, , weight]) => sum + weight * weight, 0));
      return { z: toJson(z) };
    },
  },
  moran: {
    summary:
      "Moran's I, its variance under randomisation and normality, p in the normal limit; with draws also by permutations",
    example: '{"values":[3,0,1,9],"weights":[[0,1,1],[1,0,1],[1,2,1],[2,1,1],[2,3,1],[3,2,1]]}',
    compute(input, random) {
      const { values, weights, variance, draws } = read(MoranInput, input);
      const rows = weightsFromTriples(values.length, weights, false);
      checkWork(draws, values.length + weights.length);
      const released = Float64Array.from(values);
      const { iDenoised, ...rest } = moran(released, rows, variance);
      return {
        ...rest,
        ...(variance > 0 ? { iDenoised: toJson(Float64Array.of(iDenoised))[0] } : {}),
        ...(draws > 0 ? { pPermutation: moranPermutation(released, rows, { random, draws }) } : {}),
      };
    },
  },
  'mann-kendall': {
    summary: 'Mann-Kendall trend test and Theil-Sen slope of a series (null: missing period)',
    example: '{"series":[4,5,3,8,9,null,12],"variance":1.84}',
    compute(input) {
      const { series, variance } = read(MannKendallInput, input);
      return mannKendall(toSeries(series), variance);
    },
  },
  lorenz: {
    summary: 'Lorenz curve (cells in descending order of count, none below 0) and Gini coefficient',
    example: '{"counts":[10,4,3,2,1,0,0,0]}',
    compute(input) {
      return lorenz(Float64Array.from(read(LorenzInput, input).counts));
    },
  },
  wdd: {
    summary:
      'weighted displacement difference; noise: summed variance, or mechanism and terms (default: counts given)',
    example:
      '{"treatedBefore":40,"treatedAfter":22,"controlBefore":38,"controlAfter":36,"displacementBefore":12,"displacementAfter":13,"displacementControlBefore":14,"displacementControlAfter":12}',
    compute: computeWdd,
  },
  scan: {
    summary: 'log likelihood ratio of zones; with draws also a Monte Carlo p-value of the largest',
    example:
      '{"counts":[9,8,1,0],"expected":[4,4,4,4],"zones":[[0],[0,1],[2,3]],"mechanism":"discrete-laplace","epsilon":1,"draws":999}',
    compute: computeScan,
  },
  tail: {
    summary: 'P(Poisson(lambda) + sum of m noise terms >= z), exact by convolution',
    example: '{"lambda":4.2,"m":12,"mechanism":"discrete-laplace","epsilon":0.5,"z":31}',
    compute(input) {
      const { lambda, m, z: count, ...noise } = read(TailInput, input);
      return { p: noisyTail(noisePmf(noiseLaw(noise)), m).atLeast(lambda, count) };
    },
  },
  coverage: {
    summary:
      'gaps in a record: share of silent units per period (rows: periods; null: undelivered)',
    example: '{"periods":[[30,31],[29,33],[0,30],[31,29],[30,32],[28,30],[32,31]]}',
    compute: computeCoverage,
  },
  power: {
    summary: 'chance that wdd finds a change under noise, and the smallest fall found 4 times in 5',
    example:
      '{"treated":200,"control":200,"change":-0.3,"mechanism":"discrete-laplace","epsilon":0.5}',
    compute: computePower,
  },
};

/** Doubles end at 1.8e308 and 5e-324: an answer beyond them is none. */
function checkFinite(answer: unknown): void {
  if (typeof answer === 'number') {
    if (Number.isFinite(answer)) return;
    throw new ConcordatError(
      'out-of-range',
      'the numbers given are too large or too small to compute with: counts and weights of ordinary size are expected',
    );
  }
  if (typeof answer === 'object' && answer !== null) Object.values(answer).forEach(checkFinite);
}

export const STATISTICS: Readonly<Record<string, Statistic>> = Object.fromEntries(
  Object.entries(DEFINITIONS).map(([name, statistic]) => [
    name,
    {
      ...statistic,
      compute(input: unknown, random: RandomSource): object {
        const answer = statistic.compute(input, random);
        checkFinite(answer);
        return answer;
      },
    },
  ]),
);

function checkWork(draws: number, stepsOfADraw: number): void {
  if (draws * stepsOfADraw <= MOST_STEPS) return;
  throw new ConcordatError('too-much-work', 'ask for fewer draws, or for fewer places and zones');
}

type OptionalNoise = { readonly [K in keyof NoiseOptions]?: NoiseOptions[K] | undefined };

const lawOf = ({ mechanism: name, ...rest }: OptionalNoise): NoiseLaw => {
  if (name) return noiseLaw({ mechanism: name, ...rest });
  if (rest.epsilon === undefined && rest.sigma2 === undefined) return { mechanism: 'none' };
  throw new ConcordatError('malformed-input', 'epsilon and sigma2 need a mechanism; see --help');
};

function computeWdd(input: unknown): object {
  const { variance, terms, mechanism, epsilon, sigma2, ...counts } = read(WddInput, input);
  const law = lawOf({ mechanism, epsilon, sigma2 });
  if (law.mechanism !== 'none' && variance !== undefined) {
    throw new ConcordatError('malformed-input', 'give a mechanism or a variance, not both');
  }
  if (law.mechanism === 'none') {
    if (!variance && Object.values(counts).some((count) => count < 0)) {
      throw new ConcordatError(
        'invalid-count',
        'counts without noise are from 0: give the mechanism or the variance of noisy ones',
      );
    }
    return weightedDisplacement(counts, variance ?? 0);
  }
  // Every count that was given is one released count; the others are not there and carry no noise.
  const given = Object.keys(counts).filter((name) => name in (input as object)).length;
  return weightedDisplacement(counts, { law, terms: terms ?? given });
}

function computeCoverage(input: unknown): object {
  const { periods, ...noise } = read(CoverageInput, input);
  if (periods.some((period) => period.length !== periods[0]?.length)) {
    throw new ConcordatError('malformed-input', 'every period has one count per unit; see --help');
  }
  return { periods: coverage(periods.map(toSeries), lawOf(noise)) };
}

function computePower(input: unknown): object {
  const { treated, control, change, terms, size, ...noise } = read(PowerInput, input);
  const question = { treated, control, size, noiseVariance: terms * noiseVariance(lawOf(noise)) };
  if (treated === 0) {
    throw new ConcordatError('malformed-input', 'treated: nothing falls from 0; see --help');
  }
  return {
    power: power({ ...question, change }),
    detectableFall: detectableFall(question) ?? null,
  };
}

function computeScan(input: unknown, random: RandomSource): object {
  const { counts, expected, zones, model, draws, variance, ...noise } = read(ScanInput, input);
  const law = noise.mechanism ? lawOf(noise) : undefined;
  if (law && variance !== undefined) {
    throw new ConcordatError('malformed-input', 'give a mechanism or a variance, not both');
  }
  if (variance && draws > 0) {
    throw new ConcordatError('malformed-input', 'a p-value under noise needs the mechanism');
  }
  if (counts.length !== expected.length) {
    throw new ConcordatError('invalid-scan', 'counts and expected have the same length');
  }
  const isZone = (zone: readonly number[]): boolean =>
    zone.every((place) => place >= 0 && place < counts.length) &&
    new Set(zone).size === zone.length;
  if (!zones.every(isZone)) {
    throw new ConcordatError(
      'invalid-zone',
      'zones hold positions of places, counted from 0, each once',
    );
  }
  const members = zones.flat();
  checkWork(draws, counts.length + zones.length + members.length);
  const offsets = [0];
  for (const zone of zones) offsets.push((offsets.at(-1) as number) + zone.length);
  const prepared = {
    counts: toSeries(counts),
    expected: Float64Array.from(expected),
    zones: { offsets: Int32Array.from(offsets), members: Int32Array.from(members) },
    model,
    noiseVariance: law ? noiseVariance(law) : (variance ?? 0),
  };
  const { llr, best } = scan(prepared);
  const result = {
    llr: toJson(llr),
    best: best < 0 ? null : { zone: best, llr: llr[best] as number },
  };
  if (draws === 0) return result;
  const sampler = law ? { sampler: noiseSampler(law) } : {};
  return { ...result, p: scanP(prepared, { ...sampler, random, draws }), draws };
}
