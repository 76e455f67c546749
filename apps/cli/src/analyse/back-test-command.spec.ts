import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { areaCells, foldForce } from './area-cells.js';
import { runBackTest } from './back-test-command.js';
import { expandPattern, readIncidents } from './incident-files.js';

const HEADER =
  'Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context';
const FORCE = 'City of London Police';
let folder = '';

/** One police.uk file: robberies at one place, other rows around, one without a place. */
function streetFile(month: string): string {
  const row = (longitude: string, latitude: string, type: string): string =>
    `,${month},${FORCE},${FORCE},${longitude},${latitude},On or near X,E01000001,City 001A,${type},,`;
  const rows = [
    ...new Array(6).fill(row('-0.0900', '51.5130', 'Robbery')),
    ...Array.from({ length: 40 }, (_, i) =>
      row((-0.0975 + i * 0.0005).toFixed(4), '51.5140', 'Burglary'),
    ),
    row('', '', 'Robbery'),
  ];
  return `${[HEADER, ...rows].join('\n')}\n`;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'concordat-back-test-'));
  for (let m = 1; m <= 6; m++) {
    const month = `2024-0${m}`;
    writeFileSync(join(folder, `${month}-street.csv.gz`), gzipSync(streetFile(month)));
  }
  writeFileSync(
    join(folder, 'plain.csv'),
    'date,longitude,latitude,kind\n2024-01-05 10:00,-0.09,51.513,a\n2024-02-05,-0.09,51.513,b\n2024-04-05,-0.09,51.513,a\n',
  );
  const square = [
    [-0.1, 51.505],
    [-0.07, 51.505],
    [-0.07, 51.52],
    [-0.1, 51.52],
    [-0.1, 51.505],
  ];
  writeFileSync(
    join(folder, 'area.geojson'),
    JSON.stringify({
      type: 'Feature',
      properties: {},
      geometry: { type: 'Polygon', coordinates: [square] },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (more: object = {}) => ({
  incidents: [join(folder, '*-street.csv.gz')],
  category: 'robbery',
  predicate: [],
  resolution: 9,
  epsilon: 1,
  mechanism: 'discrete-laplace',
  draws: 2,
  trainMonths: 3,
  top: 0.01,
  seed: 'spec',
  ...more,
});

describe('runBackTest', () => {
  it('judges all methods over the force that the files name', async () => {
    const report = await runBackTest(options());
    expect(report.area.cells).toBeGreaterThan(100);
    expect(report.incidents).toEqual({ read: 276, selected: 36, outsideArea: 0, unlocated: 6 });
    expect(report.methods.map(({ method }) => method)).toContain('concordat');
    const exact = report.methods.find(({ method }) => method === 'naive12-nonprivate');
    expect(exact).toMatchObject({ hitRate: 1, pei: 1, months: 3, draws: 1 });
    expect(await runBackTest(options())).toEqual(report);
  });

  it('takes plain CSV, a predicate and a GeoJSON area, and keeps a missing month missing', async () => {
    const report = await runBackTest(
      options({
        incidents: [join(folder, 'plain.csv')],
        category: 'all',
        predicate: ['kind=a'],
        area: join(folder, 'area.geojson'),
        trainMonths: 2,
      }),
    );
    expect(report.incidents).toMatchObject({ read: 3, selected: 2 });
    expect(report.methods[0]?.months).toBe(1);
  });

  it('refuses with a stable code', async () => {
    const refusals: [object, string][] = [
      [{ category: 'nonsense' }, 'no-incidents'],
      [{ incidents: [join(folder, 'none-*.csv')] }, 'no-such-file'],
      [{ incidents: [join(folder, 'area.geojson')] }, 'unreadable-file'],
      [{ area: 'atlantis' }, 'unknown-area'],
      [{ epsilon: undefined }, 'invalid-noise'],
      [{ epsilon: 0 }, 'invalid-noise'],
      [{ epsilon: -1 }, 'invalid-noise'],
      [{ mechanism: 'magic' }, 'usage'],
      [{ resolution: 10 }, 'invalid-resolution'],
      [{ predicate: ['colour=red'] }, 'unknown-column'],
      [{ trainMonths: 12 }, 'too-few-months'],
    ];
    for (const [change, code] of refusals) {
      await expect(runBackTest(options(change))).rejects.toMatchObject({ code });
    }
  });
});

describe('areas and files', () => {
  it.each([
    ['a day that no month has', '2024-01-99,-0.09,51.513'],
    ['what is no day', '2024-01-soon,-0.09,51.513'],
    ['another order of the date', '05/01/2024,-0.09,51.513'],
    ['a number that is not decimal', '2024-01-05,0x1,51.513'],
    ['half a place', '2024-01-05,,51.513'],
  ])('refuses %s, and says where', async (_, row) => {
    const file = join(folder, 'odd.csv');
    writeFileSync(file, `date,longitude,latitude\n2024-01-05T10:00:00Z,-0.09,51.513\n${row}\n`);
    await expect(readIncidents([file], () => {})).rejects.toMatchObject({
      code: 'malformed-row',
      message: expect.stringMatching(/^line 3 of .*odd\.csv needs a date/),
    });
  });

  it('takes a feature without a place for none, and refuses the whole world', () => {
    const file = join(folder, 'odd.geojson');
    const area = (geometry: unknown) =>
      writeFileSync(
        file,
        JSON.stringify({
          type: 'FeatureCollection',
          features: [
            { type: 'Feature', properties: {}, geometry: null },
            { type: 'Feature', properties: {}, geometry },
          ],
        }),
      );
    const box = (west: number, east: number, south: number, north: number) => ({
      type: 'Polygon',
      coordinates: [
        [
          [west, south],
          [east, south],
          [east, north],
          [west, north],
          [west, south],
        ],
      ],
    });
    area(box(-0.1, -0.07, 51.505, 51.52));
    expect(areaCells(file, new Set(), 9)).toEqual(
      areaCells(join(folder, 'area.geojson'), new Set(), 9),
    );
    // a ring that its writer left open means the same
    const open = box(-0.1, -0.07, 51.505, 51.52);
    area({ ...open, coordinates: open.coordinates.map((ring) => ring.slice(0, -1)) });
    expect(areaCells(file, new Set(), 9)).toEqual(
      areaCells(join(folder, 'area.geojson'), new Set(), 9),
    );
    area(box(-180, 180, -90, 90));
    expect(() => areaCells(file, new Set(), 9)).toThrow(
      expect.objectContaining({ code: 'area-too-large' }),
    );
  });

  it('brings the names of forces to one form', () => {
    expect(foldForce('Avon and Somerset Constabulary')).toBe('avon and somerset');
    expect(foldForce('Metropolitan Police Service')).toBe(foldForce('metropolitan'));
    expect(foldForce('Devon & Cornwall Police')).toBe(foldForce('devon-and-cornwall'));
  });

  it('answers at a coarser resolution with the cells above', () => {
    const fine = areaCells('city-of-london', new Set(), 9);
    const coarse = areaCells('City of London Police', new Set(), 8);
    expect(coarse.length).toBeLessThan(fine.length / 4);
  });

  it('expands patterns in any part of a path, in order', () => {
    const files = expandPattern(join(folder, '2024-0?-street.*'));
    expect(files.length).toBe(6);
    expect(files).toEqual([...files].sort());
  });
});
