import type { ForecastLayer, LayerQuestion } from './layer-client.js';
import type { LayerAddress, Release } from './release-client.js';
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
  /** Undefined while counts are shown. */
  readonly statistic: Statistic | undefined;
  readonly resolution: number;
  readonly resolutions: readonly number[];
  /** Forecast layers that can be shown, and the one that is. */
  readonly forecasts: readonly ForecastLayer[];
  readonly forecast: ForecastLayer | undefined;
  /** Undefined for counts, and while there is no forecast to ask for. */
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
  const statistic = state.show === 'counts' ? undefined : STATISTICS[state.show];
  const forecasts = layers.filter(
    ({ isOn, definition }) =>
      isOn && own.includes(definition.category) && definition.resolution <= finest,
  );
  const forecast =
    statistic?.id === 'forecast'
      ? (forecasts.find(({ layer }) => layer === state.forecast) ?? forecasts[0])
      : undefined;
  const categories = statistic ? own : own.length === 1 ? ['all'] : ['all', ...own];
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
  return {
    release,
    series,
    moments,
    period,
    category,
    categories,
    statistic,
    resolution,
    resolutions,
    forecasts,
    forecast,
    question:
      statistic && (statistic.id !== 'forecast' || forecast)
        ? {
            field: statistic.field,
            releases: series
              .filter(({ groups }) => groups.some((group) => group.category === category))
              .map(({ id }) => id),
            category,
            resolution,
            to: period === 'all' || period === newest ? null : period,
            forecast: forecast?.layer ?? null,
          }
        : undefined,
    counts: statistic || at < 0 ? whole : addressAt(moments[at]),
    scale: statistic || at < 0 ? whole : addressAt(moments.findLast((moment) => moment.release)),
    next:
      statistic || at < 0
        ? []
        : [moments[at + 1], moments[at - 1]].flatMap((m) => addressAt(m) ?? []),
  };
}
