import { useState } from 'preact/hooks';
import { type Area, formatArea, MOST_DONORS, readArea } from '../area.js';
import { type AreaStates, stateOf } from '../use-areas.js';
import { areaStateText, HOW_TO_PICK, UNREADABLE } from './area-field.js';

interface DonorListProps {
  readonly donors: readonly Area[];
  readonly areas: AreaStates;
  /** Place of the area that takes the hexagons which are clicked. */
  readonly picking: number | undefined;
  readonly onPicking: (place: number | undefined) => void;
  readonly onChange: (donors: readonly Area[]) => void;
}

/** Areas in which a placebo test of 5 % can reject at all. */
const ENOUGH = 19;

/** The areas that a synthetic control is mixed from: by name, pasted one a line, or chosen on the map. */
export function DonorList({ donors, areas, picking, onPicking, onChange }: DonorListProps) {
  const [unreadable, setUnreadable] = useState(false);
  /** Adds what can be read and is not there yet; true when all could be read. */
  const add = (texts: readonly string[]): boolean => {
    const read = texts.map((text) => text.trim()).filter((text) => text !== '');
    const next = read.flatMap((text) => readArea(text) ?? []);
    const all = [...donors, ...next];
    const names = all.map(formatArea);
    onChange(all.filter((_, i) => names.indexOf(names[i] ?? '') === i).slice(0, MOST_DONORS));
    setUnreadable(next.length < read.length);
    return next.length === read.length;
  };
  const isPicking = picking !== undefined;
  const keep = (next: readonly Area[]): void => {
    onPicking(undefined);
    setUnreadable(false);
    onChange(next);
  };
  return (
    <fieldset class="area donor">
      <legend>
        Comparison areas{' '}
        <span class="note">
          two to {MOST_DONORS} places without the intervention, about as large as the treated area
        </span>
      </legend>
      <label>
        <span class="hidden">Add a comparison area: local authority or H3 cells</span>
        <input
          type="text"
          list="places"
          autocomplete="off"
          placeholder="Local authority, or H3 cells"
          onChange={({ currentTarget }) => {
            if (add([currentTarget.value])) currentTarget.value = '';
          }}
          onPaste={(event) => {
            const lines = (event.clipboardData?.getData('text') ?? '').trim().split(/[\r\n]+/);
            // A single line is pasted as text, to be gone over.
            if (lines.length < 2) return;
            event.preventDefault();
            add(lines);
          }}
        />
      </label>
      <p class="buttons">
        <button
          type="button"
          aria-pressed={isPicking}
          disabled={!isPicking && donors.length >= MOST_DONORS}
          onClick={() => onPicking(isPicking ? undefined : donors.length)}
        >
          {isPicking ? 'Done choosing' : 'Choose one more on the map'}
        </button>
        {donors.length > 0 && (
          <button type="button" aria-label="Clear: comparison areas" onClick={() => keep([])}>
            Clear
          </button>
        )}
      </p>
      <p class="note">
        {isPicking ? HOW_TO_PICK : 'Pasted lines are one area each: a name, or its cells.'}
      </p>
      <p class="note" role="status">
        {unreadable ? UNREADABLE : countOf(donors)}
      </p>
      {donors.length > 0 && (
        <ol class="donors" aria-label="Comparison areas">
          {donors.map((donor, i) => {
            const name = donor.authority ?? `Hexagons ${i + 1}`;
            return (
              <li key={formatArea(donor)}>
                <span>
                  {name}
                  <span class="note">{areaStateText(donor, stateOf(areas, donor))}</span>
                </span>
                <button
                  type="button"
                  aria-label={`Remove: ${name}`}
                  onClick={() => keep(donors.filter((_, other) => other !== i))}
                >
                  <span aria-hidden="true">×</span>
                </button>
              </li>
            );
          })}
        </ol>
      )}
    </fieldset>
  );
}

const countOf = ({ length }: readonly Area[]): string => {
  if (length === 0) return '';
  const chosen = `${length} chosen.`;
  return length < ENOUGH
    ? `${chosen} With fewer than ${ENOUGH} the test can say nothing at 5 %, whatever happened.`
    : chosen;
};
