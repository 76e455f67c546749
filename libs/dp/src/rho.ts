import { ConcordatError } from '#libs/bytes';
import { compareRational, formatRational, parseRational, type Rational } from './rational.js';

declare const rhoBrand: unique symbol;

/** A zero-concentrated privacy loss [BS16, Definition 1.1]: an exact rational above zero. */
export type Rho = Rational & { readonly [rhoBrand]: true };

/** Longest spelling `parseRho` reads. Sums over a year of spends stay short because each addend is. */
export const MAX_RHO_LENGTH = 40;

const refuse = (): never => {
  throw new ConcordatError(
    'malformed-rho',
    `give rho as an exact fraction above zero in lowest terms, such as "1/8", in at most ${MAX_RHO_LENGTH} characters`,
  );
};

/** Brands an exact rational; zero and negative values are `malformed-rho`. */
export function rhoOf(value: Rational): Rho {
  return value.num > 0n && value.den > 0n ? (value as Rho) : refuse();
}

/**
 * Reads a spend or a limit from a document. Only the canonical spelling of a positive rational passes; numbers, floats
 * (`"0.5"`, `"1e-3"`), `"0"`, `"-0"`, negatives, `NaN`, `Infinity`, `"2/4"` and padded texts are `malformed-rho`.
 */
export function parseRho(text: unknown): Rho {
  if (typeof text !== 'string' || text.length > MAX_RHO_LENGTH) return refuse();
  let value: Rational;
  try {
    value = parseRational(text);
  } catch {
    return refuse();
  }
  return rhoOf(value);
}

/** The canonical spelling, such as `"1/8"`. */
export const formatRho = (value: Rho): string => formatRational(value);

/** True when `spent + cost <= limit`: the filter of [BS16, Lemma 2.3] composition, exact. */
export const withinLimit = (spent: Rational, cost: Rho, limit: Rational): boolean =>
  compareRational(
    { num: spent.num * cost.den + cost.num * spent.den, den: spent.den * cost.den },
    limit,
  ) <= 0;
