import { cannotTellFromZero, countText, likelyRange } from './interval.js';
import type { Reading } from './reading.js';
import type { HistoryMonth } from './use-layer-view.js';
import { periodText } from './words.js';

interface CellInspectorProps {
  readonly reading: Reading;
  readonly history: readonly HistoryMonth[] | undefined;
  /** Period on show, or `all`. */
  readonly period: string;
  readonly onClose: () => void;
}

const WIDTH = 350;
const HEIGHT = 96;

/** Everything known of one hexagon: what it says now, and its count in every month with its range. */
export function CellInspector({ reading, history, period, onClose }: CellInspectorProps) {
  return (
    <section class="inspector" aria-label="Chosen hexagon">
      <h2>{reading.place}</h2>
      <button type="button" class="close" onClick={onClose} aria-label="Close the chosen hexagon">
        <span aria-hidden="true">×</span>
      </button>
      <p class="inspector-text">{reading.text}</p>
      {reading.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {history && history.length > 1 && <History history={history} period={period} />}
    </section>
  );
}

const monthText = (value: HistoryMonth['value']): string => {
  if (value === 'missing') return 'Not counted: missing, not zero';
  if (value === 'uncovered') return 'No agency covers this: missing, not zero';
  return countText(value.estimate, value.standardError);
};

/** Bars from the lower to the upper end of the likely range, a line at the estimate; gaps are hatched. The same as a table for everybody. */
function History({
  history,
  period,
}: {
  readonly history: readonly HistoryMonth[];
  readonly period: string;
}) {
  const highest = Math.max(
    1,
    ...history.map(({ value }) =>
      typeof value === 'string' ? 0 : likelyRange(value.estimate, value.standardError).high,
    ),
  );
  const step = WIDTH / history.length;
  const y = (count: number): number => HEIGHT - 2 - ((HEIGHT - 6) * Math.max(0, count)) / highest;
  const missing = history.filter(({ value }) => typeof value === 'string').length;
  return (
    <figure class="history">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        <line x1={0} x2={WIDTH} y1={HEIGHT - 2} y2={HEIGHT - 2} class="axis" />
        {history.map(({ period: own, value }, i) => {
          const x = i * step + step * 0.15;
          const width = step * 0.7;
          const now = own === period ? ' now' : '';
          if (typeof value === 'string') {
            return <rect key={own} class="gap" x={x} width={width} y={4} height={HEIGHT - 6} />;
          }
          const { low, high } = likelyRange(value.estimate, value.standardError);
          const unclear = cannotTellFromZero(value.estimate, value.standardError);
          return (
            <g key={own} class={`${unclear ? 'unclear' : 'clear'}${now}`}>
              <rect x={x} width={width} y={y(high)} height={Math.max(2, y(low) - y(high))} />
              {!unclear && (
                <line x1={x} x2={x + width} y1={y(value.estimate)} y2={y(value.estimate)} />
              )}
            </g>
          );
        })}
      </svg>
      <figcaption>
        Likely range of each month,{' '}
        {periodText(
          'all',
          history.map((month) => month.period),
        )}
        ; up to {highest.toLocaleString('en-GB')}.
        {missing > 0 &&
          ` ${missing} ${missing === 1 ? 'month is' : 'months are'} missing, not zero.`}
      </figcaption>
      <details>
        <summary>As a table</summary>
        <table>
          <tbody>
            {history.map(({ period: own, value }) => (
              <tr key={own}>
                <th scope="row">{periodText(own, [])}</th>
                <td>{monthText(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
