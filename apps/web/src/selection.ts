import type { ForecastLayer, LayerQuestion } from './layer-client.js';
import type { LayerAddress, Release } from './release-client.js';
import { yearWithin } from './reports/budget.js';
import { isReport, REPORTS, type Report } from './reports/reports.js';
import { type Moment, momentsOf, seriesOf } from './series.js';
import { STATISTICS, type Statistic } from './statistics.js';
import type { ViewState } from './url-state.js';

/** What the view state asks of the releases that there are: every wish that cannot be met falls back to the nearest that can. */
export interface Selection {
  readonly release: Release;
  /** The release and those that continue it, oldest first. */
  readonly series: readonly Release[];
  readonly moments: readonly Moment[];
  /** A period of the moments, or `all`. */
  readonly period: string;
  readonly category: string;
  readonly categories: readonly string[];
  /** Undefined while counts or a report are shown. */
  readonly statistic: Statistic | undefined;
  readonly report: Report | undefined;
  readonly resolution: number;
  readonly resolutions: readonly number[];
  /** Forecast layers that can be shown, and the one that is. */
  readonly forecasts: readonly ForecastLayer[];
  readonly forecast: ForecastLayer | undefined;
  /** Undefined for counts, while there is no forecast to ask for, and for an evaluation, which `evaluationOf` asks for. */
  readonly question: LayerQuestion | undefined;
  /** Counts on show or, under a statistic, what is covered at all; resolution follows the zoom. Undefined in a month without counts. */
  readonly counts: Omit<LayerAddress, 'resolution'> | undefined;
  /** Newest month: its colour classes are those of every month. */
  readonly scale: Omit<LayerAddress, 'resolution'> | undefined;
  /** The months before and after the one on show. */
  readonly next: readonly Omit<LayerAddress, 'resolution'>[];
}

/** Fine enough for a neighbourhood, coarse enough for a rare category. */
const USUAL_RESOLUTION = 8;
const COARSEST = 6;

export function selectionOf(
  state: ViewState,
  releases: readonly Release[],
  layers: readonly ForecastLayer[],
): Selection | undefined {
  const release = releases.find(({ id }) => id === state.release) ?? releases[0];
  if (!release) return undefined;
  const { categories: own, resolution: finest } = release.query;
  const { show } = state;
  const report = isReport(show) ? REPORTS[show] : undefined;
  const statistic = show === 'counts' || isReport(show) ? undefined : STATISTICS[show];
  const forecasts = layers.filter(
    ({ isOn, definition }) =>
      isOn && own.includes(definition.category) && definition.resolution <= finest,
  );
  const forecast =
    statistic?.id === 'forecast'
      ? (forecasts.find(({ layer }) => layer === state.forecast) ?? forecasts[0])
      : undefined;
  const ofOne = statistic || report?.id === 'concentration' || report?.id === 'evaluation';
  const categories = ofOne ? own : own.length === 1 ? ['all'] : ['all', ...own];
  const category =
    forecast?.definition.category ??
    categories.find((name) => name === state.layer) ??
    categories[0] ??
    'all';
  const resolutions = [4, 5, 6, 7, 8, 9].filter(
    (r) => r <= finest && r >= Math.min(COARSEST, finest),
  );
  const resolution =
    forecast?.definition.resolution ??
    resolutions.find((r) => r === state.resolution) ??
    Math.min(USUAL_RESOLUTION, finest);
  const series = seriesOf(release, releases);
  const moments = momentsOf(series, category);
  const at = moments.findIndex(({ period }) => period === state.period);
  const period = moments[at]?.period ?? 'all';
  const addressAt = (moment: Moment | undefined) =>
    moment?.release && {
      release: moment.release.id,
      layer: category,
      period: moment.period,
    };
  const whole = { release: release.id, layer: category, period: 'all' };
  const newest = moments.at(-1)?.period;
  // What is computed of many months is drawn on the cells of the whole release.
  const isWhole = statistic !== undefined || report?.id === 'evaluation' || at < 0;
  const questionOf = (): LayerQuestion | undefined => {
    const releases = counting(series, category);
    if (report?.id === 'concentration') {
      // Of the months whose counts are on the map.
      const [from, to] = period === 'all' ? [null, null] : [period, period];
      const own = moments[at]?.release;
      const given = { releases: own ? [own.id] : releases, category, resolution, from, to };
      return at >= 0 && !own ? undefined : { field: 'concentration', given };
    }
    if (report?.id === 'plan') {
      const { epsilon, runs } = budgetOf(state, release);
      const rhoPerYear = yearWithin(epsilon, runs);
      return rhoPerYear === undefined
        ? undefined
        : { field: 'plan', given: { releases: series.map(({ id }) => id), rhoPerYear, runs } };
    }
    if (!statistic) return undefined;
    const to = period === 'all' || period === newest ? null : period;
    if (statistic.id !== 'forecast') {
      return { field: statistic.field, given: { releases, category, resolution, to } };
    }
    return forecast && { field: 'forecast', given: { releases, layer: forecast.layer, to } };
  };
  return {
    release,
    series,
    moments,
    period,
    category,
    categories,
    statistic,
    report,
    resolution,
    resolutions,
    forecasts,
    forecast,
    question: questionOf(),
    counts: isWhole ? whole : addressAt(moments[at]),
    scale: isWhole ? whole : addressAt(moments.findLast((moment) => moment.release)),
    next: isWhole ? [] : [moments[at + 1], moments[at - 1]].flatMap((m) => addressAt(m) ?? []),
  };
}

/** Releases of a series that count a category. */
export const counting = (series: readonly Release[], category: string): string[] =>
  series
    .filter(({ groups }) => groups.some((group) => group.category === category))
    .map(({ id }) => id);

const MONTHLY = 12;

/** Budget that a plan is for: by default a year of monthly questions at the cost of the release. */
export function budgetOf(
  { epsilon, runs = MONTHLY }: ViewState,
  release: Release,
): { readonly epsilon: number; readonly runs: number } {
  return { epsilon: epsilon ?? Math.ceil(release.privacy.epsilon), runs };
}
