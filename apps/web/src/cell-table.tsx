import { useEffect, useState } from 'preact/hooks';
import type { CellRow, CellRows } from './cell-rows.js';

interface CellTableProps extends CellRows {
  readonly selected: string | undefined;
  readonly onSelect: (cell: string) => void;
  readonly onMore: () => void;
}

/** Column that rows are sorted by: the place, or one of the figures. */
type Sort = 'place' | number;

const byPlace = (a: CellRow, b: CellRow): number => a.place.localeCompare(b.place, 'en-GB');

/** The map as a table: the same cells and the same words, reachable by keyboard. */
export function CellTable(props: CellTableProps) {
  const { caption, columns, rows, more, note, selected, onSelect, onMore } = props;
  const [sort, setSort] = useState<Sort>(0);
  const [descending, setDescending] = useState(true);
  // Another statistic has other columns: it starts with its own order.
  const names = columns.join();
  useEffect(() => {
    setSort(0);
    setDescending(true);
  }, [names]);
  const sign = descending ? -1 : 1;
  const sorted = [...rows].sort(
    (a, b) =>
      sign * (sort === 'place' ? byPlace(a, b) : (a.orders[sort] ?? 0) - (b.orders[sort] ?? 0)),
  );
  const sortBy = (next: Sort) => {
    setDescending(next === sort ? !descending : next !== 'place');
    setSort(next);
  };
  const heading = (name: Sort, text: string) => (
    <th
      scope="col"
      class={name === 'place' ? undefined : 'numeric'}
      aria-sort={sort === name ? (descending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" onClick={() => sortBy(name)}>
        {text}
        <span aria-hidden="true">{sort === name ? (descending ? ' ▼' : ' ▲') : ''}</span>
      </button>
    </th>
  );
  return (
    <div class="cells" id="cells" tabIndex={-1}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {heading('place', 'Place')}
            {columns.map((text, i) => heading(i, text))}
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ cell, place, texts }) => (
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
              {texts.map((text, i) => (
                <td key={columns[i]} class="numeric">
                  {text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && (
        <button type="button" class="more" onClick={onMore}>
          Show more ({more.toLocaleString('en-GB')} left)
        </button>
      )}
      {note && <p class="note">{note}</p>}
    </div>
  );
}
