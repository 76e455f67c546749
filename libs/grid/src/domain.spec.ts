import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as h3 from 'h3-js';
import {
  cellAt,
  cellFromText,
  cellToText,
  type Domain,
  disk,
  domainFromCells,
  formatDomainFile,
  intersectDomains,
  parseDomainFile,
  sortedCells,
  unionDomains,
} from './index.js';

const BRISTOL = cellAt(51.4545, -2.5879, 9);
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Random non-empty subsets of a few hundred cells, around Bristol and around a pentagon. */
const around = (centre: bigint) => disk(centre, 12);
const PENTAGON = h3.getPentagons(9)[0] as string;
const pool = sortedCells([...around(BRISTOL), ...around(cellFromText(PENTAGON))]);
const subset = fc
  .tuple(fc.double({ min: 0.02, max: 1, noNaN: true }), fc.integer())
  .map(([share, seed]) => {
    let state = seed | 0;
    const kept = pool.filter(() => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return (state >>> 0) / 2 ** 32 < share;
    });
    return kept.length > 0 ? kept : pool.slice(0, 1);
  });

describe('domain', () => {
  it('comes back from its file, which is what h3-js compacts to', () => {
    fc.assert(
      fc.property(subset, (cells) => {
        const domain = domainFromCells('test', cells);
        const text = formatDomainFile(domain);
        expect(text.trim().split('\n')).toEqual(
          h3.compactCells(Array.from(cells, cellToText)).sort(),
        );
        expect(parseDomainFile('test', text)).toEqual(domain);
      }),
      { numRuns: 60 },
    );
  });

  it('opens coarse cells and pentagons as h3-js does', () => {
    for (const coarse of [
      '83194cfffffffff',
      '841942bffffffff',
      h3.getPentagons(5)[3] as string,
      PENTAGON,
    ]) {
      expect(Array.from(parseDomainFile('test', coarse).cells, cellToText)).toEqual(
        h3.cellToChildren(coarse, 9).sort(),
      );
    }
  });

  it('does not depend on the order of lines, and pins its hash', () => {
    const [a, b] = ['8919583930bffff', '881958393dfffff'];
    const domain = parseDomainFile('ab', `${a}\n${b}\n`);
    expect(parseDomainFile('ab', `${b}\n${a}`)).toEqual(domain);
    expect(domain.cells.length).toBe(8);
    expect(domain.hash).toBe('672fea4036887549e790519fad149a323c9d1f57ca99551a66dc88559b295118');
  });

  it('unites and intersects like sets', () => {
    fc.assert(
      fc.property(subset, subset, subset, (a, b, c) => {
        const domains = [a, b, c].map((cells, i) => domainFromCells(`d${i}`, cells));
        const sets = [a, b, c].map((cells) => new Set(cells));
        expect(unionDomains('u', domains).cells).toEqual(
          pool.filter((cell) => sets.some((set) => set.has(cell))),
        );
        const both = pool.filter((cell) => sets.every((set) => set.has(cell)));
        const intersect = () => intersectDomains('i', domains as [Domain, ...Domain[]]);
        if (both.length > 0) expect(intersect().cells).toEqual(both);
        else expect(intersect).toThrow(code('empty-domain'));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['empty-domain', () => domainFromCells('x', new BigUint64Array())],
    ['empty-domain', () => unionDomains('x', [])],
    ['empty-domain', () => parseDomainFile('x', '')],
    ['invalid-name', () => domainFromCells('Not A Name', BigUint64Array.of(BRISTOL))],
    ['invalid-cell', () => domainFromCells('x', BigUint64Array.of(BRISTOL ^ 1n))],
    ['invalid-cell', () => domainFromCells('x', BigUint64Array.of(cellAt(51, 0, 8)))],
    ['unsorted-cells', () => domainFromCells('x', BigUint64Array.of(BRISTOL, BRISTOL))],
    ['unsorted-cells', () => domainFromCells('x', pool.toReversed())],
    ['invalid-cell', () => parseDomainFile('x', '8919583930bffff\r\n')],
    ['invalid-cell', () => parseDomainFile('x', '8919583930bffff\n\n')],
    ['finer-than-domain', () => parseDomainFile('x', cellToText(cellAt(51, 0, 10)))],
    ['overlapping-cells', () => parseDomainFile('x', '8919583930bffff\n8919583930bffff')],
    [
      'overlapping-cells',
      () => parseDomainFile('x', '8919583930bffff\n8819583931fffff\n871958393ffffff'),
    ],
    ['too-many-cells', () => parseDomainFile('x', h3.getRes0Cells().join('\n'))],
  ])('refuses with %s (%#)', (expected, build) => {
    expect(build).toThrow(code(expected));
  });
});
