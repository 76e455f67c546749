import { useRef } from 'preact/hooks';
import { ATTRIBUTION } from './attribution.js';
import { Legend } from './legend.js';
import { SidePanel } from './side-panel.js';
import { TimeSlider } from './time-slider.js';
import type { Computation } from './use-computation.js';
import { type Page, type PageFiles, usePage } from './use-page.js';
import { periodText } from './words.js';

/** The page: the view state decides everything; the map and the table show the same cells. */
export function App(files: PageFiles) {
  const container = useRef<HTMLDivElement>(null);
  const page = usePage(container, files);
  return (
    <div class="page">
      <header>
        <button type="button" class="skip" onClick={skipToTable}>
          Skip to the table
        </button>
        <h1>Concordat</h1>
        <p>Crime concentrations from noisy counts. The records stay where they are.</p>
      </header>
      <SidePanel page={page} />
      <main>
        <div class="map" ref={container} />
        <Time page={page} />
        {page.shown && <Legend model={page.shown.legend} />}
        <p class={page.reading ? 'hidden' : 'status'} role="status">
          {statusText(page)}
        </p>
      </main>
      <footer>{ATTRIBUTION}</footer>
    </div>
  );
}

function Time({ page: { selection, moments, patch } }: { readonly page: Page }) {
  if (!selection || selection.report?.id === 'evaluation') return null;
  const isStatistic = selection.statistic !== undefined;
  const whole = isStatistic ? moments.map(({ period }) => period) : selection.release.query.periods;
  return (
    <TimeSlider
      moments={moments}
      period={selection.period}
      whole={periodText('all', whole)}
      upTo={isStatistic}
      onPeriod={(period) => patch({ period })}
    />
  );
}

const skipToTable = (): void => document.getElementById('cells')?.focus();

const computationText = (state: Computation): string => {
  if (state.step === 'computing') return `Computing… ${Math.round(100 * state.progress)} %`;
  return state.step === 'failed' ? 'Not computed' : '';
};

function statusText({ reading, selection, counts, view, computation }: Page): string {
  if (reading) return `${reading.place}: ${reading.text}`;
  const isLoading = selection !== undefined && counts !== undefined && view.loading;
  return isLoading ? 'Loading…' : computationText(computation.state);
}
