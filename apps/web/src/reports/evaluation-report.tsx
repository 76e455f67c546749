import { scaleLinear, scalePoint } from 'd3-scale';
import { area, line } from 'd3-shape';
import { numberOf, scoreText, shareText } from '../figures.js';
import { countText } from '../interval.js';
import type { LayerDocument } from '../layer-client.js';
import { periodText } from '../words.js';
import { ChartFrame, type Tick, ticksOf, X_RANGE, Y_RANGE } from './chart-frame.js';

/** Half width of the range of a count in standard deviations of its noise. */
const LIKELY = 1.96;

interface Month {
  readonly month: string;
  readonly treated: Measured;
  readonly control: Measured;
}
interface Measured {
  readonly count: number;
  readonly sd: number;
}

/** One way of estimating the effect. */
interface Effect {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly error: number;
  /** Ends of its interval; NaN where the result has none. */
  readonly low: number;
  readonly high: number;
  readonly p: number;
}

const signed = (value: number): string => (value > 0 ? `+${scoreText(value)}` : scoreText(value));

/** A p-value to two significant digits. */
const pText = (p: number): string => {
  if (!Number.isFinite(p)) return 'unknown';
  return p < 0.001 ? '< 0.001' : String(Number(p.toPrecision(2)));
};

const hasRange = ({ low, high }: Effect): boolean => Number.isFinite(low) && Number.isFinite(high);

/** ` (likely 12 to 57)`: the ends without their signs, smaller first; empty where there is no interval. */
function sizeText(effect: Effect): string {
  if (!hasRange(effect)) return '';
  const [near = 0, far = 0] = [effect.low, effect.high].map(Math.abs).sort((a, b) => a - b);
  return ` (likely ${scoreText(near)} to ${scoreText(far)})`;
}

/** What has not been ruled out by an effect that was not found. */
const rangeOf = (effect: Effect): string =>
  hasRange(effect)
    ? `: the change may be anything from ${signed(effect.low)} to ${signed(effect.high)} incidents`
    : '';

function effectsOf({ summary }: LayerDocument): readonly [Effect, Effect] {
  const { weightedDisplacement: wdd, differenceInDifferences: did } = summary;
  const common = (figures: unknown) => ({
    error: numberOf(figures, 'standardError'),
    low: numberOf(figures, 'low'),
    high: numberOf(figures, 'high'),
    p: numberOf(figures, 'p'),
  });
  return [
    {
      name: 'Weighted displacement difference',
      unit: 'incidents, all months after the start together',
      value: numberOf(wdd, 'change'),
      ...common(wdd),
    },
    {
      name: 'Difference in differences',
      unit: 'incidents a month, all months',
      value: numberOf(did, 'effectPerMonth'),
      ...common(did),
    },
  ];
}

const monthsOf = ({ columns, rows }: LayerDocument): readonly Month[] =>
  rows.map((row) => {
    const measured = (name: string): Measured => {
      const figure = (column: string): number => {
        const value = row[columns.indexOf(column)];
        return value === null || value === undefined ? Number.NaN : Number(value);
      };
      return { count: figure(name), sd: figure(`${name}NoiseSd`) };
    };
    return {
      month: String(row[0]),
      treated: measured('treated'),
      control: measured('control'),
    };
  });

const monthCount = (months: unknown): string => {
  const { length } = months as readonly string[];
  return `${length} month${length === 1 ? '' : 's'}`;
};

/** The effect of an intervention with all that is known of its uncertainty, and both areas over time. */
export function EvaluationReport({ document }: { readonly document: LayerDocument }) {
  const { summary, parameters } = document;
  const effects = effectsOf(document);
  const [main] = effects;
  const size = Number(parameters.size);
  const found = main.p <= size;
  const fall = numberOf(summary, 'detectableFall');
  const months = monthsOf(document);
  return (
    <>
      <section class="total" aria-label="Finding">
        <p>
          {found
            ? `About ${scoreText(Math.abs(main.value))} ${main.value < 0 ? 'fewer' : 'more'} incidents than the control leads one to expect${sizeText(main)}`
            : 'No effect that stands out from chance and noise'}
        </p>
        <p class="note">
          {found
            ? `Chance of so large a difference without an effect: p ${pText(main.p)}.`
            : `p ${pText(main.p)}, not below ${size}. That is no proof that nothing happened${rangeOf(main)}.`}{' '}
          {Number.isFinite(fall)
            ? `A fall of ${shareText(fall)} would have been found four times in five.`
            : 'With so few incidents not even a fall to nothing would have been found four times in five.'}
        </p>
      </section>
      <table class="effects">
        <caption>
          {monthCount(summary.monthsBefore)} before and {monthCount(summary.monthsAfter)} from{' '}
          {periodText(String(parameters.start), [])} on
        </caption>
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col" class="numeric">
              Effect, {shareText(1 - size).replace(' ', '\u00a0')} interval
            </th>
            <th scope="col" class="numeric">
              Standard error
            </th>
            <th scope="col" class="numeric">
              p
            </th>
          </tr>
        </thead>
        <tbody>
          {effects.map((effect) => (
            <tr key={effect.name}>
              <th scope="row">
                {effect.name}
                <span class="note">{effect.unit}</span>
              </th>
              <td class="numeric">
                {signed(effect.value)}
                {hasRange(effect) && (
                  <span class="note">
                    {signed(effect.low)} to {signed(effect.high)}
                  </span>
                )}
              </td>
              <td class="numeric">{scoreText(effect.error)}</td>
              <td class="numeric">{pText(effect.p)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <figure class="chart-figure">
        <MonthsChart months={months} start={String(parameters.start)} />
        <figcaption>
          <span class="line-key treated" aria-hidden="true" /> Treated (solid){' '}
          <span class="line-key control" aria-hidden="true" /> Control (dashed). Bands: where the
          count lies with probability 95 %, given the noise. The upright line is the start.
        </figcaption>
      </figure>
      <details class="twin">
        <summary>Both areas as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Month</th>
              <th scope="col">Treated</th>
              <th scope="col">Control</th>
            </tr>
          </thead>
          <tbody>
            {months.map(({ month, treated, control }) => (
              <tr key={month}>
                <th scope="row">{periodText(month, [])}</th>
                <td>{measuredText(treated)}</td>
                <td>{measuredText(control)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

const measuredText = ({ count, sd }: Measured): string =>
  Number.isFinite(count) ? countText(count, sd) : 'Not counted: missing, not zero';

/** First, last and the start: the months that a narrow axis can name. */
function monthTicks(months: readonly Month[], start: string, x: (month: string) => number): Tick[] {
  const names = [months[0]?.month, start, months.at(-1)?.month];
  const ticks: Tick[] = [];
  for (const name of new Set(names)) {
    if (name === undefined) continue;
    const at = x(name);
    if (ticks.every((other) => Math.abs(other.at - at) > 62)) ticks.push({ at, text: name });
  }
  return ticks;
}

function MonthsChart({
  months,
  start,
}: {
  readonly months: readonly Month[];
  readonly start: string;
}) {
  const names = months.map(({ month }) => month);
  const point = scalePoint(names, X_RANGE).padding(0.3);
  const x = (month: string): number => point(month) ?? X_RANGE[0];
  const counted = months.flatMap(({ treated, control }) => [treated, control]);
  const ends = counted
    .flatMap(({ count, sd }) => [count - LIKELY * sd, count + LIKELY * sd])
    .filter(Number.isFinite);
  // Counts are never below zero, whatever their estimates are.
  const y = scaleLinear([0, Math.max(1, ...ends)], Y_RANGE).nice(4);
  const high = (value: number): number => y(Math.max(0, value));
  const startAt = x(start) - point.step() / 2;
  return (
    <ChartFrame
      xTicks={monthTicks(months, start, x)}
      yTicks={ticksOf(y, 4)}
      xTitle="Month"
      yTitle="Incidents"
    >
      <line class="start" x1={startAt} x2={startAt} y1={Y_RANGE[0]} y2={Y_RANGE[1]} />
      {(['control', 'treated'] as const).map((role) => {
        const isKnown = (month: Month): boolean => Number.isFinite(month[role].count);
        const band = area<Month>()
          .defined(isKnown)
          .x(({ month }) => x(month))
          .y0((month) => high(month[role].count - LIKELY * month[role].sd))
          .y1((month) => high(month[role].count + LIKELY * month[role].sd));
        const estimate = line<Month>()
          .defined(isKnown)
          .x(({ month }) => x(month))
          .y((month) => high(month[role].count));
        return (
          <g key={role} class={role}>
            <path class="band" d={band(months) ?? ''} />
            <path class="estimate" d={estimate(months) ?? ''} />
          </g>
        );
      })}
    </ChartFrame>
  );
}
