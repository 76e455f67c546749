import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as h3 from 'h3-js';
import {
  cellAt,
  cellBoundary,
  cellCentre,
  cellFromText,
  cellToText,
  childrenOf,
  isCell,
  parentOf,
  type Resolution,
  resolutionFrom,
  resolutionOf,
} from './index.js';

const resolution = fc.integer({ min: 0, max: 15 }).map((r) => r as Resolution);
const latitude = fc.double({ min: -90, max: 90, noNaN: true });
const longitude = fc.double({ min: -180, max: 180, noNaN: true });
const pentagon = resolution.chain((r) =>
  fc.constantFrom(...h3.getPentagons(r)).map((text) => BigInt(`0x${text}`)),
);
/** Cells anywhere on Earth, and often a pentagon or a cell beside one. */
const cell = fc.oneof(
  fc.tuple(latitude, longitude, resolution).map(([lat, lng, r]) => cellAt(lat, lng, r)),
  pentagon,
  pentagon.chain((p) =>
    fc.constantFrom(...h3.gridDisk(cellToText(p), 1)).map((text) => BigInt(`0x${text}`)),
  ),
);

describe('cells against h3-js', () => {
  it('gives the same cell, resolution, parent and children', () => {
    fc.assert(
      fc.property(cell, resolution, (index, r) => {
        const text = cellToText(index);
        const own = h3.getResolution(text);
        expect(resolutionOf(index)).toBe(own);
        if (r <= own) expect(cellToText(parentOf(index, r))).toBe(h3.cellToParent(text, r));
        else
          expect(() => parentOf(index, r)).toThrow(
            expect.objectContaining({ code: 'finer-than-cell' }),
          );
        if (own < 15) {
          expect(Array.from(childrenOf(index), cellToText)).toEqual(
            h3.cellToChildren(text, own + 1).sort(),
          );
        }
        expect(cellFromText(text)).toBe(index);
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts exactly the indexes that h3-js calls valid cells', () => {
    const bit = fc
      .tuple(cell, fc.integer({ min: 0, max: 63 }))
      .map(([c, b]) => c ^ (1n << BigInt(b)));
    const digits = fc
      .tuple(cell, fc.integer({ min: 0, max: 14 }), fc.bigInt({ min: 0n, max: 7n }))
      .map(([c, position, digit]) => {
        const shift = BigInt(3 * position);
        return (c & ~(7n << shift)) | (digit << shift);
      });
    const any = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(fc.oneof(cell, bit, digits, any), (index) => {
        expect(isCell(index)).toBe(h3.isValidCell(index.toString(16)));
      }),
      { numRuns: 5000 },
    );
    expect(isCell(-1n)).toBe(false);
    expect(isCell(1n << 64n)).toBe(false);
  });

  it('has its centre inside and a closed outline around it', () => {
    fc.assert(
      fc.property(cell, (index) => {
        const { latitude: lat, longitude: lng } = cellCentre(index);
        expect(cellAt(lat, lng, resolutionOf(index))).toBe(index);
        const ring = cellBoundary(index);
        expect(ring.length).toBeGreaterThanOrEqual(6);
        expect(ring[0]).toEqual(ring.at(-1));
      }),
    );
  });
});

describe('input from outside', () => {
  it.each([
    '',
    '89195839',
    '89195839317FFFF',
    '0x89195839317ffff',
    ' 89195839317ffff',
    '89195839317fffff',
    'zz195839317ffff',
    '000000000000000',
    '89195839317ffff\n',
  ])('refuses the text %p', (text) => {
    expect(() => cellFromText(text)).toThrow(expect.objectContaining({ code: 'invalid-cell' }));
  });

  it.each([
    [Number.NaN, 0],
    [0, Number.NaN],
    [90.01, 0],
    [0, -180.01],
    [Infinity, 0],
  ])('refuses the point %p, %p', (lat, lng) => {
    expect(() => cellAt(lat, lng, 9)).toThrow(
      expect.objectContaining({ code: 'invalid-coordinate' }),
    );
  });

  it.each([-1, 16, 4.5, Number.NaN])('refuses resolution %p', (value) => {
    expect(() => resolutionFrom(value)).toThrow(
      expect.objectContaining({ code: 'invalid-resolution' }),
    );
    expect(resolutionFrom(9)).toBe(9);
  });
});
