import { formatWhole } from './interval.js';
import { CLEAR, classTexts, ROUGH } from './palette.js';
import type { Release } from './release-client.js';
import {
  areaText,
  dateText,
  epsilonText,
  layerText,
  measureText,
  missingAgencies,
  periodText,
  unitText,
} from './words.js';

interface LegendProps {
  readonly release: Release;
  readonly layer: string;
  readonly period: string;
  readonly resolution: number;
  readonly breaks: readonly number[];
}

/** Always on: what is shown, how sure it is, at what cost to privacy, and what is missing. */
export function Legend({ release, layer, period, resolution, breaks }: LegendProps) {
  const { query, privacy } = release;
  const missing = missingAgencies(release);
  return (
    <section class="legend" aria-label="Key">
      <h2>{layerText(layer, query.categories)}</h2>
      <p class="legend-when">{periodText(period, query.periods)}</p>
      <p class="legend-unit">
        {measureText(query.measure)} in each hexagon of about {areaText(resolution)}
      </p>
      {breaks.length > 0 && (
        <div class="scales">
          <Scale name="Fairly certain" colours={CLEAR} limits={breaks} />
          <Scale name="Rough: ±65 % or wider" colours={ROUGH} limits={everySecond(breaks)} />
        </div>
      )}
      <ul class="looks">
        <li>
          <span class="swatch dots" aria-hidden="true" />
          Cannot be told from zero
        </li>
        <li>
          <span class="swatch hatch" aria-hidden="true" />
          No agency covers this
        </li>
      </ul>
      <dl>
        <div>
          <dt>Privacy loss</dt>
          <dd>
            ε {epsilonText(privacy.epsilon)}, δ {privacy.delta.toExponential(0)} per{' '}
            {unitText(privacy.unit)}
          </dd>
        </div>
        <div>
          <dt>Released</dt>
          <dd>
            <time dateTime={release.releasedAt}>{dateText(release.releasedAt)}</time>
          </dd>
        </div>
        <div>
          <dt>Release</dt>
          <dd class="mono" title={release.id}>
            {release.id.slice(0, 16)}
          </dd>
        </div>
        <div>
          <dt>Grid</dt>
          <dd>
            {release.grid}{' '}
            <span class="mono" title={release.gridHash}>
              {release.gridHash.slice(0, 8)}
            </span>
          </dd>
        </div>
        <div>
          <dt>Missing agencies</dt>
          <dd>{missing.length === 0 ? 'None' : missing.map(({ name }) => name).join(', ')}</dd>
        </div>
      </dl>
    </section>
  );
}

interface ScaleProps {
  readonly name: string;
  readonly colours: readonly string[];
  readonly limits: readonly number[];
}

function Scale({ name, colours, limits }: ScaleProps) {
  const texts = classTexts(limits);
  return (
    <div class="scale">
      <p>{name}</p>
      <ol aria-label={name} style={{ gridTemplateColumns: `repeat(${texts.length}, 1fr)` }}>
        {colours.slice(0, texts.length).map((colour, i) => (
          <li key={colour}>
            <span class="bar" style={{ background: colour }} aria-hidden="true" />
            <span class="hidden">{texts[i]}</span>
            {limits[i] !== undefined && (
              <span class="limit" aria-hidden="true">
                {formatWhole(limits[i] ?? 0)}
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The rough row tells half as many classes apart: every second limit. */
const everySecond = (breaks: readonly number[]): number[] => breaks.filter((_, i) => i % 2 === 1);
