/**
 * How many people two lists share, when names are misspelt, people move and marry, and nobody may see who matched.
 *
 * Write F, S, D, L for forename, surname, date of birth and location, and X_k for the number of people known to both whose
 * records agree on the fields of k. Each is counted by one key type. Without the people whose records disagree, no single
 * X_k is the overlap N; a product of them is:
 *
 *   basic      N = X_FD / (f d),  f = X_FSDL / X_SDL,  d = X_FSDL / X_FSL
 *   dependent  N = X_FD X_SD X_DL X_FSL / (X_FSD X_FDL X_SDL)
 *
 * The basic form is exact when agreement on F and on D are independent of all else (Chapman-like capture, cf. Ding, Fienberg
 * 2015). Errors come together, though (a poor encounter spoils several fields), which makes it too low. The dependent
 * form takes f to be X_FSD/X_SD * X_FDL/X_DL / (X_FSDL/X_SDL): agreement on F given D alone, from what agreement on S and
 * on L adds, in a log-linear model without three-way interaction (Bishop, Fienberg, Holland 1975, section 6.4).
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

type Exponents = Readonly<Partial<Record<CountKey, number>>>;

/** log N = sum of exponent * log X_k; the exponents sum to 1. */
const BASIC: Exponents = { FD: 1, SDL: 1, FSL: 1, FSDL: -2 };
const DEPENDENT: Exponents = { FD: 1, SD: 1, DL: 1, FSL: 1, FSD: -1, FDL: -1, SDL: -1 };

const Z95 = 1.959963984540054;
/** Relative error that remains in simulations however many people there are (see docs/privacy/linkage.md). */
const MODEL_ERROR = 0.0035;
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
 * Relatives known to different lists are as many as those in one list suggest, 2 sqrt(left right), times their chance to
 * be written alike across lists. That chance lies between 1 (all disagreement is slips of the pen, from which relatives
 * within one list suffer as well) and the agreement rate of one person (all of it is moves and marriages): the middle
 * is taken, and the width enters the variance as that of a uniform distribution.
 */
function agreeing(key: KeyCount, people: number, counts: OverlapCounts): Agreeing {
  const decoys = Math.max(0, key.decoys ?? 0);
  const { left, right } = key.relatives ?? { left: 0, right: 0 };
  const related = Math.max(0, 2 * Math.sqrt(Math.max(0, left) * Math.max(0, right)) - decoys);
  let value = key.shared;
  let visible = 1;
  let alike = 1;
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    const free = (size: number): number => Math.max(0, 1 - value / Math.max(1, size));
    visible = free(key.left) * free(key.right);
    const rate = Math.min(1, Math.max(0, value / Math.max(1, people)));
    alike = (1 + rate) / 2;
    value = Math.max(0.5, key.shared - visible * (decoys + related * alike));
  }
  const noise = counts.noiseVariance;
  const measured = key.decoys === null ? 0 : visible ** 2 * (decoys + noise);
  const [l, r] = [Math.max(1, left), Math.max(1, right)];
  const relativesNoise = key.relatives === null ? 0 : noise * (l / r + r / l);
  return {
    value,
    variance: visible * decoys + measured + noise,
    relatives: related * visible * alike,
    unknown: (related * visible * (1 - alike) * 2) / Math.sqrt(12),
    // Var(2 sqrt(l r)) = l + r for Poisson l and r, and v (l / r + r / l) for noise of variance v on both.
    counted: visible * alike * Math.sqrt(Math.max(0, left) + Math.max(0, right) + relativesNoise),
  };
}

const union = (a: CountKey, b: CountKey): CountKey => {
  const fields = [...'FSDL'].filter((field) => a.includes(field) || b.includes(field)).join('');
  return fields as CountKey;
};

/**
 * Delta method on log N. Given N people, X_k are overlapping binomial counts: Cov(X_k, X_l) = X_(k or l) - X_k X_l / N, which
 * with exponents that sum to 1 leaves Var(log N) = sum e_k e_l X_(k or l) / (X_k X_l) - 1 / N, and what strangers, decoys and noise add.
 */
function logVariance(
  exponents: Exponents,
  agree: ReadonlyMap<CountKey, Agreeing>,
  people: number,
): number {
  const keys = Object.keys(exponents) as CountKey[];
  let variance = -1 / people;
  for (const a of keys) {
    const xa = agree.get(a) as Agreeing;
    variance += ((exponents[a] as number) / xa.value) ** 2 * xa.variance;
    for (const b of keys) {
      const xb = agree.get(b) as Agreeing;
      const both = agree.get(union(a, b)) as Agreeing;
      // The same twins disturb SD, DL and SDL; namesakes of one household disturb FSL alone.
      const strangers =
        a === b || (!a.includes('F') && !b.includes('F'))
          ? Math.min(xa.relatives, xb.relatives) + xa.unknown * xb.unknown + xa.counted * xb.counted
          : 0;
      variance +=
        ((exponents[a] as number) * (exponents[b] as number) * (both.value + strangers)) /
        (xa.value * xb.value);
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
  const complete = COUNT_KEYS.every((key) => counts[key] !== undefined);
  const exponents = complete ? DEPENDENT : BASIC;
  const keys = COUNT_KEYS.filter((key) => counts[key] !== undefined);
  if (!Object.keys(BASIC).every((key) => keys.includes(key as CountKey))) {
    throw new ConcordatError(
      'too-few-counts',
      'the estimate needs the counts of FD, SDL, FSL and FSDL',
    );
  }
  const logOf = (form: Exponents): number =>
    Object.entries(form).reduce(
      (sum, [key, exponent]) =>
        sum + exponent * Math.log((agree.get(key as CountKey) as Agreeing).value),
      0,
    );
  let people = Math.max(1, counts.FD?.shared ?? 1);
  let agree = new Map<CountKey, Agreeing>();
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    const now = people;
    agree = new Map(keys.map((key) => [key, agreeing(counts[key] as KeyCount, now, overlap)]));
    people = Math.exp(logOf(exponents));
  }
  if ([...agree.values()].some(({ value }) => value < 5)) {
    throw new ConcordatError(
      'overlap-too-small',
      'too few agreeing records to correct for missed links',
    );
  }
  // What the correction for dependence leaves out is taken to be of the size of half of it.
  const allowance = (logOf(exponents) - logOf(BASIC)) ** 2 / 4 + MODEL_ERROR ** 2;
  const width = Math.exp(Z95 * Math.sqrt(logVariance(exponents, agree, people) + allowance));
  return {
    method: complete ? 'dependent' : 'basic',
    naive: counts.FSDL?.shared ?? 0,
    corrected: people,
    low: people / width,
    high: people * width,
  };
}
