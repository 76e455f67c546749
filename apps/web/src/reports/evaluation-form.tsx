import { type Area, formatArea, ROLES, type Role, withCell } from '../area.js';
import { AREA_LOOKS } from '../area-looks.js';
import { formatWhole } from '../interval.js';
import { Select } from '../select.js';
import { type Selection, sidesOf, startsOf } from '../selection.js';
import type { ViewState } from '../url-state.js';
import type { AreaState, AreaStates } from '../use-areas.js';
import { periodText } from '../words.js';

interface EvaluationFormProps {
  readonly selection: Selection;
  readonly state: ViewState;
  readonly areas: AreaStates;
  /** Area that takes the hexagons which are clicked. */
  readonly picking: Role | undefined;
  readonly onPicking: (role: Role | undefined) => void;
  readonly onChange: (change: Partial<ViewState>) => void;
}

const ABOUT: Readonly<Record<Role, string>> = {
  treated: 'where the intervention was',
  control: 'a place like it, without',
};

/** What an evaluation needs to know: two areas, the first month, and how long on each side. */
export function EvaluationForm(props: EvaluationFormProps) {
  const { selection, state, areas, picking, onPicking, onChange } = props;
  const starts = startsOf(selection.moments);
  const sides = state.start ? sidesOf(selection.moments, state.start) : undefined;
  const most = sides ? Math.min(sides.before.length, sides.after.length) : 0;
  const isComplete = state.treated && state.control && state.start;
  return (
    <>
      {!isComplete && <HowToEvaluate />}
      <form
        class="controls"
        aria-label="What is evaluated"
        onSubmit={(event) => event.preventDefault()}
      >
        {ROLES.map((role) => (
          <AreaField
            key={role}
            role={role}
            area={state[role]}
            state={areas[role]}
            isPicking={picking === role}
            onPicking={(wanted) => onPicking(wanted ? role : undefined)}
            onChange={(area) => onChange({ [role]: area })}
          />
        ))}
        {starts.length === 0 ? (
          <p class="missing">
            There is only one counted month: an evaluation needs one before the intervention and one
            from its start on.
          </p>
        ) : (
          <Select
            label="The intervention began in"
            value={state.start && starts.includes(state.start) ? state.start : ''}
            options={[
              ['', 'Choose a month'],
              ...starts.map((month) => [month, periodText(month, [])] as const),
            ]}
            onChange={(start) => onChange({ start: start || undefined })}
          />
        )}
        {most > 1 && (
          <Select
            label="Months compared on each side"
            value={state.months !== undefined && state.months < most ? String(state.months) : ''}
            options={[
              ['', `All that both sides have (${most})`],
              ...Array.from({ length: most - 1 }, (_, i) => {
                const months = String(i + 1);
                return [months, months] as const;
              }),
            ]}
            onChange={(months) => onChange({ months: months ? Number(months) : undefined })}
          />
        )}
      </form>
    </>
  );
}

interface AreaFieldProps {
  readonly role: Role;
  readonly area: Area | undefined;
  readonly state: AreaState | undefined;
  readonly isPicking: boolean;
  readonly onPicking: (wanted: boolean) => void;
  readonly onChange: (area: Area | undefined) => void;
}

/** One area: the name of a local authority, or hexagons that are clicked one by one. */
function AreaField({ role, area, state, isPicking, onPicking, onChange }: AreaFieldProps) {
  const name = AREA_LOOKS[role].text;
  return (
    <fieldset class={`area ${role}`}>
      <legend>
        {name} <span class="note">{ABOUT[role]}</span>
      </legend>
      <label>
        <span class="hidden">{name}: local authority</span>
        <input
          type="text"
          list="places"
          autocomplete="off"
          placeholder="Name of a local authority"
          value={area?.authority ?? ''}
          onChange={({ currentTarget }) => {
            const authority = currentTarget.value.trim();
            onChange(authority ? { authority } : undefined);
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
            onClick={() => onChange(undefined)}
          >
            Clear
          </button>
        )}
      </p>
      {isPicking && (
        <p class="note">
          Click hexagons, or move the map with the arrow keys and press Enter: the one under the
          cross goes in, or out again.
        </p>
      )}
      <p class="note" role="status">
        {stateText(area, state)}
      </p>
      {area?.cells && (
        <ul class="chips" aria-label={`Hexagons: ${name.toLowerCase()}`}>
          {area.cells.map((cell) => (
            <li key={cell}>
              <button type="button" onClick={() => onChange(withCell(area, cell))}>
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

function stateText(area: Area | undefined, state: AreaState | undefined): string {
  if (!area || !state) return '';
  if (state.step === 'loading') return `Looking for the hexagons of ${formatArea(area)}…`;
  if (state.step === 'failed') return state.problem;
  const { length } = state.area.cells;
  return `${formatWhole(length)} counted hexagon${length === 1 ? '' : 's'}${area.authority ? ` with their centre in ${area.authority}` : ''}.`;
}

/** Stands above the form until it is complete. */
function HowToEvaluate() {
  return (
    <section class="empty" aria-labelledby="evaluate-title">
      <h2 id="evaluate-title">Did it work?</h2>
      <p>
        Crime rises and falls by itself. So what changed where something was done is compared with
        what changed in a place where nothing was.
      </p>
      <ol>
        <li>Choose the treated area, and a control that moved like it before.</li>
        <li>Choose the month in which the intervention began.</li>
        <li>
          The effect is shown with its standard error, its p-value, and the smallest fall that these
          counts could have shown at all.
        </li>
      </ol>
      <p>Choose both before you look at the counts: who picks the best of many finds an effect.</p>
      <p class="note">
        Displacement areas and synthetic controls: <code>concordat analyse evaluation --help</code>
      </p>
    </section>
  );
}
