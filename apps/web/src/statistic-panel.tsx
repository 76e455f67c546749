import { formatWhole } from './interval.js';
import type { ForecastLayer, LayerDocument } from './layer-client.js';
import type { Statistic } from './statistics.js';
import type { StatisticState } from './use-statistic.js';
import { layerText } from './words.js';

interface StatisticPanelProps {
  readonly statistic: Statistic;
  readonly state: StatisticState;
  /** Name of the forecast layer on show. */
  readonly forecast: string | undefined;
  readonly found: number;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

/** What was computed and how: progress, failure, method. */
export function StatisticPanel(props: StatisticPanelProps) {
  const { statistic, state, forecast, found, onRetry, onCancel } = props;
  if (state.step === 'idle') return null;
  if (state.step === 'computing') {
    return (
      <section class="computing" aria-label="Progress">
        <p>
          <label for="progress">Computing: {statistic.name.toLowerCase()}</label>
        </p>
        <progress id="progress" max={1} value={state.progress} />
        <p class="note">
          From published numbers; it costs no privacy. Done once, it is there for everybody.
        </p>
        <button type="button" onClick={onCancel} disabled={!state.key}>
          Cancel
        </button>
      </section>
    );
  }
  if (state.step === 'failed') {
    return (
      <section class="problem" role="alert" aria-label="Not computed">
        <p>
          <strong>{statistic.name} could not be computed.</strong> {sentence(state.message)}
        </p>
        <p class="note">Code: {state.code}</p>
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      </section>
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

const sentence = (message: string): string =>
  `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`;

/** How anybody gets the same bytes: method, parameters, releases; and what its figures mean. */
function Method({
  document,
  forecast,
}: {
  readonly document: LayerDocument;
  readonly forecast: string | undefined;
}) {
  const { method, methodVersion, parameters, limitations, releases } = document;
  return (
    <details class="method" open={method === 'forecast'}>
      <summary>Method, uncertainty, limits</summary>
      <h2>What it asks</h2>
      <p>{document.question}</p>
      <h2>What the uncertainty means</h2>
      <p>{document.uncertainty}</p>
      <h2>Limits</h2>
      <ul>
        {limitations.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
      <h2>Listed</h2>
      <p>{document.listed}</p>
      <h2>Sources</h2>
      <p>{document.citation}</p>
      <h2>Parameters</h2>
      <dl>
        <div>
          <dt>method</dt>
          <dd>
            {method}, version {methodVersion}
          </dd>
        </div>
        {Object.entries(parameters).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
      <h2>Computed from releases</h2>
      <ul class="mono">
        {releases.map((id) => (
          <li key={id}>{id}</li>
        ))}
      </ul>
      <h2>Result</h2>
      <p class="mono">
        <a href={`/v1/layers/${document.key}`}>{document.key}</a>
      </p>
      <p class="note">Compute it yourself: the same request gives the same bytes.</p>
      <pre>
        <code>{analyseCommand(document, forecast)}</code>
      </pre>
    </details>
  );
}

/** The command that computes the same at home and compares. */
function analyseCommand(
  { method, parameters, releases }: LayerDocument,
  forecast: string | undefined,
): string {
  const range = ['from', 'to'].flatMap((name) =>
    parameters[name] === undefined ? [] : [`--${name} ${parameters[name]}`],
  );
  return [
    `concordat analyse ${method}`,
    ...releases.map((id) => `--release ${id}`),
    ...(method === 'forecast'
      ? [`--layer ${forecast}`]
      : [`--category ${parameters.category}`, `--resolution ${parameters.resolution}`]),
    ...range,
    '--compare',
  ].join(' \\\n  ');
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

/** Who answers for the forecast on show. */
export function ForecastOwner({ layer }: { readonly layer: ForecastLayer }) {
  const { owner, purpose, definition, enabledAt, alarms } = layer;
  return (
    <section class="total" aria-label="Owner">
      <p>{owner} answers for this forecast</p>
      <p class="note">
        {layerText(definition.category, [])}, {definition.horizon} month
        {definition.horizon === 1 ? '' : 's'} ahead. Purpose: {purpose.replaceAll('-', ' ')}. On
        since {enabledAt.slice(0, 10)}. Drift alarms: {alarms.length}.
      </p>
      <p class="note">
        To stop it at once: <code>npx concordat forecast disable --layer {layer.layer}</code>
      </p>
    </section>
  );
}
