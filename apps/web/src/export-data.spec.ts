import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { csvText, type ExportRow, geoJsonText } from './export-data.js';

const ring = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
] as const;
const rows: readonly ExportRow[] = [
  { ring, properties: { cell: '89195839227ffff', estimate: -1.5, class: 'new, "hot"' } },
  { ring, properties: { cell: '8919583922fffff', estimate: '0.25', class: null } },
];
const provenance = { title: 'Hot spots', releases: ['aa', 'bb'], note: 'two\r\nlines' };

describe('exports', () => {
  it('are CSV that other programs read, under comments that say where it comes from', () => {
    const figures = rows.map(({ properties }) => properties);
    const text = csvText(figures, provenance);
    expect(text).toMatch(
      /^# title: Hot spots\r\n# releases: aa\r\n# releases: bb\r\n# note: two lines\r\n/,
    );
    expect(parse(text, { comment: '#', columns: true })).toEqual([
      { cell: '89195839227ffff', estimate: '-1.5', class: 'new, "hot"' },
      { cell: '8919583922fffff', estimate: '0.25', class: '' },
    ]);
  });

  it('are GeoJSON with numbers as numbers and cells as text', () => {
    const { type, provenance: from, features } = JSON.parse(geoJsonText(rows, provenance));
    expect([type, from]).toEqual(['FeatureCollection', provenance]);
    expect(features[1]).toEqual({
      type: 'Feature',
      id: '8919583922fffff',
      geometry: { type: 'Polygon', coordinates: [ring.map((corner) => [...corner])] },
      properties: { cell: '8919583922fffff', estimate: 0.25, class: null },
    });
  });

  it('have a header without a cell', () => {
    expect(csvText([], { title: 'x' })).toBe('# title: x\r\ncell\r\n');
  });
});
