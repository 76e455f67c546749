import type { LayerDocument } from './layer-client.js';

/** Figures of one listed cell, by the name of their column. */
export type Figures = Readonly<Record<string, string | number | null>>;

/** Rows of a document by cell. */
export function figuresByCell({ columns, rows }: LayerDocument): ReadonlyMap<string, Figures> {
  const found = new Map<string, Figures>();
  for (const row of rows) {
    const figures = Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]));
    if (typeof figures.cell === 'string') found.set(figures.cell, figures);
  }
  return found;
}

/** A figure as a number; NaN where there is none. */
export const numberOf = (figures: unknown, name: string): number => {
  const value = (figures as Figures | undefined)?.[name];
  return value === null || value === undefined ? Number.NaN : Number(value);
};

/** `97 %`; never a certainty that was rounded up. */
export function shareText(share: number): string {
  if (!Number.isFinite(share)) return 'unknown';
  if (share > 0.99 && share < 1) return 'over 99 %';
  if (share > 0 && share < 0.01) return 'under 1 %';
  return `${Math.round(share * 100)} %`;
}

/** One decimal, for shares that are compared with each other. */
export const percentText = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : 'unknown';

const tenths = new Intl.NumberFormat('en-GB', {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
/** `2,747.5`, for means that are compared with each other. */
export const oneDecimal = (value: number): string =>
  Number.isFinite(value) ? tenths.format(value) : 'unknown';

/** `1 in 3,000`: two significant digits, rounded towards the more likely. */
export function chanceText(p: number): string {
  if (!Number.isFinite(p)) return 'unknown';
  if (p < 1e-6) return 'less than 1 in a million';
  if (p > 0.5) return 'more than 1 in 2';
  const odds = 1 / p;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(odds)) - 1);
  return `1 in ${(Math.floor(odds / power) * power).toLocaleString('en-GB')}`;
}

/** A rate or a score: one decimal below ten, none above. */
export const scoreText = (value: number): string => {
  if (!Number.isFinite(value)) return 'unknown';
  const text = Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-GB');
  return text.replace('-', '\u2212');
};
