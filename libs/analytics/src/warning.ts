/**
 * Early warning: an exponentially weighted control chart per cell (Roberts 1959, Technometrics 1; Lucas and Saccucci 1990).
 * The released count z_t has mean lambda and variance lambda + V when nothing changes; the chart sums weighted departures
 *
 *   E_t = (1 - w) E_(t-1) + w (z_t - lambda),
 *
 * and warns above a limit that a fixed share of cell-periods exceeds. E_t is a sum of independent terms, so its limit comes
 * from its first four cumulants (Cornish and Fisher 1938): those of a Poisson count are all lambda, those of the noise are
 * known. With limits for lambda alone, noise sets off ten times as many warnings.
 */
import { ConcordatError } from '#libs/bytes';
import { noiseCumulants } from './edgeworth.js';
import type { Periods } from './level.js';
import { normalQuantile } from './normal.js';
import type { NoiseLaw } from './pmf.js';

export interface WarningOptions {
  readonly law: NoiseLaw;
  /** Weight w of the newest period. */
  readonly weight?: number;
  /** Share of innocent cell-periods that may warn. */
  readonly falseAlarms?: number;
}

export interface Warnings {
  /** Chart value after the last period, in incidents. */
  readonly statistic: Float64Array;
  readonly limit: Float64Array;
  /** 1 where the cell warns now. */
  readonly warned: Uint8Array;
}

const WEIGHT = 0.25;
/** Three in a thousand. */
const FALSE_ALARMS = 0.003;

/** z-quantile corrected for skewness and excess kurtosis [Cornish, Fisher 1938]. */
export function cornishFisher(z: number, skewness: number, excess: number): number {
  return (
    z +
    ((z * z - 1) * skewness) / 6 +
    ((z ** 3 - 3 * z) * excess) / 24 -
    ((2 * z ** 3 - 5 * z) * skewness * skewness) / 36
  );
}

/**
 * Chart of every cell. `baseline` is the expected count per period when nothing changes, from earlier data;
 * `baselineVariance` is the uncertainty of that estimate (0 when known). NaN periods are skipped. Throws `invalid-warning`.
 */
export function warnings(
  periods: Periods,
  baseline: Float64Array,
  baselineVariance: Float64Array,
  { law, weight = WEIGHT, falseAlarms = FALSE_ALARMS }: WarningOptions,
): Warnings {
  if (!(weight > 0 && weight <= 1) || !(falseAlarms > 0 && falseAlarms < 0.5)) {
    throw new ConcordatError(
      'invalid-warning',
      'the weight lies in 0..1 and the share of false alarms between 0 and 0.5',
    );
  }
  const cells = baseline.length;
  const statistic = new Float64Array(cells);
  // Sums of the weights of the terms of E_t and of their powers, per cell as periods may be missing.
  const first = new Float64Array(cells);
  const keep = 1 - weight;
  const powers = [2, 3, 4].map((power) => ({
    kept: keep ** power,
    added: weight ** power,
    sums: new Float64Array(cells),
  }));
  for (const period of periods) {
    for (let i = 0; i < cells; i++) {
      const z = period[i] as number;
      if (Number.isNaN(z)) continue;
      statistic[i] = keep * (statistic[i] as number) + weight * (z - (baseline[i] as number));
      first[i] = keep * (first[i] as number) + weight;
    }
    for (const { kept, added, sums } of powers) {
      for (let i = 0; i < cells; i++) {
        if (!Number.isNaN(period[i] as number)) sums[i] = kept * (sums[i] as number) + added;
      }
    }
  }
  const z = normalQuantile(1 - falseAlarms);
  const { second, fourth } = noiseCumulants(law);
  const [squares, cubes, fourths] = powers.map(({ sums }) => sums) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const limit = baseline.map((lambda, i) => {
    const variance =
      (squares[i] as number) * (lambda + second) +
      (first[i] as number) ** 2 * (baselineVariance[i] as number);
    if (variance === 0) return Number.POSITIVE_INFINITY;
    const skewness = ((cubes[i] as number) * lambda) / variance ** 1.5;
    const excess = ((fourths[i] as number) * (lambda + fourth)) / variance ** 2;
    return Math.sqrt(variance) * cornishFisher(z, skewness, excess);
  });
  const warned = Uint8Array.from(statistic, (value, i) => (value > (limit[i] as number) ? 1 : 0));
  return { statistic, limit, warned };
}
