/** Two lists of invented people known in two places, and what a linked count of them must come to. */
import { expect } from '@jest/globals';
import { cellAt, cellToText } from '#libs/grid';
import { type SyntheticRecord, syntheticLists } from '#libs/linkage';
import { seededRandom } from '#libs/testing';

export const POLICE = 'test-police';
export const COUNCIL = 'test-council';
/** On both lists; each has another fifty of its own. */
export const BOTH = 250;
const HEADER =
  'person_id,category,month,role,local_authority,latitude,longitude,given_name,surname,date_of_birth,address_1,suburb,postcode';
export const lists = syntheticLists(
  { both: BOTH, onlyLeft: 50, onlyRight: 50, dependence: 1 },
  seededRandom('linkage project'),
);
/** Two in three are known in Bristol, the others in Bath. */
export const isInBristol = (i: number): boolean => i % 3 !== 0;
export const BRISTOL = ['E06000023', 51.4545, -2.5879] as const;
const BATH = ['E06000022', 51.3811, -2.359] as const;
export const BRISTOL_CELL = cellToText(cellAt(BRISTOL[1], BRISTOL[2], 7));
/** What an agency brings: one encounter of each of its people, all in one role. */
export const csvOf = (records: readonly SyntheticRecord[], role: string): string =>
  [
    HEADER,
    ...records.map(({ person, record }, i) =>
      [
        person,
        'asb',
        '2024-03',
        role,
        ...(isInBristol(i) ? BRISTOL : BATH),
        record.forename,
        record.surname,
        record.dateOfBirth,
        record.street,
        record.town,
        record.postcode,
      ].join(','),
    ),
  ].join('\n');

/**
 * Within four times the 95 % interval. The people are the same in each run, the noise is not: of 60,000 draws at this rho the truth was
 * outside 1.7 intervals in one of 1,000, outside 2.1 in one of 10,000, and never outside 2.5; its tails are exponential, so that 4 leave a
 * false-alarm probability below 1e-6.
 */
export function expectNear(
  { corrected, low, high }: { corrected: number | null; low: number | null; high: number | null },
  truth: number,
): void {
  const estimate = corrected ?? Number.NaN;
  expect(estimate - 4 * (estimate - (low ?? Number.NaN))).toBeLessThanOrEqual(truth);
  expect(estimate + 4 * ((high ?? Number.NaN) - estimate)).toBeGreaterThanOrEqual(truth);
}

/** How many people both know, in either place. */
export const QUESTION = {
  measure: 'linked-people',
  categories: ['asb'],
  periods: ['2024-01/2024-06'],
  resolution: 4,
  rho: '8',
  agencies: [COUNCIL, POLICE],
} as const;
export const linkage = {
  project: 'harm',
  epoch: '2024-1',
  left: { agency: POLICE },
  right: { agency: COUNCIL },
  area: 'total',
} as const;
