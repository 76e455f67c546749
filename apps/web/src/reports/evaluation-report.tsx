import { numberOf, percentText, scoreText, shareText } from '../figures.js';
import type { LayerDocument } from '../layer-client.js';
import type { Release } from '../release-client.js';
import { epsilonText, periodText } from '../words.js';
import { LinesFigure, LinesTable } from './evaluation-chart.js';
import {
  type Effect,
  effectsOf,
  isTooFewDonors,
  type Line,
  linesOf,
  mixOf,
  powerOf,
  weightsOf,
} from './evaluation-figures.js';
import type { EvaluationMethod } from './evaluation-method.js';

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

const per = ({ method }: Effect): string => (method === 'wdd' ? '' : ' a month');

/** What has not been ruled out by an effect that was not found. */
const rangeOf = (effect: Effect): string =>
  hasRange(effect)
    ? `: the change may be anything from ${signed(effect.low)} to ${signed(effect.high)} incidents${per(effect)}`
    : '';

const EXPECTED_BY: Readonly<Record<EvaluationMethod, string>> = {
  wdd: 'than the control leads one to expect',
  did: 'than the control leads one to expect',
  synthetic: 'than the synthetic control leads one to expect',
};

const monthCount = (months: unknown): string => {
  const { length } = months as readonly unknown[];
  return `${length} month${length === 1 ? '' : 's'}`;
};

interface EvaluationReportProps {
  readonly document: LayerDocument;
  readonly releases: readonly Release[];
  /** The method that was chosen to judge by. */
  readonly method: EvaluationMethod;
}

/** The effect of an intervention with all that is known of its uncertainty, and its areas over time. */
export function EvaluationReport({ document, releases, method }: EvaluationReportProps) {
  const { summary, parameters, rows } = document;
  const effects = effectsOf(document);
  // What was asked for another method is still here for a moment.
  const main = effects.find((effect) => effect.method === method);
  if (!main) return null;
  const start = String(parameters.start);
  const months = rows.map(([month]) => String(month));
  const lines = linesOf(document);
  const weights = weightsOf(document);
  const pairs = pairsOf(method, lines, weights);
  const before = months.filter((month) => month < start);
  return (
    <>
      <Finding document={document} effect={main} />
      <table class="effects">
        <caption>
          {monthCount(before)} before and {monthCount(months.slice(before.length))} from{' '}
          {periodText(start, [])} on
        </caption>
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col" class="numeric">
              Effect, {shareText(1 - Number(parameters.size)).replace(' ', '\u00a0')} interval
            </th>
            <th scope="col" class="numeric">
              z, standard error
            </th>
            <th scope="col" class="numeric">
              p
            </th>
          </tr>
        </thead>
        <tbody>
          {[main, ...effects.filter((effect) => effect !== main)].map((effect) => (
            <EffectRow key={effect.method} effect={effect} isChosen={effect === main} />
          ))}
        </tbody>
      </table>
      <Power document={document} releases={releases} />
      {pairs.map((pair) => (
        <LinesFigure key={pair[0]?.name} months={months} lines={pair} start={start} />
      ))}
      <LinesTable
        months={months}
        lines={summary.syntheticControl ? [...lines, mixOf(lines, weights)] : lines}
      />
      {summary.syntheticControl && method === 'synthetic' && <Weights weights={weights} />}
    </>
  );
}

/** What is drawn together: a place, and what it is compared with. */
function pairsOf(
  method: EvaluationMethod,
  lines: readonly Line[],
  weights: readonly number[],
): readonly (readonly Line[])[] {
  const named = (...names: readonly string[]): readonly Line[] =>
    lines.filter(({ name }) => names.includes(name));
  if (method === 'synthetic') return [[...named('treated'), mixOf(lines, weights)]];
  const moved = named('displacement', 'displacementControl');
  return [named('treated', 'control'), ...(moved.length > 0 ? [moved] : [])];
}

function Finding({
  document,
  effect,
}: {
  readonly document: LayerDocument;
  readonly effect: Effect;
}) {
  const { summary, parameters } = document;
  const size = Number(parameters.size);
  const found = effect.p <= size;
  const fall = numberOf(summary, 'detectableFall');
  const isMix = effect.method === 'synthetic';
  return (
    <section class="total" aria-label="Finding">
      <p>
        {found
          ? `About ${scoreText(Math.abs(effect.value))} ${effect.value < 0 ? 'fewer' : 'more'} incidents${per(effect)} ${EXPECTED_BY[effect.method]}${sizeText(effect)}`
          : isMix && isTooFewDonors(document)
            ? 'Too few comparison areas to say anything'
            : 'No effect that stands out from chance and noise'}
      </p>
      <p class="note">
        {found
          ? `Chance of so large a difference without an effect: p ${pText(effect.p)}.`
          : isMix && isTooFewDonors(document)
            ? `p ${pText(effect.p)} is a rank among them: it can be ${size} or less only with ${Math.ceil(1 / size) - 1} or more.`
            : `p ${pText(effect.p)}, not below ${size}. That is no proof that nothing happened${rangeOf(effect)}.`}
        {effect.method === 'wdd' &&
          (Number.isFinite(fall)
            ? ` A fall of ${shareText(fall)} would have been found four times in five.`
            : ' With so few incidents not even a fall to nothing would have been found four times in five.')}
      </p>
    </section>
  );
}

function EffectRow({ effect, isChosen }: { readonly effect: Effect; readonly isChosen: boolean }) {
  const { name, unit, value, low, high, z, error, ratio, p } = effect;
  return (
    <tr>
      <th scope="row">
        {name}
        <span class="note">
          {unit}
          {isChosen && '; chosen to judge by'}
        </span>
      </th>
      <td class="numeric">
        {signed(value)}
        <span class="note">
          {hasRange(effect) ? `${signed(low)} to ${signed(high)}` : 'no interval'}
        </span>
      </td>
      <td class="numeric">
        {Number.isFinite(z) ? (
          <>
            {signed(z)}
            <span class="note">{scoreText(error)}</span>
          </>
        ) : (
          <>
            –
            <span class="note">
              ratio{'\u00a0'}
              {scoreText(ratio)}
            </span>
          </>
        )}
      </td>
      <td class="numeric">{pText(p)}</td>
    </tr>
  );
}

/** How likely these areas, months and this noise could have shown a fall at all. */
function Power({
  document,
  releases,
}: {
  readonly document: LayerDocument;
  readonly releases: readonly Release[];
}) {
  const [release] = releases.filter(({ id }) => document.releases.includes(id));
  return (
    <table class="power">
      <caption>
        Power of the weighted displacement difference
        {release && ` at ε ${epsilonText(release.privacy.epsilon)} a release`}
      </caption>
      <thead>
        <tr>
          <th scope="col">If incidents had fallen by</th>
          <th scope="col" class="numeric">
            Chance to find it
          </th>
        </tr>
      </thead>
      <tbody>
        {powerOf(document).map(({ fall, found }) => (
          <tr key={fall}>
            <th scope="row">{shareText(fall)}</th>
            <td class="numeric">{shareText(found)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the synthetic control is mixed of. */
function Weights({ weights }: { readonly weights: readonly number[] }) {
  const heaviest = weights
    .map((weight, i) => ({ weight, area: i + 1 }))
    .sort((a, b) => b.weight - a.weight || a.area - b.area);
  return (
    <details class="twin">
      <summary>What the synthetic control is mixed of</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Comparison area</th>
            <th scope="col" class="numeric">
              Weight
            </th>
          </tr>
        </thead>
        <tbody>
          {heaviest.map(({ weight, area }) => (
            <tr key={area}>
              <th scope="row">{area}</th>
              <td class="numeric">{percentText(weight)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
