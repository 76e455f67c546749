/**
 * Back-test and drift of a forecast from releases alone. Each of the last periods is forecast from the periods before it and judged by
 * its own released counts: noise is independent between periods and has mean zero, so the noisy count in the chosen cells is an
 * unbiased count of hits, and the released total of the area one of all incidents. What the noise adds is in the standard error.
 */
import { forecast, type Release, rankCells } from '#libs/analytics';
import type { Json } from '#libs/bytes';
import type { CellSeries } from './cell-series.js';
import { decimalText } from './decimal.js';
import { topCells } from './fairness-report.js';

export interface AreaTotal {
  readonly estimate: number;
  readonly variance: number;
}

export interface BackTestQuestion {
  readonly series: CellSeries;
  readonly release: Release;
  /** Estimated incidents of the whole area in each period; undefined where nobody counted. */
  readonly totals: readonly (AreaTotal | undefined)[];
  readonly top: number;
  readonly horizon: number;
  readonly progress: (share: number) => Promise<void>;
}

interface TestPeriod {
  readonly month: string;
  readonly hits: number;
  readonly hitsVariance: number;
  readonly total: number;
  readonly totalVariance: number;
}

/** Periods that the first tested forecast sees. */
export const LEAST_TRAINING = 6;
/** Newest periods that are judged apart from the earlier ones. */
const RECENT = 3;
const MOST_TESTED = 6;
/** One-sided, about once in a hundred back-tests of a method that has not changed. */
const ALARM = -2.33;

const pool = (months: readonly TestPeriod[]) => {
  const sum = (part: (month: TestPeriod) => number): number =>
    months.reduce((total, month) => total + part(month), 0);
  const total = sum((month) => month.total);
  const hits = sum((month) => month.hits);
  if (!(total > 0)) {
    return { rate: Number.NaN, possible: Number.NaN, error: Number.NaN, sampling: Number.NaN };
  }
  const rate = hits / total;
  const noise =
    sum((month) => month.hitsVariance) + rate * rate * sum((month) => month.totalVariance);
  // No month hits more than all of its incidents: what is beyond is noise, and judging by the nearest possible rate only quietens the alarm.
  const possible = Math.min(1, Math.max(0, rate));
  return {
    rate,
    possible,
    error: Math.sqrt(noise) / total,
    sampling: (possible * (1 - possible)) / total,
  };
};

const describe = (months: readonly TestPeriod[]): Record<string, Json> => {
  const { rate, error } = pool(months);
  return {
    months: months.map(({ month }) => month),
    hitRate: decimalText(rate),
    standardError: decimalText(error),
  };
};

/** Hit rate of the earlier and of the newest tested periods, and whether the newest are clearly worse. */
export async function releasedBackTest(
  question: BackTestQuestion,
): Promise<{ readonly backTest: Json; readonly drift: Json }> {
  const { series, release, totals, top, horizon, progress } = question;
  const last = release.periods.length - 1;
  const first = Math.max(LEAST_TRAINING + horizon - 1, last - MOST_TESTED + 1);
  const tested: TestPeriod[] = [];
  for (let t = first; t <= last; t++) {
    const total = totals[t];
    const actual = release.periods[t];
    if (!total || !actual) continue;
    const seen: Release = { ...release, periods: release.periods.slice(0, t - horizon + 1) };
    const rates = forecast(seen, series.neighbours, { horizon });
    const chosen = topCells(rankCells(seen, rates, top).scores, top);
    let hits = 0;
    let cells = 0;
    for (let i = 0; i < chosen.length; i++) {
      if (chosen[i] === 0 || Number.isNaN(actual[i] as number)) continue;
      hits += actual[i] as number;
      cells++;
    }
    tested.push({
      month: series.names[t] as string,
      hits,
      hitsVariance: cells * release.noiseVariance,
      total: total.estimate,
      totalVariance: total.variance,
    });
    await progress((t - first + 1) / (last - first + 1));
  }
  const earlier = tested.slice(0, -RECENT);
  const recent = tested.slice(-RECENT);
  const before = pool(earlier);
  const now = pool(recent);
  const z =
    (now.possible - before.possible) /
    Math.sqrt(now.error ** 2 + before.error ** 2 + now.sampling + before.sampling);
  return {
    backTest: describe(tested),
    drift: {
      baseline: describe(earlier),
      recent: describe(recent),
      z: decimalText(z),
      alarm: z < ALARM,
      byMonth: tested.map((month) => {
        const { rate, error } = pool([month]);
        return {
          month: month.month,
          hitRate: decimalText(rate),
          standardError: decimalText(error),
        };
      }),
    },
  };
}
