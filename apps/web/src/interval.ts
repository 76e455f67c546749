/** Half width of the likely range in standard errors: two-sided 95 % of a normal law, as everywhere else. */
const LIKELY = 1.959963984540055;
/** Fewer standard errors than this above zero cannot be told from it: one-sided 95 %. */
const TELLS_FROM_ZERO = 1.645;

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
/** Whole number with thousands separators; never a minus sign before a zero. */
export const formatWhole = (value: number): string => whole.format(Math.round(value) + 0);

/** True when the true count may well be zero: such a value is not shown as a count. */
export const cannotTellFromZero = (estimate: number, standardError: number): boolean =>
  estimate < TELLS_FROM_ZERO * standardError || estimate <= 0;

/** Likely range in whole incidents, rounded outward. Clamped at zero, on screen only: the estimate itself is unbiased. */
export function likelyRange(
  estimate: number,
  standardError: number,
): { readonly low: number; readonly high: number } {
  const half = LIKELY * standardError;
  return {
    low: Math.max(0, Math.floor(estimate - half)),
    high: Math.max(0, Math.ceil(estimate + half)),
  };
}

/** `29 to 39`, or `0` when both ends are none. */
export function rangeText(estimate: number, standardError: number): string {
  const { low, high } = likelyRange(estimate, standardError);
  return low === high ? formatWhole(low) : `${formatWhole(low)} to ${formatWhole(high)}`;
}

/** What a person reads: never a bare and never a negative count. */
export function countText(estimate: number, standardError: number): string {
  const range = rangeText(estimate, standardError);
  return cannotTellFromZero(estimate, standardError)
    ? `Cannot be told from zero (likely ${range})`
    : `About ${formatWhole(estimate)} (likely ${range})`;
}
