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
  readonly integer: number[];
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
  integer: Int32Array.from(v.integer),
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
  integer: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
});

describe('chunk', () => {
  it('keeps coverage and integers, and estimates and errors within the stated bounds', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 40 }), (cells) => {
        const columns: ChunkColumns = {
          coverage: Uint8Array.from(cells, (c) => c.state),
          estimate: Float64Array.from(cells, (c) => c.estimate),
          standardError: Float64Array.from(cells, (c) => c.error),
          integer: Int32Array.from(cells, (c) => c.integer),
        };
        const chunk = decodeChunk(encodeChunk(0n, 9, columns));
        expect(chunk.coverage).toEqual(columns.coverage);
        expect(chunk.step).toBeLessThanOrEqual(0.5);
        cells.forEach(({ state, estimate, error, integer }, i) => {
          if (state === COVERAGE.none) {
            expect(chunk.estimate[i]).toBeNaN();
            expect(chunk.standardError[i]).toBeNaN();
            expect(chunk.integer[i]).toBe(0);
            return;
          }
          expect(Math.abs((chunk.estimate[i] ?? 0) - estimate)).toBeLessThanOrEqual(chunk.step / 2);
          const over = (chunk.standardError[i] ?? 0) - error;
          expect(over).toBeGreaterThanOrEqual(0);
          expect(over).toBeLessThanOrEqual(chunk.step / 256);
          expect(chunk.integer[i]).toBe(integer);
        });
      }),
    );
  });

  it('takes a step of at most an eighth of the smallest standard error', () => {
    const at = (standardError: number) =>
      decodeChunk(
        encodeChunk(0n, 9, {
          coverage: Uint8Array.of(2),
          estimate: Float64Array.of(34.3),
          standardError: Float64Array.of(standardError),
          integer: Int32Array.of(34),
        }),
      ).step;
    expect([16, 4, 3.9, 1, 0.1, 0].map(at)).toEqual([1 / 2, 1 / 2, 1 / 4, 1 / 8, 1 / 128, 1 / 256]);
  });

  const one = {
    coverage: Uint8Array.of(2),
    estimate: Float64Array.of(1),
    standardError: Float64Array.of(1),
    integer: Int32Array.of(1),
  };
  it.each([
    ['invalid-chunk', { integer: Int32Array.of(1, 2) }],
    ['invalid-chunk', { integer: Int32Array.of(-1) }],
    ['invalid-chunk', { coverage: Uint8Array.of(3) }],
    ['invalid-chunk', { estimate: Float64Array.of(Number.NaN) }],
    ['invalid-chunk', { standardError: Float64Array.of(-1) }],
    ['invalid-chunk', { standardError: Float64Array.of(Number.POSITIVE_INFINITY) }],
    ['chunk-out-of-range', { estimate: Float64Array.of(2 ** 30) }],
    ['chunk-out-of-range', { standardError: Float64Array.of(1e9), estimate: Float64Array.of(1) }],
  ])('refuses to encode what it cannot hold: %s %j', (code, fault) => {
    expect(() => encodeChunk(0n, 9, { ...one, ...fault })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
