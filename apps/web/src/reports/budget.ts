import { formatRho, type Rho, rational, rhoOf, zcdpEpsilon } from '#libs/dp';

/** Budgets of a plan are whole thousandths of rho a run, as the planner's are. */
const STEPS = 1000n;
export const DELTA = 1e-6;
/** Nobody pays more: epsilon of some thousands. */
const MOST_STEPS = 1_000_000;

const yearOf = (steps: number, runs: number): Rho =>
  rhoOf(rational(BigInt(steps) * BigInt(runs), STEPS));

/** The largest budget of a year, as an exact rational of zCDP rho, of which the epsilon at delta 1e-6 is not above `epsilon`; undefined when even the least is. */
export function yearWithin(epsilon: number, runs: number): string | undefined {
  const fits = (steps: number): boolean => zcdpEpsilon(yearOf(steps, runs), DELTA) <= epsilon;
  if (!fits(1)) return undefined;
  let low = 1;
  let high = MOST_STEPS;
  if (fits(high)) return formatRho(yearOf(high, runs));
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return formatRho(yearOf(low, runs));
}
