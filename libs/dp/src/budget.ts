import { ConcordatError } from '#libs/bytes';
import {
  divideRational,
  equalRational,
  multiplyRational,
  ONE,
  type Rational,
  rational,
  sumRationals,
} from './rational.js';
import { type Rho, rhoOf } from './rho.js';

/**
 * How the rho of one release is split over the levels of its tree. Each level is measured by its own discrete Gaussian
 * mechanism; rho adds up over them [BS16, Lemma 2.3], so the shares sum to exactly 1.
 */

/** A measured level: the domain total (root of the tree) or an H3 resolution. */
export type Level = 'total' | 4 | 5 | 6 | 7 | 8 | 9;
export type Resolution = Exclude<Level, 'total'>;

export interface LevelShare {
  readonly level: Level;
  readonly share: Rational;
}

export interface LevelRho {
  readonly level: Level;
  readonly rho: Rho;
}

export interface LevelVariance extends LevelRho {
  /** Parameter sigma^2 of the level's discrete Gaussian. */
  readonly sigma2: Rational;
}

const hundredths = (level: Level, count: bigint): LevelShare => ({
  level,
  share: rational(count, 100n),
});

/** Shares of a query down to resolution 9. */
export const DEFAULT_SHARES: readonly LevelShare[] = [
  hundredths('total', 2n),
  hundredths(4, 2n),
  hundredths(5, 3n),
  hundredths(6, 5n),
  hundredths(7, 10n),
  hundredths(8, 20n),
  hundredths(9, 58n),
];

/**
 * The shares of a query whose finest resolution is `finest`: those of the default table from the total down to it,
 * scaled to sum to exactly 1. Throws `unknown-resolution`.
 */
export function levelShares(finest: Resolution): readonly LevelShare[] {
  const last = DEFAULT_SHARES.findIndex(({ level }) => level === finest);
  if (last < 1) {
    throw new ConcordatError('unknown-resolution', 'the finest resolution is one of 4 to 9');
  }
  const kept = DEFAULT_SHARES.slice(0, last + 1);
  const sum = sumRationals(kept.map(({ share }) => share));
  return kept.map(({ level, share }) => ({ level, share: divideRational(share, sum) }));
}

/** `rho` split by `shares`, exactly. Throws `bad-shares` unless they are positive, name each level once and sum to 1. */
export function splitRho(
  rho: Rho,
  shares: readonly LevelShare[] = DEFAULT_SHARES,
): readonly LevelRho[] {
  const sum = sumRationals(shares.map(({ share }) => share));
  const levels = new Set(shares.map(({ level }) => level));
  if (
    levels.size !== shares.length ||
    shares.some(({ share }) => share.num <= 0n) ||
    !equalRational(sum, ONE)
  ) {
    throw new ConcordatError(
      'bad-shares',
      'give each level one positive exact share; they must sum to 1',
    );
  }
  return shares.map(({ level, share }) => ({ level, rho: rhoOf(multiplyRational(rho, share)) }));
}

/**
 * The noise of each level: sigma^2 = Delta2^2 / (2 rho_level) [CKS20, Theorem 4], Delta2^2 being the squared L2
 * sensitivity of one level (see `sensitivity.ts`). Throws `bad-sensitivity`.
 */
export function levelVariances(query: {
  readonly rho: Rho;
  readonly finest: Resolution;
  readonly l2SensitivitySquared: bigint;
  readonly shares?: readonly LevelShare[];
}): readonly LevelVariance[] {
  if (query.l2SensitivitySquared <= 0n) {
    throw new ConcordatError('bad-sensitivity', 'the squared L2 sensitivity is at least 1');
  }
  const shares = query.shares ?? levelShares(query.finest);
  return splitRho(query.rho, shares).map(({ level, rho }) => ({
    level,
    rho,
    sigma2: rational(query.l2SensitivitySquared * rho.den, 2n * rho.num),
  }));
}
