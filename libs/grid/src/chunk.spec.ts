import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bytesToHex, fromHex } from '#libs/bytes';
import { type ChunkColumns, COVERAGE, decodeChunk, encodeChunk } from './chunk.js';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly parent: string;
  readonly resolution: number;
  readonly step: number;
  readonly coverage: number[];
  readonly estimate: (number | null)[];
  readonly standardError: (number | null)[];
}

const load = <T>(file: string): T[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8'));
const good = load<Vector>('chunk.json');
const bad = load<{ name: string; hex: string }>('bad_chunk.json');

const numbers = (values: (number | null)[]): Float64Array =>
  Float64Array.from(values, (value) => value ?? Number.NaN);
const columnsOf = (v: Vector): ChunkColumns => ({
  coverage: Uint8Array.from(v.coverage),
  estimate: numbers(v.estimate),
  standardError: numbers(v.standardError),
});

describe('chunk vectors', () => {
  it.each(good)('decodes and encodes: $name', (vector) => {
    const chunk = decodeChunk(fromHex(vector.hex));
    expect(chunk).toEqual({
      ...columnsOf(vector),
      parent: BigInt(vector.parent),
      resolution: vector.resolution,
      step: vector.step,
    });
    const again = encodeChunk(BigInt(vector.parent), vector.resolution, columnsOf(vector));
    expect(bytesToHex(again)).toBe(vector.hex);
  });

  it.each(bad)('refuses: $name', ({ hex }) => {
    expect(() => decodeChunk(fromHex(hex))).toThrow(
      expect.objectContaining({ code: 'invalid-chunk' }),
    );
  });

  it('refuses every truncation and every trailing byte', () => {
    for (const { hex } of good) {
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeChunk(bytes.subarray(0, length))).toThrow();
      }
      expect(() => decodeChunk(Uint8Array.of(...bytes, 0))).toThrow();
    }
  });
});

const cell = fc.record({
  state: fc.integer({ min: 0, max: 2 }),
  estimate: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  error: fc.double({ min: 0, max: 5000, noNaN: true }),
});

describe('chunk', () => {
  it('keeps coverage, and estimates and errors within the stated bounds', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 40 }), (cells) => {
        const columns: ChunkColumns = {
          coverage: Uint8Array.from(cells, (c) => c.state),
          estimate: Float64Array.from(cells, (c) => c.estimate),
          standardError: Float64Array.from(cells, (c) => c.error),
        };
        const chunk = decodeChunk(encodeChunk(0n, 9, columns));
        expect(chunk.coverage).toEqual(columns.coverage);
        const least = Math.min(...cells.flatMap((c) => (c.state === 0 ? [] : [c.error])));
        expect(chunk.step).toBeLessThanOrEqual(Math.max(1 / 256, least / 4));
        cells.forEach(({ state, estimate, error }, i) => {
          if (state === COVERAGE.none) {
            expect(chunk.estimate[i]).toBeNaN();
            expect(chunk.standardError[i]).toBeNaN();
            return;
          }
          // Doubles near a million have a last digit of 2^-33.
          const off = Math.abs((chunk.estimate[i] ?? 0) - estimate);
          expect(off).toBeLessThanOrEqual(chunk.step / 2 + 2 ** -32);
          const over = (chunk.standardError[i] ?? 0) - error;
          expect(over).toBeGreaterThanOrEqual(0);
          expect(over).toBeLessThanOrEqual(chunk.step / 256 + 2 ** -32);
        });
      }),
    );
  });

  it('takes the coarsest step of at most a quarter of the smallest standard error', () => {
    const at = (standardError: number) =>
      decodeChunk(
        encodeChunk(0n, 9, {
          coverage: Uint8Array.of(2),
          estimate: Float64Array.of(34.3),
          standardError: Float64Array.of(standardError),
        }),
      ).step;
    expect([1e6, 16, 7.9, 4, 3.9, 1, 0.1, 0].map(at)).toEqual([
      4096,
      4,
      1,
      1,
      1 / 2,
      1 / 4,
      1 / 40,
      1 / 256,
    ]);
  });

  const one = {
    coverage: Uint8Array.of(2),
    estimate: Float64Array.of(1),
    standardError: Float64Array.of(1),
  };
  it.each([
    ['invalid-chunk', { standardError: Float64Array.of(1, 2) }],
    ['invalid-chunk', { coverage: Uint8Array.of(3) }],
    ['invalid-chunk', { estimate: Float64Array.of(Number.NaN) }],
    ['invalid-chunk', { standardError: Float64Array.of(-1) }],
    ['invalid-chunk', { standardError: Float64Array.of(Number.POSITIVE_INFINITY) }],
    ['chunk-out-of-range', { estimate: Float64Array.of(2 ** 30) }],
    ['chunk-out-of-range', { standardError: Float64Array.of(1e12) }],
  ])('refuses to encode what it cannot hold: %s %j', (code, fault) => {
    expect(() => encodeChunk(0n, 9, { ...one, ...fault })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
