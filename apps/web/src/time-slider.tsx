import type { Moment } from './series.js';
import { periodText } from './words.js';

interface TimeSliderProps {
  readonly moments: readonly Moment[];
  /** A period of the moments, or `all`. */
  readonly period: string;
  /** The periods that `all` stands for, in words. */
  readonly whole: string;
  /** A statistic looks at the months up to a period; a count is of the period. */
  readonly upTo: boolean;
  readonly onPeriod: (period: string) => void;
}

/**
 * Steps through the periods of a series. A native range, so arrow keys, Home and End work and screen readers say the month; months
 * that nobody counted stay in the line, marked.
 */
export function TimeSlider({ moments, period, whole, upTo, onPeriod }: TimeSliderProps) {
  const last = moments.length - 1;
  if (last < 1) return null;
  const chosen = moments.findIndex((moment) => moment.period === period);
  const at = chosen < 0 ? last : chosen;
  const isWhole = chosen < 0;
  const text = isWhole
    ? `${upTo ? 'All months: ' : 'Sum of '}${whole}`
    : `${upTo ? 'Months up to ' : ''}${periodText(period, [])}${moments[at]?.release ? '' : ' (not counted)'}`;
  const go = (to: number) => onPeriod(moments[Math.min(last, Math.max(0, to))]?.period ?? 'all');
  return (
    <section class="time" aria-label="Time">
      <output class="time-text" for="time">
        {text}
      </output>
      <div class="time-row">
        <button
          type="button"
          aria-label="Earlier"
          disabled={!isWhole && at === 0}
          onClick={() => go(isWhole ? last : at - 1)}
        >
          <span aria-hidden="true">◀</span>
        </button>
        <div class="time-line">
          <input
            id="time"
            type="range"
            min={0}
            max={last}
            step={1}
            value={at}
            class={isWhole ? 'whole' : undefined}
            aria-label="Month"
            aria-valuetext={text}
            onInput={({ currentTarget }) => go(Number(currentTarget.value))}
          />
          <ol class="ticks" aria-hidden="true">
            {moments.map((moment) => (
              <li key={moment.period} class={moment.release ? undefined : 'gap'} />
            ))}
          </ol>
        </div>
        <button
          type="button"
          aria-label="Later"
          disabled={isWhole || at === last}
          onClick={() => go(at + 1)}
        >
          <span aria-hidden="true">▶</span>
        </button>
        <button
          type="button"
          class="time-all"
          aria-pressed={isWhole}
          onClick={() => onPeriod(isWhole ? (moments[last]?.period ?? 'all') : 'all')}
        >
          All months
        </button>
      </div>
    </section>
  );
}
