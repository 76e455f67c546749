/**
 * Numbers of parameters and results as text. Canonical JSON holds whole numbers only, so that a document has one byte form;
 * figures are decimal texts of at most six significant digits, which also leaves out digits that no statistic here has.
 */
import { z } from 'zod';

/** A decimal from 0 as people write it: no exponent, no sign, no superfluous zero. */
export const DecimalText = z
  .string()
  .max(24)
  .regex(/^(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/, 'a decimal number such as 0.05');

const DIGITS = 6;
/** Smaller magnitudes, such as probabilities far out in a tail, are written as 0. */
const LEAST = 1e-12;

/** Six significant digits without an exponent, 0 below 10^-12; null for NaN and the infinities, which are no figures. */
export function decimalText(value: number): string | null {
  if (!Number.isFinite(value)) return null;
  if (Math.abs(value) < LEAST) return '0';
  const [mantissa = '', exponent = '0'] = Math.abs(value)
    .toExponential(DIGITS - 1)
    .split('e');
  const digits = mantissa.replace('.', '').replace(/0+$/, '');
  const point = Number(exponent) + 1;
  const sign = value < 0 ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
