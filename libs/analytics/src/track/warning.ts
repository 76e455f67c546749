/**
 * Early warning: an exponentially weighted control chart per cell (Roberts 1959, Technometrics 1; Lucas and Saccucci 1990). It sums
 * weighted departures of the released counts z_t from what is expected,
 *
 *   E_t = (1 - w) E_(t-1) + w (z_t - f_t m),
 *
 * m the usual count of the cell and f_t what all cells have more or less of in that period (`common-change.ts`): a season is one
 * message, not one a cell. A cell warns where a cell whose rate has not changed exceeds its E_t with a probability below
 * `falseAlarms`. That is the predictive law of E_t: the tail given the rate (`weighted-tail.ts`) averaged over what is known of the
 * rate (`baseline.ts`) and of the common change. The same unknown rate stands behind all terms of E_t, so it is averaged
 * last. Over many cells the share of false alarms is then right wherever the law of the rates is: a limit that takes
 * an estimated baseline for known, or for normal, warns up to three times too often. Where the law is too wide or too narrow for all
 * cells (all alike; a season taken for drift), the middle of their p-values tells (`empirical-null.ts`).
 */
import { ConcordatError } from '#libs/bytes';
import { noiseCumulants } from '../laws/edgeworth.js';
import { normalQuantile, normalUpperTail } from '../laws/normal.js';
import type { NoiseLaw } from '../laws/pmf.js';
import type { Periods } from '../rates/level.js';
import type { Baseline } from './baseline.js';
import { commonChange, LEAST_VARIANCE } from './common-change.js';
import { nullDeviation } from './empirical-null.js';
import { type WeightedTail, weightedTail } from './weighted-tail.js';

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
  /** Probability by the predictive law that an unchanged cell has a higher one. NaN where it is too usual to work that out. */
  readonly p: Float64Array;
  /** Standard deviation of the scores of `p` over the cells, 1 where the predictive law holds. Limits are on that scale. */
  readonly deviation: number;
  /** 1 where the cell warns now. */
  readonly warned: Uint8Array;
  /** What the chart value of a warning cell has exceeded; NaN elsewhere. */
  readonly limit: Float64Array;
  /** f_t of every period: count over the expected one, in all cells alike. */
  readonly commonChange: readonly number[];
}

const WEIGHT = 0.25;
/** Three in a thousand. */
const FALSE_ALARMS = 0.003;
const HALVINGS = 40;
/** Cells that tell whether the predictive law holds, evenly spread over the domain. */
const JUDGED_CELLS = 20_000;
/** Standard deviations of noise and Poisson that no chart of a warning cell is below. */
const USUAL = 0.5;

/** What the charts of all cells with the same missing periods share. */
interface Chart {
  readonly tail: WeightedTail;
  /** Sum of the weights of the periods, times f_t. */
  readonly expected: number;
  /** Sum of the squared weights. */
  readonly squares: number;
}

/**
 * Chart of every cell over the periods that follow those of its baseline; NaN periods are skipped. Throws `invalid-warning`.
 */
export function warnings(
  periods: Periods,
  baseline: Baseline,
  { law, weight = WEIGHT, falseAlarms = FALSE_ALARMS }: WarningOptions,
): Warnings {
  if (!(weight > 0 && weight <= 1) || !(falseAlarms > 0 && falseAlarms < 0.5)) {
    throw new ConcordatError(
      'invalid-warning',
      'the weight lies in 0..1 and the share of false alarms between 0 and 0.5',
    );
  }
  const cells = baseline.mean.length;
  const noise = noiseCumulants(law).second;
  const { factors, variances } = commonChange(periods, baseline, noise);

  const chartOf = (present: readonly number[]): Chart => {
    const terms = present.map((t, place) => ({
      t,
      weight: weight * (1 - weight) ** (present.length - 1 - place),
      factor: factors[t] as number,
    }));
    const expected = terms.reduce((sum, term) => sum + term.weight * term.factor, 0);
    // The change since the baseline, as one factor on all terms: drift grows with time, errors of f_t are independent.
    let drift = 0;
    let shared = 0;
    for (const { t, weight: own, factor } of terms) {
      drift += own * factor * Math.sqrt(baseline.step * (t + 1));
      shared += own ** 2 * (variances[t] as number);
    }
    return {
      tail: weightedTail(terms, {
        law,
        burst: baseline.burst,
        relativeVariance: (drift * drift + shared) / (expected * expected),
      }),
      expected,
      squares: terms.reduce((sum, term) => sum + term.weight ** 2, 0),
    };
  };

  const charts = new Map<number, Chart>();
  let lastPattern = 0;
  let lastChart: Chart | undefined;
  const chartAt = (i: number): { chart: Chart; sum: number } | undefined => {
    let sum = 0;
    let pattern = 0;
    let bit = 1;
    for (const period of periods) {
      const z = period[i] as number;
      if (!Number.isNaN(z)) {
        sum = (1 - weight) * sum + weight * z;
        pattern += bit;
      }
      bit *= 2;
    }
    if (pattern === 0) return undefined;
    if (!lastChart || pattern !== lastPattern) {
      lastChart = charts.get(pattern);
      if (!lastChart) {
        lastChart = chartOf(periods.flatMap((period, t) => (Number.isNaN(period[i]) ? [] : [t])));
        charts.set(pattern, lastChart);
      }
      lastPattern = pattern;
    }
    return { chart: lastChart, sum };
  };

  const statistic = new Float64Array(cells);
  const p = new Float64Array(cells).fill(Number.NaN);
  const judged: number[] = [];
  const stride = Math.ceil(cells / JUDGED_CELLS);
  for (let i = 0; i < cells; i++) {
    const own = chartAt(i);
    if (!own) continue;
    const { chart, sum } = own;
    const m = baseline.mean[i] as number;
    const departure = sum - chart.expected * m;
    statistic[i] = departure;
    // Counts with less variance come in steps, which p-values of unchanged cells show.
    const isJudged = i % stride === 0 && noise + m >= LEAST_VARIANCE;
    const isHigh =
      departure > 0 && departure * departure > USUAL ** 2 * chart.squares * (noise + m);
    if (!(isJudged || isHigh)) continue;
    const tail = chart.tail.over(baseline.lawOf(i), sum);
    if (isJudged) judged.push(tail);
    if (isHigh) p[i] = tail;
  }

  const deviation = nullDeviation(Float64Array.from(judged));
  const strictest = normalUpperTail(-normalQuantile(falseAlarms) * deviation);
  const warned = new Uint8Array(cells);
  const limit = new Float64Array(cells).fill(Number.NaN);
  for (let i = 0; i < cells; i++) {
    const least = noise + (baseline.mean[i] as number) >= LEAST_VARIANCE ? strictest : falseAlarms;
    const own = (p[i] as number) < least ? chartAt(i) : undefined;
    if (!own) continue;
    warned[i] = 1;
    const { chart, sum } = own;
    const law = baseline.lawOf(i);
    const usual = chart.expected * (baseline.mean[i] as number);
    let low = usual;
    let high = sum;
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = (low + high) / 2;
      if (chart.tail.over(law, middle) < least) high = middle;
      else low = middle;
    }
    limit[i] = high - usual;
  }
  return { statistic, p, deviation, warned, limit, commonChange: factors };
}
