import type { ScaleLinear } from 'd3-scale';
import type { ComponentChildren } from 'preact';

const CHART = { width: 350, height: 236, left: 56, right: 22, top: 10, bottom: 40 } as const;
/** Ends of the axes, as scales take them. */
export const X_RANGE: readonly [number, number] = [CHART.left, CHART.width - CHART.right];
export const Y_RANGE: readonly [number, number] = [CHART.height - CHART.bottom, CHART.top];

export interface Tick {
  readonly at: number;
  readonly text: string;
}

interface ChartFrameProps {
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly xTitle: string;
  readonly yTitle: string;
  readonly children: ComponentChildren;
}

/** Axes with their units around a drawing. Not for screen readers: whoever uses it puts a table beside it. */
export function ChartFrame({ xTicks, yTicks, xTitle, yTitle, children }: ChartFrameProps) {
  const { width, height, left } = CHART;
  const [x0, x1] = X_RANGE;
  const [bottom, top] = Y_RANGE;
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {yTicks.map(({ at, text }) => (
        <g key={text}>
          <line class="grid" x1={x0} x2={x1} y1={at} y2={at} />
          <text x={left - 6} y={at} class="y-tick">
            {text}
          </text>
        </g>
      ))}
      {xTicks.map(({ at, text }) => (
        <g key={text}>
          <line class="axis" x1={at} x2={at} y1={bottom} y2={bottom + 4} />
          <text x={at} y={bottom + 17} class="x-tick">
            {text}
          </text>
        </g>
      ))}
      <line class="axis" x1={x0} x2={x1} y1={bottom} y2={bottom} />
      {children}
      <text x={(x0 + x1) / 2} y={height - 5} class="x-tick title">
        {xTitle}
      </text>
      <text class="y-title title" transform={`translate(10 ${(bottom + top) / 2}) rotate(-90)`}>
        {yTitle}
      </text>
    </svg>
  );
}

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });

/** Round values of a scale with their texts. */
export const ticksOf = (
  scale: ScaleLinear<number, number>,
  count: number,
  unit = '',
): readonly Tick[] =>
  scale.ticks(count).map((value) => ({
    at: scale(value),
    text: `${whole.format(value).replace('-', '\u2212')}${unit}`,
  }));
