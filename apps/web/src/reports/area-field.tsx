import { useLayoutEffect, useState } from 'preact/hooks';
import { type Area, type AreaRole, formatArea, readArea, withCell } from '../area.js';
import { AREA_LOOKS } from '../area-looks.js';
import { formatWhole } from '../interval.js';
import type { AreaState } from '../use-areas.js';

interface AreaFieldProps {
  readonly role: AreaRole;
  readonly about: string;
  readonly area: Area | undefined;
  readonly state: AreaState | undefined;
  readonly isPicking: boolean;
  readonly onPicking: (wanted: boolean) => void;
  readonly onChange: (area: Area | undefined) => void;
}

/** What cannot be read as an area says so. */
export const UNREADABLE =
  'Enter the name of a local authority, or up to 200 H3 cells of resolution 4 to 9 with commas or blanks between them.';
/** Stands under a field while hexagons that are clicked go into its area. */
export const HOW_TO_PICK =
  'Click hexagons, or move the map with the arrow keys and press Enter: the one under the cross goes in, or out again.';

/** One area: the name of a local authority, hexagons that are clicked one by one, or pasted. */
export function AreaField(props: AreaFieldProps) {
  const { role, about, area, state, isPicking, onPicking, onChange } = props;
  const [unreadable, setUnreadable] = useState(false);
  // What is being typed stays, whatever else is drawn anew meanwhile; at once, as an effect after the next paint would find more of it.
  const chosen = area?.authority ?? '';
  const [text, setText] = useState(chosen);
  useLayoutEffect(() => setText(chosen), [area && formatArea(area)]);
  const name = AREA_LOOKS[role].text;
  const change = (next: Area | undefined): void => {
    setUnreadable(false);
    onChange(next);
  };
  return (
    <fieldset class={`area ${role}`}>
      <legend>
        {name} <span class="note">{about}</span>
      </legend>
      <label>
        <span class="hidden">{name}: local authority or H3 cells</span>
        <input
          type="text"
          list="places"
          autocomplete="off"
          placeholder="Local authority, or H3 cells"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onChange={({ currentTarget }) => {
            const typed = currentTarget.value.trim();
            const next = readArea(typed);
            if (typed !== '' && !next) {
              setUnreadable(true);
              return;
            }
            setText(next?.authority ?? '');
            change(next);
          }}
        />
      </label>
      <p class="buttons">
        <button type="button" aria-pressed={isPicking} onClick={() => onPicking(!isPicking)}>
          {isPicking ? 'Done choosing' : 'Choose hexagons on the map'}
        </button>
        {area && (
          <button
            type="button"
            aria-label={`Clear: ${name.toLowerCase()}`}
            onClick={() => change(undefined)}
          >
            Clear
          </button>
        )}
      </p>
      {isPicking && <p class="note">{HOW_TO_PICK}</p>}
      <p class="note" role="status">
        {unreadable ? UNREADABLE : area ? areaStateText(area, state) : ''}
      </p>
      {area?.cells && (
        <ul class="chips" aria-label={`Hexagons: ${name.toLowerCase()}`}>
          {area.cells.map((cell) => (
            <li key={cell}>
              <button type="button" onClick={() => change(withCell(area, cell))}>
                <span class="hidden">Remove </span>
                <span class="mono">{cell.replace(/f+$/, '')}</span>{' '}
                <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  );
}

/** How many hexagons an area has, or why none. */
export function areaStateText(area: Area, state: AreaState | undefined): string {
  if (!state) return '';
  if (state.step === 'loading') return `Looking for the hexagons of ${formatArea(area)}…`;
  if (state.step === 'failed') return state.problem;
  const { length } = state.area.cells;
  const hexagons = length === 1 ? 'hexagon' : 'hexagons';
  // Whether hexagons that were entered are counted, the coordinator says.
  return area.authority
    ? `${formatWhole(length)} counted ${hexagons} with their centre in ${area.authority}.`
    : `${formatWhole(length)} ${hexagons}.`;
}
