import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { buildTree, cellAt, embed, findArea, parseAreas, parseDomainFile } from './index.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const sample = (name: string) =>
  gunzipSync(readFileSync(new URL(`../../../samples/grid/${name}`, import.meta.url))).toString();
const text = sample('areas.json.gz');
const areas = parseAreas(text);
const national = parseDomainFile('ew-2026-1', sample('ew-2026-1.txt.gz'));

describe('areas of England and Wales', () => {
  it('are 43 forces and 318 authorities of the national grid, each named once', () => {
    expect(areas.gridHash).toBe(national.hash);
    for (const [kind, count] of [
      ['force', 43],
      ['authority', 318],
    ] as const) {
      const slugs = areas.all.filter((area) => area.kind === kind).map((area) => area.slug);
      expect(slugs.length).toBe(count);
      expect(new Set(slugs).size).toBe(count);
    }
    for (const area of areas.all) {
      if (area.kind === 'authority')
        expect(findArea(areas, 'force', area.force ?? '').kind).toBe('force');
    }
  });

  it('are found by slug, name or code', () => {
    const avon = findArea(areas, 'force', 'avon-and-somerset');
    expect(findArea(areas, 'force', 'Avon and Somerset')).toBe(avon);
    const bristol = findArea(areas, 'authority', 'E06000023');
    expect(bristol).toMatchObject({ slug: 'bristol-city-of', force: 'avon-and-somerset' });
    expect(findArea(areas, 'authority', 'bristol, city of')).toBe(bristol);
    expect(findArea(areas, 'authority', 'city-of-london')).not.toBe(
      findArea(areas, 'force', 'city-of-london'),
    );
    expect(() => findArea(areas, 'force', 'bristol-city-of')).toThrow(code('unknown-area'));
  });

  it('open to domains inside the national one that hold their places', () => {
    const tree = buildTree(national, { finest: 9 });
    const places = [
      ['force', 'avon-and-somerset', 51.4545, -2.5879],
      ['authority', 'bristol-city-of', 51.4545, -2.5879],
      ['force', 'city-of-london', 51.5138, -0.0984],
      ['force', 'dyfed-powys', 52.415, -4.083],
      ['authority', 'blackpool', 53.8175, -3.0357],
    ] as const;
    for (const [kind, slug, latitude, longitude] of places) {
      const domain = findArea(areas, kind, slug).domain();
      expect(domain.name).toBe(`ew-2026-1/${kind}/${slug}`);
      expect(domain.cells.includes(cellAt(latitude, longitude, 9))).toBe(true);
      const part = buildTree(domain, { finest: 9 });
      expect(embed(part, tree).length).toBe(part.nodeCount);
    }
  });

  it('leave next to nothing of the nation uncovered', () => {
    const covered = new Set<bigint>();
    for (const area of areas.all) {
      if (area.kind === 'force') for (const cell of area.domain().cells) covered.add(cell);
    }
    expect(covered.size / national.cells.length).toBeGreaterThan(0.999);
  });

  it('refuse a file that is malformed or tampered with', () => {
    const file = JSON.parse(text);
    const with_ = (change: object) => JSON.stringify({ ...file, ...change });
    const first = file.areas[0];
    for (const bad of [
      '',
      '{}',
      with_({ extra: 1 }),
      with_({ areas: [{ ...first, cells: 'x' }] }),
    ]) {
      expect(() => parseAreas(bad)).toThrow(code('malformed-areas'));
    }
    const less = parseAreas(with_({ areas: [{ ...first, cells: first.cells.slice(1) }] }));
    expect(() => findArea(less, 'force', first.slug).domain()).toThrow(code('corrupt-area'));
  });
});
