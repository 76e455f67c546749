import { parseRho, zcdpEpsilon } from '#libs/dp';
import { numberOf, shareText } from '../figures.js';
import type { LayerDocument } from '../layer-client.js';
import { areaText, epsilonText, layerText } from '../words.js';
import { DELTA } from './budget.js';

interface Question {
  readonly categories: readonly string[];
  readonly resolution: number;
  readonly rho: string;
}

/** One category at one resolution: the least budget that is enough. */
interface Need {
  readonly category: string;
  readonly resolution: number;
  readonly leastRho: string | null;
  readonly power: number;
}

const lossText = (rho: string): string => epsilonText(zcdpEpsilon(parseRho(rho), DELTA));

const needsOf = ({ rows }: LayerDocument): readonly Need[] =>
  rows.map(([category, resolution, leastRho, power]) => ({
    category: String(category),
    resolution: Number(resolution),
    leastRho: leastRho === null || leastRho === undefined ? null : String(leastRho),
    power: Number(power),
  }));

/** Which hexagons each category can be asked in within the budget, and what it costs. */
export function PlanReport({ document }: { readonly document: LayerDocument }) {
  const { summary, parameters } = document;
  const questions = summary.queries as unknown as readonly Question[];
  const left = summary.notWithinBudget as readonly string[];
  const runs = numberOf(summary, 'runs');
  const planned = new Map(
    questions.flatMap((question) => question.categories.map((name) => [name, question] as const)),
  );
  const names = [...new Set([...planned.keys(), ...left])].sort();
  const power = shareText(Number(parameters.power));
  const top = shareText(Number(parameters.top));
  return (
    <>
      <section class="total" aria-label="Finding">
        <p>
          {planned.size} of {names.length} {names.length === 1 ? 'category' : 'categories'} within
          the budget
        </p>
        <p class="note">
          {questions.length} question{questions.length === 1 ? '' : 's'}, asked {runs} time
          {runs === 1 ? '' : 's'} a year, cost ε {epsilonText(numberOf(summary, 'epsilonPerYear'))}{' '}
          of the {lossText(String(parameters.rhoPerYear))} (δ {DELTA.toExponential(0)}; rho{' '}
          {String(summary.rhoPerYear)} of {String(parameters.rhoPerYear)}). A category is fine
          enough where a typical hexagon of the highest {top} is told from an average one with
          probability {power}.
        </p>
      </section>
      <table class="plan">
        <caption>Finest hexagons of each category</caption>
        <thead>
          <tr>
            <th scope="col">Category</th>
            <th scope="col" class="numeric">
              Hexagons
            </th>
            <th scope="col" class="numeric">
              ε a question
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const question = planned.get(name);
            return (
              <tr key={name}>
                <th scope="row">{layerText(name, [])}</th>
                <td class="numeric">{question ? areaText(question.resolution) : 'none'}</td>
                <td class="numeric">{question ? lossText(question.rho) : 'too dear'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {questions.some(({ categories }) => categories.length > 1) && (
        <p class="note">
          Categories of one question share its cost:{' '}
          {questions
            .filter(({ categories }) => categories.length > 1)
            .map(({ categories }) => categories.map((name) => layerText(name, [])).join(' with '))
            .join('; ')}
          .
        </p>
      )}
      <details class="twin">
        <summary>Every resolution, each category alone</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Category</th>
              <th scope="col" class="numeric">
                Hexagons
              </th>
              <th scope="col" class="numeric">
                Least ε
              </th>
              <th scope="col" class="numeric">
                Power at most
              </th>
            </tr>
          </thead>
          <tbody>
            {needsOf(document).map(({ category, resolution, leastRho, power: most }) => (
              <tr key={`${category}${resolution}`}>
                <th scope="row">{layerText(category, [])}</th>
                <td class="numeric">{areaText(resolution)}</td>
                <td class="numeric">{leastRho === null ? 'too dear' : lossText(leastRho)}</td>
                <td class="numeric">{shareText(most)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
