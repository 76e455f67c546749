import { quantileOf, tellsFromZero } from '#libs/dp';

/** Half width of the likely range in standard errors. */
const LIKELY = quantileOf(0.95);

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
/** Whole number with thousands separators; never a minus sign before a zero. */
export const formatWhole = (value: number): string => whole.format(Math.round(value) + 0);

/** True when the true count may well be zero: such a value is not shown as a count. */
export const cannotTellFromZero = (estimate: number, standardError: number): boolean =>
  !tellsFromZero(estimate, standardError);

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
