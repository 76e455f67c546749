import { useState } from 'preact/hooks';
import type { CellRow, CellRows } from './cell-rows.js';
import { formatWhole, likelyRange, rangeText } from './interval.js';

interface CellTableProps extends CellRows {
  readonly selected: string | undefined;
  readonly onSelect: (cell: string) => void;
}

type Column = 'place' | 'estimate' | 'range';
const order: Readonly<Record<Column, (a: CellRow, b: CellRow) => number>> = {
  place: (a, b) => a.place.localeCompare(b.place, 'en-GB') || b.estimate - a.estimate,
  estimate: (a, b) => a.estimate - b.estimate,
  range: (a, b) =>
    likelyRange(a.estimate, a.standardError).low - likelyRange(b.estimate, b.standardError).low,
};

/** The map as a table: the same cells and the same words, reachable by keyboard. */
export function CellTable({ rows, unclear, selected, onSelect }: CellTableProps) {
  const [column, setColumn] = useState<Column>('estimate');
  const [descending, setDescending] = useState(true);
  const sorted = [...rows].sort((a, b) => order[column](a, b) * (descending ? -1 : 1));
  const sortBy = (next: Column) => {
    setDescending(next === column ? !descending : next !== 'place');
    setColumn(next);
  };
  const heading = (name: Column, text: string, numeric: boolean) => (
    <th
      scope="col"
      class={numeric ? 'numeric' : undefined}
      aria-sort={column === name ? (descending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" onClick={() => sortBy(name)}>
        {text}
        <span aria-hidden="true">{column === name ? (descending ? ' ▼' : ' ▲') : ''}</span>
      </button>
    </th>
  );
  return (
    <div class="cells" id="cells" tabIndex={-1}>
      <table>
        <caption>
          {rows.length === 0
            ? 'No hexagon in this view can be told from zero'
            : `Highest ${rows.length} hexagons in view`}
        </caption>
        <thead>
          <tr>
            {heading('place', 'Place', false)}
            {heading('estimate', 'About', true)}
            {heading('range', 'Likely', true)}
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ cell, place, estimate, standardError }) => (
            <tr key={cell} class={cell === selected ? 'selected' : undefined}>
              <th scope="row">
                <button
                  type="button"
                  onClick={() => onSelect(cell)}
                  aria-pressed={cell === selected}
                >
                  {place} <span class="mono">{cell.replace(/f+$/, '').slice(-4)}</span>
                </button>
              </th>
              <td class="numeric">{formatWhole(estimate)}</td>
              <td class="numeric">{rangeText(estimate, standardError)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {unclear > 0 && (
        <p class="note">
          {formatWhole(unclear)} more {unclear === 1 ? 'hexagon' : 'hexagons'} in view cannot be
          told from zero.
        </p>
      )}
    </div>
  );
}
