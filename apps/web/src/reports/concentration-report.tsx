import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { numberOf, percentText, shareText } from '../figures.js';
import { formatWhole } from '../interval.js';
import type { LayerDocument } from '../layer-client.js';
import { ChartFrame, ticksOf, X_RANGE, Y_RANGE } from './chart-frame.js';

type Point = readonly [cells: number, incidents: number];

/** Two decimals: a Gini is known no better. */
const giniText = (value: number): string => value.toFixed(2);

/** Fewest hexagons that together hold a share of the incidents. */
interface Holding {
  readonly share: number;
  readonly words: string;
  readonly cells: number;
  readonly low: number;
  readonly high: number;
}

const holdings = ({ summary }: LayerDocument): readonly Holding[] =>
  [
    { share: 0.25, words: 'a quarter', name: 'cellsHolding25' },
    { share: 0.5, words: 'half', name: 'cellsHolding50' },
  ]
    .map(({ share, words, name }) => ({
      share,
      words,
      cells: numberOf(summary, name),
      low: numberOf(summary, `${name}Low`),
      high: numberOf(summary, `${name}High`),
    }))
    .filter(({ cells }) => Number.isFinite(cells));

const hasRange = ({ low, high }: Pick<Holding, 'low' | 'high'>): boolean =>
  Number.isFinite(low) && Number.isFinite(high);

/** Gini with its interval; where the counts say anything, the Lorenz curve and the shares that hold a quarter and a half. */
export function ConcentrationReport({ document }: { readonly document: LayerDocument }) {
  const { summary, parameters } = document;
  const gini = numberOf(summary, 'gini');
  const known = Number.isFinite(gini);
  return (
    <>
      <section class="total" aria-label="Finding">
        <p>
          {known
            ? `Gini ${giniText(gini)} (likely ${giniText(numberOf(summary, 'giniLow'))} to ${giniText(numberOf(summary, 'giniHigh'))})`
            : 'The counts do not say how concentrated it is'}
        </p>
        <p class="note">
          {known
            ? `0 is the same everywhere, 1 all in one hexagon. The range holds the true value with probability ${shareText(Number(parameters.coverage))}. As many incidents thrown at random would give ${giniText(numberOf(summary, 'giniOfChance'))}.`
            : 'Under this much noise every Gini from even to extreme fits. Larger hexagons, more months or a commoner category may tell. A curve of what is left after the noise is taken out would only show how much was taken out.'}
        </p>
      </section>
      {known && <Curve document={document} />}
    </>
  );
}

/** The curve, and the shares that can be read off it. */
function Curve({ document }: { readonly document: LayerDocument }) {
  const { summary } = document;
  const cells = numberOf(summary, 'cells');
  const held = holdings(document);
  const points: Point[] = document.rows.map((row) => [Number(row[0]), Number(row[1])]);
  const missing = numberOf(summary, 'missingCellPeriods');
  return (
    <>
      <figure class="chart-figure">
        <LorenzChart points={points} held={held} cells={cells} />
        <figcaption>
          Lorenz curve of the denoised rates, hexagons in descending order; they are more even than
          the truth. Dots: the fewest hexagons that hold a quarter and half. The dashed line is the
          same everywhere.
        </figcaption>
      </figure>
      <ul class="facts">
        {held.map(({ words, cells: holding, low, high }) => (
          <li key={words}>
            <strong>{formatWhole(holding)}</strong> of {formatWhole(cells)} hexagons (
            {percentText(holding / cells)}) hold {words} of the incidents
            {hasRange({ low, high })
              ? `, likely ${formatWhole(low)} to ${formatWhole(high)}.`
              : '.'}
          </li>
        ))}
      </ul>
      <p class="note">
        {held.some((one) => !hasRange(one)) &&
          'These two are of denoised rates, which are more even than the truth: they have no range. '}
        {missing > 0 &&
          `${formatWhole(missing)} counts of a hexagon in a month are missing, not zero.`}
      </p>
      <details class="twin">
        <summary>The curve as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Share of hexagons, highest first</th>
              <th scope="col" class="numeric">
                Of incidents
              </th>
            </tr>
          </thead>
          <tbody>
            {points.map(([x, y]) => (
              <tr key={x}>
                <th scope="row">{percentText(x)}</th>
                <td class="numeric">{percentText(y)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

function LorenzChart({
  points,
  held,
  cells,
}: {
  readonly points: readonly Point[];
  readonly held: readonly Holding[];
  readonly cells: number;
}) {
  const x = scaleLinear([0, 100], X_RANGE);
  const y = scaleLinear([0, 100], Y_RANGE);
  const path = line<Point>(
    ([share]) => x(100 * share),
    ([, share]) => y(100 * share),
  )(points);
  return (
    <ChartFrame
      xTicks={ticksOf(x, 5, '\u00a0%')}
      yTicks={ticksOf(y, 5, '\u00a0%')}
      xTitle="Share of hexagons, highest first"
      yTitle="Share of incidents"
    >
      <line class="even" x1={x(0)} y1={y(0)} x2={x(100)} y2={y(100)} />
      <path class="curve" d={path ?? ''} />
      {held.map(({ share, cells: n, low, high }) => {
        const at = y(100 * share);
        const [from, to] = [low, high].map((end) => x((100 * end) / cells));
        return (
          <g key={share}>
            {hasRange({ low, high }) && <line class="range" x1={from} x2={to} y1={at} y2={at} />}
            <circle class="mark" cx={x((100 * n) / cells)} cy={at} r={3.5} />
          </g>
        );
      })}
    </ChartFrame>
  );
}
