/**
 * How many people two lists share, when names are misspelt, people move and marry, and nobody may see who matched.
 *
 * Write F, S, D, L for forename, surname, date of birth and location, and X_k for the number of people known to both whose
 * records agree on the fields of k. Each is counted by one key type. Without the people whose records disagree, no single
 * X_k is the overlap N; a product of them is:
 *
 *   basic      N = X_FD / (f d),  f = X_FSDL / X_SDL,  d = X_FSDL / X_FSL
 *   dependent  N = X_FD / (f' d'),  1 - f' = r (1 - f),  1 - d' = r (1 - d),
 *              r = (1 - X_FSD / X_SD) (1 - X_FDL / X_DL) / (1 - f)^2
 *
 * The basic form is exact when agreement on F and on D are independent of all else (Chapman-like capture, cf. Ding, Fienberg
 * 2015). Errors come together, though (a poor encounter spoils several fields), so f and d, the agreement of people who agree on
 * all else, are too high, and N too low. The dependent form takes disagreement on F of people who agree on D alone from what S and
 * L each tell, without three-way interaction (Bishop, Fienberg, Holland 1975, section 6.4): it is r times as frequent as
 * among those who agree on all. A cause that all fields share raises disagreement on D by the same factor.
 *
 * A counted set holds strangers too. Chance ones are measured by decoys (one list's dates shifted), relatives by labels
 * that several people of one list share.
 */
import { ConcordatError } from '#libs/bytes';

/** Key types by the fields they hold. */
export const COUNT_KEYS = ['FD', 'SD', 'DL', 'FSD', 'FDL', 'SDL', 'FSL', 'FSDL'] as const;
export type CountKey = (typeof COUNT_KEYS)[number];

/** What was counted of one key type; DP noise may have been added to each number. */
export interface KeyCount {
  /** Distinct labels shared by the two lists. */
  readonly shared: number;
  /** Distinct labels of the left and of the right list. */
  readonly left: number;
  readonly right: number;
  /** Labels the left list shares with the right list's decoys; null where none were made. */
  readonly decoys: number | null;
  /** Labels that several people of one list share: two of them differ in a field the key lacks. Null where not counted. */
  readonly relatives: { readonly left: number; readonly right: number } | null;
}

export interface OverlapCounts {
  readonly counts: Readonly<Partial<Record<CountKey, KeyCount>>>;
  /** Variance of the DP noise on every number of shared labels, decoys and relatives; 0 where exact. */
  readonly noiseVariance: number;
}

export interface OverlapEstimate {
  readonly method: 'basic' | 'dependent';
  /** Shared labels of the strict key FSDL: what one hash of the whole identity finds. */
  readonly naive: number;
  readonly corrected: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/** Counts of agreeing pairs of the key types that a form uses. */
type Values = Readonly<Record<CountKey, number>>;

const BASIC_KEYS: readonly CountKey[] = ['FD', 'SDL', 'FSL', 'FSDL'];

/** log N, basic form. */
const basicForm = (x: Values): number => Math.log((x.FD * x.SDL * x.FSL) / x.FSDL ** 2);

/** A factor beyond these is noise of a few disagreements, not a common cause; below 1 % of disagreement there is hardly any evidence. */
const [LEAST_FACTOR, MOST_FACTOR] = [0.5, 2];
const LITTLE_SQUARED = 0.01 ** 2;

/** log N, dependent form. */
function dependentForm(x: Values): number {
  const missed = 1 - x.FSDL / x.SDL;
  const product = (1 - x.FSD / x.SD) * (1 - x.FDL / x.DL);
  const factor = Math.min(
    MOST_FACTOR,
    Math.max(LEAST_FACTOR, (product + LITTLE_SQUARED) / (missed ** 2 + LITTLE_SQUARED)),
  );
  const agreeF = 1 - factor * missed;
  const agreeD = 1 - factor * (1 - x.FSDL / x.FSL);
  return Math.log(x.FD / (agreeF * agreeD));
}

const Z95 = 1.959963984540054;
/** The correction for dependence is taken to be right within half of itself either way: the variance of that uniform distribution. */
const DEPENDENCE_ALLOWANCE = 12;
const FIXED_POINT_ROUNDS = 30;

interface Agreeing {
  readonly value: number;
  /** Variance of its own: chance strangers, decoys, noise. */
  readonly variance: number;
  /** Relatives subtracted, and the standard deviations of that number: not knowing how alike they are written, and counting. */
  readonly relatives: number;
  readonly unknown: number;
  readonly counted: number;
}

/**
 * Agreeing pairs of one key: shared labels less strangers. A stranger shows only on a label that no true pair shares yet,
 * so the expected strangers among all pairs shrink by (1 - m / left)(1 - m / right), m being the answer.
 *
 * Relatives known to different lists are as many as those in one list suggest: with sizes m and n and pairs within either list
 * p m^2 and p n^2, there are 2 p m n across, and (left + right) / (m^2 + n^2) estimates p. No number is cut off at 0 on the
 * way, so that noise makes none of them larger on average. The pairs across count times their chance to be written alike. That chance lies between 1 (all disagreement is slips of the pen, from which relatives
 * within one list suffer as well) and the agreement rate of one person (all of it is moves and marriages): the middle
 * is taken, and the width enters the variance as that of a uniform distribution.
 */
function agreeing(key: KeyCount, people: number, counts: OverlapCounts): Agreeing {
  const decoys = key.decoys ?? 0;
  const within = key.relatives ? key.relatives.left + key.relatives.right : 0;
  const [m, n] = [Math.max(1, key.left), Math.max(1, key.right)];
  const across = (2 * m * n) / (m ** 2 + n ** 2);
  const related = key.relatives === null ? 0 : across * within - decoys;
  let value = key.shared;
  let visible = 1;
  let alike = 1;
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    visible = Math.max(0, 1 - value / m) * Math.max(0, 1 - value / n);
    const rate = Math.min(1, Math.max(0, value / Math.max(1, people)));
    alike = (1 + rate) / 2;
    value = Math.max(0.5, key.shared - visible * (decoys + related * alike));
  }
  const noise = counts.noiseVariance;
  const strangers = Math.max(0, decoys);
  const measured = key.decoys === null ? 0 : visible ** 2 * (strangers + noise);
  return {
    value,
    variance: visible * strangers + measured + noise,
    relatives: Math.max(0, related) * visible * alike,
    unknown: (Math.abs(related) * visible * (1 - alike) * 2) / Math.sqrt(12),
    counted:
      key.relatives === null
        ? 0
        : visible * alike * across * Math.sqrt(Math.max(0, within) + 2 * noise),
  };
}

const union = (a: CountKey, b: CountKey): CountKey => {
  const fields = [...'FSDL'].filter((field) => a.includes(field) || b.includes(field)).join('');
  return fields as CountKey;
};

/** d log N / d log X_k: both forms are smooth, and doubling all counts doubles N, so that these sum to 1. */
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
 * Delta method on log N. Given N people, X_k are overlapping binomial counts: Cov(X_k, X_l) = X_(k or l) - X_k X_l / N, which
 * with elasticities that sum to 1 leaves Var(log N) = sum e_k e_l X_(k or l) / (X_k X_l) - 1 / N, and what strangers, decoys and noise add.
 */
function logVariance(
  elasticity: ReadonlyMap<CountKey, number>,
  agree: ReadonlyMap<CountKey, Agreeing>,
  people: number,
): number {
  let variance = -1 / people;
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
 * Throws `too-few-counts` unless FD, SDL, FSL and FSDL are there, and `overlap-too-small` when a corrected count is under 5:
 * then publish nothing but the naive count.
 */
export function estimateOverlap(overlap: OverlapCounts): OverlapEstimate {
  const { counts } = overlap;
  const keys = COUNT_KEYS.filter((key) => counts[key] !== undefined);
  if (!BASIC_KEYS.every((key) => keys.includes(key))) {
    throw new ConcordatError(
      'too-few-counts',
      'the estimate needs the counts of FD, SDL, FSL and FSDL',
    );
  }
  const isComplete = keys.length === COUNT_KEYS.length;
  const form = isComplete ? dependentForm : basicForm;
  let people = Math.max(1, counts.FD?.shared ?? 1);
  let agree = new Map<CountKey, Agreeing>();
  let values: Values = { FD: 1, SD: 1, DL: 1, FSD: 1, FDL: 1, SDL: 1, FSL: 1, FSDL: 1 };
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    const now = people;
    agree = new Map(keys.map((key) => [key, agreeing(counts[key] as KeyCount, now, overlap)]));
    values = {
      ...values,
      ...Object.fromEntries([...agree].map(([key, { value }]) => [key, value])),
    };
    people = Math.exp(form(values));
  }
  // Noise may leave a form that is no number: more disagreement than people.
  if (!Number.isFinite(people) || [...agree.values()].some(({ value }) => !(value >= 5))) {
    throw new ConcordatError(
      'overlap-too-small',
      'too few agreeing records to correct for missed links',
    );
  }
  const elasticity = elasticities(form, values, isComplete ? COUNT_KEYS : BASIC_KEYS);
  const allowance = (form(values) - basicForm(values)) ** 2 / DEPENDENCE_ALLOWANCE;
  const width = Math.exp(Z95 * Math.sqrt(logVariance(elasticity, agree, people) + allowance));
  return {
    method: isComplete ? 'dependent' : 'basic',
    naive: counts.FSDL?.shared ?? 0,
    corrected: people,
    low: people / width,
    high: people * width,
  };
}
