/**
 * How many people two lists share, when names are misspelt, people move and marry, and nobody may see who matched.
 *
 * Each of eight key types counts the people whose records agree on some fields, and some strangers. `strangers.ts` takes those off;
 * `dependence.ts` goes from people who agree on something to all; here both are joined, with a 95 % interval by the delta method.
 */
import { ConcordatError } from '#libs/bytes';
import {
  basicForm,
  datesPresent,
  dependenceOf,
  dependentForm,
  formVariance,
  type Values,
} from './dependence.js';
import { COUNT_KEYS, type CountKey, type KeyCount, type OverlapCounts } from './overlap-counts.js';
import { type Agreeing, agreeingPeople } from './strangers.js';

export interface OverlapEstimate {
  readonly method: 'basic' | 'dependent';
  /** Shared labels of the strict key FSDL: what one hash of the whole identity finds. */
  readonly naive: number;
  readonly corrected: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

const BASIC_KEYS: readonly CountKey[] = ['FD', 'SDL', 'FSL', 'FSDL'];
const Z95 = 1.959963984540054;
const FIXED_POINT_ROUNDS = 30;
/** Widest interval, as a factor up and down: beyond, the delta method says nothing of what was counted. */
const WIDEST = 10;

const tooSmall = (): never => {
  throw new ConcordatError(
    'overlap-too-small',
    'too few agreeing records to correct for missed links',
  );
};

const union = (a: CountKey, b: CountKey): CountKey => {
  const fields = [...'FSDL'].filter((field) => a.includes(field) || b.includes(field)).join('');
  return fields as CountKey;
};

/** d log N / d log X_k: both forms are smooth. */
function elasticities(
  form: (x: Values) => number,
  values: Values,
  keys: readonly CountKey[],
): ReadonlyMap<CountKey, number> {
  const step = 1e-5;
  return new Map(
    keys.map((key) => {
      const [up, down] = [1 + step, 1 - step].map((factor) =>
        form({ ...values, [key]: values[key] * factor }),
      ) as [number, number];
      return [key, (up - down) / (2 * step)];
    }),
  );
}

/**
 * Delta method on log N. Given N people, X_k are overlapping binomial counts: Cov(X_k, X_l) = X_(k or l) - X_k X_l / N, so that
 * Var(log N) = sum e_k e_l X_(k or l) / (X_k X_l) - (sum e_k)^2 / N, and what strangers, decoys and noise add.
 */
function logVariance(
  elasticity: ReadonlyMap<CountKey, number>,
  agree: ReadonlyMap<CountKey, Agreeing>,
  people: number,
): number {
  let variance = -([...elasticity.values()].reduce((sum, e) => sum + e, 0) ** 2) / people;
  for (const [a, ea] of elasticity) {
    const xa = agree.get(a) as Agreeing;
    variance += (ea / xa.value) ** 2 * xa.variance;
    for (const [b, eb] of elasticity) {
      const xb = agree.get(b) as Agreeing;
      const both = agree.get(union(a, b)) as Agreeing;
      // The same twins disturb SD, DL and SDL; namesakes of one household disturb FSL alone.
      const strangers =
        a === b || (!a.includes('F') && !b.includes('F'))
          ? Math.min(xa.relatives, xb.relatives) + xa.unknown * xb.unknown + xa.counted * xb.counted
          : 0;
      variance += (ea * eb * (both.value + strangers)) / (xa.value * xb.value);
    }
  }
  return Math.max(0, variance);
}

/**
 * The corrected overlap and its interval: dependent form where all eight key types were counted, else the basic one.
 * Throws `too-few-counts` unless FD, SDL, FSL and FSDL are there, and `overlap-too-small` when a corrected count is under 5, or the
 * interval reaches further than ten times up and down: then publish nothing but the naive count.
 */
export function estimateOverlap(overlap: OverlapCounts): OverlapEstimate {
  const { counts, noiseVariance } = overlap;
  const keys = COUNT_KEYS.filter((key) => counts[key] !== undefined);
  if (!BASIC_KEYS.every((key) => keys.includes(key))) {
    throw new ConcordatError(
      'too-few-counts',
      'the estimate needs the counts of FD, SDL, FSL and FSDL',
    );
  }
  const isComplete = keys.length === COUNT_KEYS.length;
  const presentFor = (x: Values): number => datesPresent(overlap, x.FSDL / x.FSL);
  const dependent = (x: Values): number =>
    dependentForm(x, dependenceOf(x, noiseVariance), presentFor(x));
  const form = isComplete ? dependent : basicForm;
  let people = Math.max(1, counts.FD?.shared ?? 1);
  let agree = new Map<CountKey, Agreeing>();
  let values: Values = { FD: 1, SD: 1, DL: 1, FSD: 1, FDL: 1, SDL: 1, FSL: 1, FSDL: 1 };
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    const now = people;
    agree = new Map(
      keys.map((key) => [key, agreeingPeople(counts[key] as KeyCount, now, noiseVariance)]),
    );
    values = {
      ...values,
      ...Object.fromEntries([...agree].map(([key, { value }]) => [key, value])),
    };
    people = Math.exp(form(values));
  }
  // Noise may leave a form that is no number: more disagreement than people.
  if (!Number.isFinite(people) || [...agree.values()].some(({ value }) => !(value >= 5))) {
    return tooSmall();
  }
  const elasticity = elasticities(form, values, isComplete ? COUNT_KEYS : BASIC_KEYS);
  const allowance = isComplete
    ? formVariance(values, dependenceOf(values, noiseVariance), presentFor(values))
    : 0;
  const width = Math.exp(Z95 * Math.sqrt(logVariance(elasticity, agree, people) + allowance));
  if (!(width <= WIDEST)) tooSmall();
  return {
    method: isComplete ? 'dependent' : 'basic',
    naive: counts.FSDL?.shared ?? 0,
    corrected: people,
    low: people / width,
    high: people * width,
  };
}
