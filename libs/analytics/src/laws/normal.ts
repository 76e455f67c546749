/**
 * The standard normal distribution. Tails come from the complementary error function of @stdlib (a port of FreeBSD msun,
 * below 1 ulp), so that p-values keep their relative precision far out; `normal.spec.ts` shows both against reference values.
 */
import erfc from '@stdlib/math-base-special-erfc';
import erfinv from '@stdlib/math-base-special-erfinv';

/** P(Z >= z). */
export const normalUpperTail = (z: number): number => 0.5 * erfc(z * Math.SQRT1_2);

/** P(|Z| >= |z|). */
export const normalTwoSided = (z: number): number => erfc(Math.abs(z) * Math.SQRT1_2);

export const normalDensity = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** z with P(Z <= z) = p, for p in (0, 1). One Newton step mends the library's 9 digits in the far tails. */
export function normalQuantile(p: number): number {
  const z = Math.SQRT2 * erfinv(2 * p - 1);
  return Number.isFinite(z) ? z - (normalUpperTail(-z) - p) / normalDensity(z) : z;
}
