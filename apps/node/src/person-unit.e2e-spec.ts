import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, cellCentre, disk, domainFromCells } from '#libs/grid';
import { Federation, streetFile } from '#libs/testing';

const here = cellAt(51.4545, -2.5879, 9);
const there = cellAt(51.46, -2.6, 9);
const domain = domainFromCells('test', disk(here, 12));

/** One row of a person in an incident, as the mapping person-incidents reads it. */
const row = (incident: string, person: string, month: string, category = 'Drugs', cell = here) => {
  const { longitude, latitude } = cellCentre(cell);
  return [
    incident,
    person,
    category,
    `${month}-03`,
    longitude.toFixed(6),
    latitude.toFixed(6),
  ].join();
};
const many = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));
const PERSON_FILE = [
  'incident_reference,person_reference,category,date,longitude,latitude',
  // CANARY-P is in nine incidents of January, six of drugs and three of robbery, and in nine of February.
  ...many(6, (i) => row(`jd${i}`, 'CANARY-P', '2024-01', 'Drugs', i % 2 ? here : there)),
  ...many(3, (i) => row(`jr${i}`, 'CANARY-P', '2024-01', 'Robbery')),
  ...many(9, (i) => row(`fd${i}`, 'CANARY-P', '2024-02')),
  // An incident of two persons, and of one more of nobody known.
  row('shared', 'CANARY-Q', '2024-01'),
  row('shared', 'CANARY-R', '2024-01'),
  row('', '', '2024-01'),
].join('\n');

let federation: Federation;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      { id: 'alpha-police', domain, files: { 'persons.csv': `${PERSON_FILE}\n` } },
      {
        id: 'beta-police',
        domain,
        files: {
          'street.csv': streetFile(
            ['2024-01', '2024-02'].flatMap((month) =>
              many(5, () => month).map(() => ({ month, type: 'Drugs', cell: here })),
            ),
          ),
        },
      },
    ],
    limits: {
      // So little noise that every count comes back as it is: what is left of the truth are the bounds.
      ...{ rhoPerQuery: '100000', rhoPerYear: '10000000' },
      measures: ['incidents', 'people'],
      privacyUnit: { maxPerRelease: 4, maxPerYear: 6 },
    },
  });
});
afterAll(() => federation?.close());

const PERSON = { unit: 'person-year', maxPerRelease: 4, maxPerYear: 6 };
const INCIDENT = { unit: 'incident', maxPerRelease: 1, maxPerYear: 1 };
const ALPHA = ['alpha-police'];
const months = { periods: ['2024-01', '2024-02'], rho: '100000' };

/** Summed noisy totals by `category period`. */
async function totals(header: Awaited<ReturnType<Federation['ask']>>['header']) {
  const entries = (header?.groups ?? []).map(async ({ category, period, raw }) => {
    const bytes = await federation.blob(raw);
    return [
      `${category} ${period}`,
      new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true),
    ];
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('where records name persons', () => {
  it('bounds what one person contributes, and claims the person and year', async () => {
    const { header } = await federation.ask({
      ...months,
      categories: ['drugs', 'robbery'],
      agencies: ALPHA,
    });
    const found = await totals(header);
    // Three rows of January are not CANARY-P's; of theirs at most 4 count in a month and 6 in the year.
    const january = (found['drugs 2024-01'] ?? 0) + (found['robbery 2024-01'] ?? 0) - 3;
    const february = found['drugs 2024-02'] ?? 0;
    expect(january).toBeLessThanOrEqual(4);
    expect(february).toBeLessThanOrEqual(4);
    expect(january + february).toBeLessThanOrEqual(6);
    expect(january + february).toBeGreaterThanOrEqual(4);
    expect(header?.privacy.unit).toBe('person-year');
    expect(header?.coverage.map(({ privacy }) => privacy)).toEqual([PERSON]);
    expect(Number(header?.privacy.exactEpsilon)).toBeLessThanOrEqual(
      Number(header?.privacy.epsilon),
    );
  });

  it('counts different people, each once a category and month', async () => {
    const { header } = await federation.ask({
      ...months,
      measure: 'people',
      categories: ['drugs', 'robbery'],
      agencies: ALPHA,
    });
    expect(await totals(header)).toEqual({
      'drugs 2024-01': 3,
      'drugs 2024-02': 1,
      'robbery 2024-01': 1,
      'robbery 2024-02': 0,
    });
    expect(header?.sentence).toContain('How many different people are named in incidents of');
  });

  it('refuses windows of months there, and people where none are named; the release says the weakest unit', async () => {
    const window = await federation.ask({
      ...{ categories: ['drugs'], periods: ['2024-01/2024-02'], rho: '100000' },
    });
    expect(window.round.coverage).toMatchObject([
      { agency: 'alpha-police', status: 'refused', code: 'unbounded-window', privacy: null },
      { agency: 'beta-police', status: 'answered', privacy: INCIDENT },
    ]);
    const people = await federation.ask({ ...months, measure: 'people', categories: ['drugs'] });
    expect(people.round.coverage).toMatchObject([
      { agency: 'alpha-police', status: 'answered', privacy: PERSON },
      { agency: 'beta-police', status: 'refused', code: 'measure-not-held', privacy: null },
    ]);
    const both = await federation.ask({ ...months, categories: ['drugs'] });
    expect(both.header?.coverage.map(({ privacy }) => privacy)).toEqual([PERSON, INCIDENT]);
    expect(both.header?.privacy.unit).toBe('incident');
    const shown = await federation.graphql<{
      release: { privacy: { unit: string; exactEpsilon: number; epsilon: number } };
    }>('query ($id: ID!) { release(id: $id) { privacy { unit epsilon exactEpsilon } } }', {
      id: both.round.release,
    });
    expect(shown.release.privacy).toEqual({
      unit: 'incident',
      epsilon: Number(both.header?.privacy.epsilon),
      exactEpsilon: Number(both.header?.privacy.exactEpsilon),
    });
  });

  it('lets no person reference out', () => {
    expect(federation.lines.join('\n')).not.toContain('CANARY');
  });
});
