import type { Release } from './release-client.js';

const CATEGORIES: Readonly<Record<string, string>> = {
  asb: 'Anti-social behaviour',
  'criminal-damage-arson': 'Criminal damage and arson',
  other: 'Other crime',
};

/** `vehicle-crime` as `Vehicle crime`; `all` as the number of categories it sums. */
export function layerText(layer: string, categories: readonly string[]): string {
  if (layer === 'all') {
    return categories.length === 1
      ? layerText(categories[0] ?? '', [])
      : `All ${categories.length} categories`;
  }
  const words = layer.replaceAll('-', ' ');
  return CATEGORIES[layer] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

const month = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** `2024-03` as `March 2024`; `all` as the first and the last. Anything else stays as it is. */
export function periodText(period: string, periods: readonly string[]): string {
  if (period === 'all') {
    const sorted = [...periods].sort();
    const [first = '', last = ''] = [sorted[0], sorted.at(-1)];
    return first === last
      ? periodText(first, [])
      : `${periodText(first, [])} to ${periodText(last, [])}`;
  }
  return /^\d{4}-(?:0[1-9]|1[0-2])$/.test(period) ? month.format(new Date(`${period}-01`)) : period;
}

export const dateText = (rfc3339: string): string => day.format(new Date(rfc3339));

/** Two decimals, rounded up: a loss is never under-reported. */
export const epsilonText = (epsilon: number): string => (Math.ceil(epsilon * 100) / 100).toFixed(2);

/** What is counted. */
export const measureText = (measure: string): string =>
  measure === 'people' ? 'Different people named in incidents' : 'Incidents';

/** Whom the noise protects. */
export const unitText = (unit: string): string =>
  unit === 'person-year' ? 'person and year' : unit;

/** Area of one hexagon, for people. */
export const areaText = (resolution: number): string =>
  (
    ({
      4: '1,770\u00a0km²',
      5: '253\u00a0km²',
      6: '36\u00a0km²',
      7: '5.2\u00a0km²',
      8: '0.74\u00a0km²',
      9: '0.11\u00a0km²',
    }) as Readonly<Record<number, string>>
  )[resolution] ?? `H3 resolution ${resolution}`;

/** Agencies of the round whose numbers are not in the release. */
export const missingAgencies = ({ agencies }: Release): Release['agencies'] =>
  agencies.filter(({ status }) => status !== 'contributed');
