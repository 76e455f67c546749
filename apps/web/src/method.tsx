import type { LayerDocument } from './layer-client.js';

/** How anybody gets the same bytes: method, parameters, releases; and what its figures mean. */
export function Method({
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
            <dd>{parameterText(value)}</dd>
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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and a keyboard has to reach what is below */}
      <pre tabIndex={0}>
        <code>{analyseCommand(document, forecast)}</code>
      </pre>
    </details>
  );
}

/** Hexagons that a reader sees of a list; all of them stand in the command and in the result. */
const FEW = 4;

function parameterText(value: LayerDocument['parameters'][string]): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  if (value.some(Array.isArray)) return `${value.length} areas`;
  if (value.length <= FEW) return JSON.stringify(value);
  return `${value.slice(0, FEW).join(', ')} and ${(value.length - FEW).toLocaleString('en-GB')} more`;
}

/** Parameters that the command takes, each under its own name. */
const FLAGS = {
  category: 'category',
  resolution: 'resolution',
  from: 'from',
  to: 'to',
  start: 'start',
  treated: 'treated',
  control: 'control',
  displacement: 'displacement',
  displacementControl: 'displacement-control',
  rhoPerYear: 'rho-per-year',
  runs: 'runs',
} as const;

const donorsOf = ({ donors }: LayerDocument['parameters']): readonly (readonly string[])[] =>
  (donors ?? []) as readonly (readonly string[])[];

/** The command that computes the same at home and compares. */
function analyseCommand(
  { method, parameters, releases }: LayerDocument,
  forecast: string | undefined,
): string {
  const flag = (name: string, option: string): string[] => {
    const value = parameters[name];
    return value === undefined ? [] : [`--${option} ${[value].flat().join()}`];
  };
  return [
    `concordat analyse ${method}`,
    ...releases.map((id) => `--release ${id}`),
    ...(method === 'forecast'
      ? [`--layer ${forecast}`, ...flag('from', 'from'), ...flag('to', 'to')]
      : Object.entries(FLAGS).flatMap(([name, option]) => flag(name, option))),
    ...donorsOf(parameters).map((cells) => `--donors ${cells.join()}`),
    '--compare',
  ].join(' \\\n  ');
}
