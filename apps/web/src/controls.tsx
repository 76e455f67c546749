import type { ForecastLayer } from './layer-client.js';
import type { Release } from './release-client.js';
import { isReport, REPORT_IDS, REPORTS } from './reports/reports.js';
import { Select } from './select.js';
import { STATISTIC_IDS, STATISTICS } from './statistics.js';
import type { ViewState } from './url-state.js';
import { areaText, dateText, layerText, periodText } from './words.js';

/** Of each hexagon first, of a whole area after. */
const VIEWS = [
  ['counts', 'Counts'] as const,
  ...STATISTIC_IDS.map((id) => [id, STATISTICS[id].name] as const),
  ...REPORT_IDS.map((id) => [id, REPORTS[id].name] as const),
];

interface ControlsProps {
  readonly releases: readonly Release[];
  readonly release: Release;
  readonly show: ViewState['show'];
  readonly category: string;
  /** Categories to choose from; `all` is their sum. */
  readonly categories: readonly string[];
  readonly resolution: number;
  /** Those a statistic can be computed at. */
  readonly resolutions: readonly number[];
  readonly forecasts: readonly ForecastLayer[];
  readonly forecast: string | undefined;
  readonly places: readonly string[];
  readonly onChange: (change: Partial<ViewState>) => void;
  readonly onPlace: (name: string) => void;
}

/** What to show, and where. Native controls, so that keyboards and screen readers know them. */
export function Controls(props: ControlsProps) {
  const { releases, release, show, category, categories, resolutions, forecasts, onChange } = props;
  return (
    <form class="controls" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="views">
        <legend>Show</legend>
        {VIEWS.map(([id, name]) => (
          <label key={id} class={isReport(id) ? 'of-area' : undefined}>
            <input
              type="radio"
              name="show"
              value={id}
              checked={id === show}
              onChange={() => onChange({ show: id, cell: undefined })}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      {releases.length > 1 && (
        <Select
          label="Release"
          value={release.id}
          options={releases.map((r) => [r.id, releaseText(r)])}
          onChange={(id) => onChange({ release: id, period: 'all', cell: undefined })}
        />
      )}
      {show === 'forecast' ? (
        forecasts.length > 1 && (
          <Select
            label="Forecast"
            value={props.forecast ?? ''}
            options={forecasts.map(({ layer }) => [layer, layer])}
            onChange={(name) => onChange({ forecast: name, cell: undefined })}
          />
        )
      ) : show === 'plan' ? null : (
        <Select
          label="Category"
          value={category}
          options={categories.map((name) => [name, layerText(name, release.query.categories)])}
          onChange={(name) => onChange({ layer: name })}
        />
      )}
      {!['counts', 'forecast', 'evaluation', 'plan'].includes(show) && (
        <Select
          label="Hexagons of about"
          value={String(props.resolution)}
          options={resolutions.map((r) => [String(r), areaText(r)])}
          onChange={(r) => onChange({ resolution: Number(r), cell: undefined })}
        />
      )}
      <label>
        <span>Go to local authority</span>
        <input
          type="text"
          list="places"
          autocomplete="off"
          placeholder="Start typing a name"
          onChange={({ currentTarget }) => props.onPlace(currentTarget.value)}
        />
        <datalist id="places">
          {props.places.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
    </form>
  );
}

/** What tells one release from another, for people. */
const releaseText = ({ id, query, releasedAt }: Release): string =>
  `${layerText('all', query.categories)}, ${periodText('all', query.periods)} · ${dateText(releasedAt)} · ${id.slice(0, 8)}`;
