import { ComputationPanel } from './computation-panel.js';
import { formatWhole } from './interval.js';
import type { ForecastLayer } from './layer-client.js';
import { Method } from './method.js';
import { ModelCard } from './model-card.js';
import type { Statistic } from './statistics.js';
import type { Computation } from './use-computation.js';
import { dateText, layerText } from './words.js';

interface StatisticPanelProps {
  readonly statistic: Statistic;
  readonly state: Computation;
  /** Name of the forecast layer on show. */
  readonly forecast: string | undefined;
  readonly found: number;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

/** What was computed and how: progress, failure, method. */
export function StatisticPanel(props: StatisticPanelProps) {
  const { statistic, state, forecast, found, onRetry, onCancel } = props;
  if (state.step !== 'done') {
    return (
      <ComputationPanel name={statistic.name} state={state} onRetry={onRetry} onCancel={onCancel} />
    );
  }
  return (
    <>
      <section class="total" aria-label="Finding">
        <p>
          {found === 0
            ? 'Nothing found'
            : `${formatWhole(found)} ${found === 1 ? 'hexagon' : 'hexagons'} found`}
        </p>
        <p class="note">
          {statistic.question} {statistic.note(state.document)}
        </p>
      </section>
      <Method document={state.document} forecast={forecast} />
    </>
  );
}

/** Stands where a forecast would: nobody has switched one on, and how that is done. */
export function NoForecast({ layers }: { readonly layers: readonly ForecastLayer[] }) {
  const off = layers.filter(({ isOn }) => !isOn);
  return (
    <section class="empty" aria-labelledby="no-forecast">
      <h2 id="no-forecast">No forecast is switched on</h2>
      <p>
        A forecast sends attention somewhere. So it exists only while a named owner answers for it,
        and it is shown only together with its back-test, its fairness figures and its limits.
      </p>
      <p>An analyst with the role forecast-owner switches one on:</p>
      <pre>
        <code>npx concordat forecast enable --help</code>
      </pre>
      <p>and off again, at once, by</p>
      <pre>
        <code>npx concordat forecast disable --help</code>
      </pre>
      {off.length > 0 && (
        <p class="note">Switched off: {off.map(({ layer }) => layer).join(', ')}.</p>
      )}
      <p>All other views describe what was recorded, and need no owner.</p>
    </section>
  );
}

/** Who answers for the forecast on show, and its card. */
export function ForecastOwner({
  layer,
  result,
}: {
  readonly layer: ForecastLayer;
  /** Key of the result on show. */
  readonly result: string | undefined;
}) {
  const { owner, purpose, definition, enabledAt, alarms } = layer;
  return (
    <section class="total" aria-label="Owner">
      <p>{owner} answers for this forecast</p>
      <p class="note">
        {layerText(definition.category, [])}, {definition.horizon} month
        {definition.horizon === 1 ? '' : 's'} ahead. Purpose: {purpose.replaceAll('-', ' ')}. On
        since {dateText(enabledAt)}, {alarms.length === 0 ? 'no' : alarms.length}
        {alarms.length === 1 ? ' drift alarm' : ' drift alarms'} so far.
      </p>
      <p class="note">
        To stop it at once: <code>npx concordat forecast disable --layer {layer.layer}</code>
      </p>
      <ModelCard layer={layer.layer} result={result} />
    </section>
  );
}
