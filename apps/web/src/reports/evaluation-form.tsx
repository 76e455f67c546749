import type { Role } from '../area.js';
import { methodOf, missingArea, type Picked, rolesOf, sidesOf, startsOf } from '../evaluation.js';
import { Select } from '../select.js';
import type { Selection } from '../selection.js';
import type { ViewState } from '../url-state.js';
import { type AreaStates, stateOf } from '../use-areas.js';
import { periodText } from '../words.js';
import { AreaField } from './area-field.js';
import { DonorList } from './donor-list.js';
import { EVALUATION_METHODS, METHOD_NAMES, METHOD_NOTES } from './evaluation-method.js';

interface EvaluationFormProps {
  readonly selection: Selection;
  readonly state: ViewState;
  readonly areas: AreaStates;
  /** Area that takes the hexagons which are clicked. */
  readonly picking: Picked | undefined;
  readonly onPicking: (picked: Picked | undefined) => void;
  readonly onChange: (change: Partial<ViewState>) => void;
  /** Moves the map to where the areas are. */
  readonly onShowAreas: () => void;
}

const ABOUT: Readonly<Record<Role, string>> = {
  treated: 'where the intervention was',
  control: 'a place like it, without',
  displacement: 'where crime may have moved to',
  displacementControl: 'a place like that, far from both',
};

/** Areas of every method. */
const BASIC: readonly Role[] = ['treated', 'control'];

/** What an evaluation needs to know: how it is judged, its areas, the first month, and how long on each side. */
export function EvaluationForm(props: EvaluationFormProps) {
  const { selection, state, areas, picking, onPicking, onChange, onShowAreas } = props;
  const method = methodOf(state);
  const missing = missingArea(state, areas);
  const field = (role: Role) => (
    <AreaField
      key={role}
      role={role}
      about={ABOUT[role]}
      area={state[role]}
      state={state[role] && stateOf(areas, state[role])}
      isPicking={picking === role}
      onPicking={(wanted) => onPicking(wanted ? role : undefined)}
      onChange={(area) => onChange({ [role]: area })}
    />
  );
  const further = rolesOf(state).filter((role) => !BASIC.includes(role));
  const isComplete = state.treated && state.control && state.start && !missing;
  return (
    <>
      {!isComplete && <HowToEvaluate />}
      <form
        class="controls"
        aria-label="What is evaluated"
        onSubmit={(event) => event.preventDefault()}
      >
        <Select
          label="Judged by"
          value={method}
          options={EVALUATION_METHODS.map((id) => [id, METHOD_NAMES[id]])}
          onChange={(id) => {
            onPicking(undefined);
            onChange({ method: EVALUATION_METHODS.find((known) => known === id) });
          }}
        />
        <p class="note">{METHOD_NOTES[method]}</p>
        {BASIC.map(field)}
        {further.length > 0 && (
          <details class="further" open={further.some((role) => state[role])}>
            <summary>Displacement: did crime move next door?</summary>
            {further.map(field)}
          </details>
        )}
        {method === 'synthetic' && (
          <DonorList
            donors={state.donors ?? []}
            areas={areas}
            picking={typeof picking === 'number' ? picking : undefined}
            onPicking={onPicking}
            onChange={(donors) => onChange({ donors: donors.length > 0 ? donors : undefined })}
          />
        )}
        {state.treated && (
          <p class="buttons">
            <button type="button" onClick={onShowAreas}>
              Show all areas on the map
            </button>
          </p>
        )}
        <Months selection={selection} state={state} onChange={onChange} />
        {state.treated && state.control && missing && (
          <p class="missing" role="status">
            {missing}
          </p>
        )}
      </form>
    </>
  );
}

/** First month of the intervention, and how many months on each side of it. */
function Months({
  selection: { moments },
  state,
  onChange,
}: Pick<EvaluationFormProps, 'selection' | 'state' | 'onChange'>) {
  const starts = startsOf(moments);
  if (starts.length === 0) {
    return (
      <p class="missing">
        There is only one counted month: an evaluation needs one before the intervention and one
        from its start on.
      </p>
    );
  }
  const start = state.start && starts.includes(state.start) ? state.start : undefined;
  const sides = start === undefined ? undefined : sidesOf(moments, start);
  return (
    <>
      <Select
        label="The intervention began in"
        value={start ?? ''}
        options={[
          ['', 'Choose a month'],
          ...starts.map((month) => [month, periodText(month, [])] as const),
        ]}
        onChange={(month) => onChange({ start: month || undefined })}
      />
      {sides &&
        (
          [
            ['before', 'Months before'],
            ['after', 'Months from then on'],
          ] as const
        ).map(([side, label]) => (
          <Length
            key={side}
            label={label}
            most={sides[side].length}
            value={state[side]}
            onChange={(months) => onChange({ [side]: months })}
          />
        ))}
    </>
  );
}

/** How many of the months of one side count; those next to the start. */
function Length({
  label,
  most,
  value,
  onChange,
}: {
  readonly label: string;
  readonly most: number;
  readonly value: number | undefined;
  readonly onChange: (months: number | undefined) => void;
}) {
  return (
    <Select
      label={label}
      value={value !== undefined && value < most ? String(value) : ''}
      options={[
        ['', `All (${most})`],
        ...Array.from({ length: most - 1 }, (_, i) => [String(i + 1), String(i + 1)] as const),
      ]}
      onChange={(months) => onChange(months ? Number(months) : undefined)}
    />
  );
}

/** Stands above the form until it is complete. */
function HowToEvaluate() {
  return (
    <section class="empty" aria-labelledby="evaluate-title">
      <h2 id="evaluate-title">Did it work?</h2>
      <p>
        Crime rises and falls by itself. So what changed where something was done is compared with
        what changed in places where nothing was.
      </p>
      <ol>
        <li>Choose how it is judged, and the areas that this needs.</li>
        <li>Choose the month in which the intervention began.</li>
        <li>
          The effect is shown with its interval, its p-value, and how likely these counts could have
          shown a fall at all.
        </li>
      </ol>
      <p>Choose before you look at the counts: who picks the best of many finds an effect.</p>
    </section>
  );
}
