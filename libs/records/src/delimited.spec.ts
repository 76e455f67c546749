import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { delimitedReader, MAX_ROW } from './delimited.js';

function read(pieces: readonly string[], delimiter = ',', quoting: 'double' | 'none' = 'double') {
  const rows: string[][] = [];
  const faults: string[] = [];
  const reader = delimitedReader({
    delimiter,
    quoting,
    onRow: (fields) => rows.push(fields),
    onFault: (fault) => faults.push(fault),
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { rows, faults };
}

const field = fc.string({ unit: fc.constantFrom('a', 'é', ' ', ',', '"', '\n', '\r', ';', '😀') });
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
const table = fc.integer({ min: 2, max: 4 }).chain((width) =>
  fc.array(fc.array(field, { minLength: width, maxLength: width }), {
    minLength: 1,
    maxLength: 8,
  }),
);

describe('delimited text', () => {
  it('is read as csv-parse reads it, however it is cut into pieces', () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('\n', '\r\n', '\r', ''),
        fc.boolean(),
        fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
        (rows, end, lastEnd, quoteAll, cuts) => {
          const lines = rows.map((row) =>
            row.map((text) => (quoteAll || /[",\r\n]/.test(text) ? quote(text) : text)).join(','),
          );
          const text = lines.join(end) + lastEnd;
          const pieces: string[] = [];
          for (let at = 0; at < text.length; ) {
            const size = cuts.next().value as number;
            pieces.push(text.slice(at, at + size));
            at += size;
          }
          expect(read(pieces)).toEqual({ rows, faults: [] });
          if (lastEnd === '\r') return; // to csv-parse a value of its own, here half a line end
          expect(parse(text, { record_delimiter: ['\n', '\r\n'] })).toEqual(rows);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same whatever the pieces, also where it is broken', () => {
    fc.assert(
      fc.property(field, fc.integer({ min: 1, max: 5 }), (text, size) => {
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        expect(read(pieces)).toEqual(read([text]));
      }),
      { numRuns: 500 },
    );
  });

  it('skips blank lines and takes quotes as they are when told so', () => {
    expect(read(['a,b\n\n \r\nc,d'])).toEqual({
      rows: [
        ['a', 'b'],
        ['c', 'd'],
      ],
      faults: [],
    });
    expect(read(['5" pipe\t"x\n'], '\t', 'none').rows).toEqual([['5" pipe', '"x']]);
    expect(read(['a 5" pipe,b\n']).rows).toEqual([['a 5" pipe', 'b']]);
  });

  it.each([
    [
      'a quote never closed',
      '1,"a\n2,b\n3,c',
      [
        ['2', 'b'],
        ['3', 'c'],
      ],
      ['malformed-row'],
    ],
    ['text after a quote', '1,"a"x\n2,b\n', [['2', 'b']], ['malformed-row']],
    ['a NUL byte', '1,a\0\n2,b\n', [['2', 'b']], ['malformed-row']],
    ['a byte that is no text', '1,a\ufffd\n2,b\n', [['2', 'b']], ['bad-encoding']],
    ['a quote open at the very end', '1,a\n2,"', [['1', 'a']], ['malformed-row']],
  ])('loses one row and no other to %s', (_, text, rows, faults) => {
    expect(read([text])).toEqual({ rows, faults });
    expect(read([...text])).toEqual({ rows, faults });
  });

  it('loses one row to a quote that swallows more than a row may hold', () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${i},${'x'.repeat(40)}`);
    lines[5] = '5,"open';
    const { rows, faults } = read([lines.join('\n')]);
    expect(faults).toEqual(['malformed-row']);
    expect(rows.map(([number]) => number)).toEqual(
      Array.from({ length: 3000 }, (_, i) => `${i}`).filter((number) => number !== '5'),
    );
  });

  it.each(['x', '"'])('skips an over-long line starting with %p, whole', (first) => {
    const long = first + 'y'.repeat(MAX_ROW);
    const pieces = ['1,a\n', long, long, ',"z"\n2,b\n'];
    expect(read(pieces)).toEqual({
      rows: [
        ['1', 'a'],
        ['2', 'b'],
      ],
      faults: ['row-too-long'],
    });
    expect(read([pieces.join('')])).toEqual(read(pieces));
  });

  it('takes a row of exactly the longest length', () => {
    const row = `${'x'.repeat(MAX_ROW - 2)},y`;
    expect(read([`${row}\n${row}z\n`])).toMatchObject({ faults: ['row-too-long'] });
    expect(read([`${row}\n`]).rows).toHaveLength(1);
  });
});
