import { Select } from '../select.js';
import type { ViewState } from '../url-state.js';

interface PlanFormProps {
  readonly epsilon: number;
  readonly runs: number;
  readonly onChange: (change: Partial<ViewState>) => void;
}

const RUNS = [
  [1, 'once a year'],
  [4, 'every quarter'],
  [12, 'every month'],
  [53, 'every week'],
] as const;

/** Budget of the year that is planned. */
export function PlanForm({ epsilon, runs, onChange }: PlanFormProps) {
  const known = RUNS.some(([times]) => times === runs);
  return (
    <form
      class="controls"
      aria-label="What is planned"
      onSubmit={(event) => event.preventDefault()}
    >
      <label>
        <span>Privacy loss of the whole year, ε</span>
        <input
          type="number"
          min={0.1}
          max={999}
          step="any"
          value={epsilon}
          onChange={({ currentTarget }) => {
            const wanted = Number(currentTarget.value);
            if (wanted >= 0.1 && wanted <= 999) onChange({ epsilon: Number(wanted.toFixed(2)) });
          }}
        />
      </label>
      <Select
        label="Asked"
        value={String(runs)}
        options={[
          ...RUNS.map(([times, text]) => [String(times), text] as const),
          ...(known ? [] : [[String(runs), `${runs} times a year`] as const]),
        ]}
        onChange={(times) => onChange({ runs: Number(times) })}
      />
    </form>
  );
}
