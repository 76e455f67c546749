/** Releases as the page hears of them, for specs (the name keeps it out of Jest's list). */
import type { Release } from './release-client.js';

/** A release of these periods; each category in each of them. */
export const releaseOf = (
  id: string,
  periods: readonly string[],
  categories: readonly string[],
  resolution: number,
): Release => ({
  id,
  fingerprint: id,
  query: { measure: 'incidents', categories, periods, resolution, purpose: 'test', rho: '1/8' },
  groups: periods.flatMap((period) => categories.map((category) => ({ category, period }))),
  sentence: '',
  grid: 'test',
  gridHash: 'aa',
  privacy: { unit: 'incident', rho: '1/8', epsilon: 2.4, delta: 1e-6 },
  agencies: [{ id: 'a', name: 'A', status: 'contributed' }],
  releasedAt: '2024-06-01T00:00:00Z',
});
