import type { Release } from './release-client.js';
import { dateText, layerText, periodText } from './words.js';

interface ControlsProps {
  readonly releases: readonly Release[];
  readonly release: Release;
  readonly layer: string;
  readonly period: string;
  readonly places: readonly string[];
  readonly onRelease: (id: string) => void;
  readonly onLayer: (layer: string) => void;
  readonly onPeriod: (period: string) => void;
  readonly onPlace: (name: string) => void;
}

/** What to show, and where. Native controls, so that keyboards and screen readers know them. */
export function Controls(props: ControlsProps) {
  const { releases, release, layer, period, places } = props;
  const { categories, periods } = release.query;
  return (
    <form class="controls" onSubmit={(event) => event.preventDefault()}>
      {releases.length > 1 && (
        <Select
          label="Release"
          value={release.id}
          options={releases.map((r) => [r.id, `${dateText(r.releasedAt)} · ${r.id.slice(0, 8)}`])}
          onChange={props.onRelease}
        />
      )}
      <Select
        label="Category"
        value={layer}
        options={optionsOf(categories, (name) => layerText(name, categories))}
        onChange={props.onLayer}
      />
      <Select
        label="Period"
        value={period}
        options={optionsOf([...periods].sort(), (name) => periodText(name, periods))}
        onChange={props.onPeriod}
      />
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
          {places.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
    </form>
  );
}

/** The single choices, after their sum when there are several. */
const optionsOf = (
  names: readonly string[],
  text: (name: string) => string,
): (readonly [string, string])[] =>
  (names.length === 1 ? ['all'] : ['all', ...names]).map((name) => [name, text(name)]);

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}

function Select({ label, value, options, onChange }: SelectProps) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
