import { scaleLinear, scalePoint } from 'd3-scale';
import { area, line } from 'd3-shape';
import { countText } from '../interval.js';
import { periodText } from '../words.js';
import { ChartFrame, type Tick, ticksOf, X_RANGE, Y_RANGE } from './chart-frame.js';
import type { Line, Measured } from './evaluation-figures.js';

/** Half width of the range of a count in standard deviations of its noise. */
const LIKELY = 1.96;

interface LinesProps {
  readonly months: readonly string[];
  /** The first is the place that something was done in, or moved to; the second what it is compared with. */
  readonly lines: readonly Line[];
  readonly start: string;
}

/** Two areas over time with the ranges of their counts, and a key. */
export function LinesFigure({ months, lines, start }: LinesProps) {
  return (
    <figure class="chart-figure">
      <LinesChart months={months} lines={lines} start={start} />
      <figcaption>
        {lines.map(({ name, text }, i) => (
          <span key={name}>
            <span class={`line-key ${name}`} aria-hidden="true" /> {text} (
            {i === 0 ? 'solid' : 'dashed'}){' '}
          </span>
        ))}
        Bands: where the count lies with probability 95 %, given the noise. The upright line is the
        start.
      </figcaption>
    </figure>
  );
}

/** First, last and the start: the months that a narrow axis can name. */
function monthTicks(
  months: readonly string[],
  start: string,
  x: (month: string) => number,
): readonly Tick[] {
  const ticks: Tick[] = [];
  for (const name of new Set([months[0], start, months.at(-1)])) {
    if (name === undefined) continue;
    const at = x(name);
    if (ticks.every((other) => Math.abs(other.at - at) > 62)) ticks.push({ at, text: name });
  }
  return ticks;
}

function LinesChart({ months, lines, start }: LinesProps) {
  const point = scalePoint(months, X_RANGE).padding(0.3);
  const x = (month: string): number => point(month) ?? X_RANGE[0];
  const ends = lines
    .flatMap((one) => one.months.flatMap(({ count, sd }) => [count, count + LIKELY * sd]))
    .filter(Number.isFinite);
  // Counts are never below zero, whatever their estimates are.
  const y = scaleLinear([0, Math.max(1, ...ends)], Y_RANGE).nice(4);
  const high = (value: number): number => y(Math.max(0, value));
  const startAt = x(start) - point.step() / 2;
  type Point = Measured & { readonly month: string };
  const isKnown = ({ count }: Point): boolean => Number.isFinite(count);
  const across = ({ month }: Point): number => x(month);
  const band = area<Point>()
    .defined(isKnown)
    .x(across)
    .y0(({ count, sd }) => high(count - LIKELY * sd))
    .y1(({ count, sd }) => high(count + LIKELY * sd));
  const estimate = line<Point>()
    .defined(isKnown)
    .x(across)
    .y(({ count }) => high(count));
  return (
    <ChartFrame
      xTicks={monthTicks(months, start, x)}
      yTicks={ticksOf(y, 4)}
      xTitle="Month"
      yTitle="Incidents"
    >
      <line class="start" x1={startAt} x2={startAt} y1={Y_RANGE[0]} y2={Y_RANGE[1]} />
      {lines.toReversed().map(({ name, months: measured }) => {
        const points = months.map((month, t) => ({ month, ...(measured[t] as Measured) }));
        return (
          <g key={name} class={name}>
            <path class="band" d={band(points) ?? ''} />
            <path class="estimate" d={estimate(points) ?? ''} />
          </g>
        );
      })}
    </ChartFrame>
  );
}

/** Every area in every month, as a table. */
export function LinesTable({ months, lines }: Omit<LinesProps, 'start'>) {
  return (
    <details class="twin">
      <summary>All areas as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and a keyboard has to reach what is beside */}
      <section class="wide" tabIndex={0} aria-label="All areas, month by month">
        <table>
          <thead>
            <tr>
              <th scope="col">Month</th>
              {lines.map(({ name, text }) => (
                <th scope="col" key={name}>
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {months.map((month, t) => (
              <tr key={month}>
                <th scope="row">{periodText(month, [])}</th>
                {lines.map(({ name, months: measured }) => (
                  <td key={name}>{measuredText(measured[t])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

const measuredText = (measured: Measured | undefined): string =>
  measured && Number.isFinite(measured.count)
    ? countText(measured.count, measured.sd)
    : 'Not counted: missing, not zero';
