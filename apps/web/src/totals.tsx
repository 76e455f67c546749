import { countText } from './interval.js';
import type { Release, Summary } from './release-client.js';
import { layerText, missingAgencies, periodText } from './words.js';

export interface TotalsProps {
  readonly release: Release;
  readonly layer: string;
  readonly period: string;
  readonly summary: Summary;
}

/** The sum over everything covered, and who is not in it. */
export function Totals({ release, layer, period, summary: { total } }: TotalsProps) {
  const { categories, periods } = release.query;
  const missing = missingAgencies(release).map(({ name, code }) =>
    code ? `${name} (${code.replaceAll('-', ' ')})` : name,
  );
  return (
    <>
      {total && (
        <section class="total" aria-label="Total">
          <p>{countText(total.estimate, total.standardError)}</p>
          <p class="note">
            {layerText(layer, categories)}, {periodText(period, periods)}, over all places that are
            covered.
            {total.partial && ' Some categories are not reported everywhere.'}
          </p>
        </section>
      )}
      {missing.length > 0 && (
        <p class="missing">
          Not in this release: {missing.join(', ')}. Their area is missing, not zero.
        </p>
      )}
    </>
  );
}
