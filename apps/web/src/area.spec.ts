import { describe, expect, it } from '@jest/globals';
import { cellAt, cellToText, parentOf } from '#libs/grid';
import { formatArea, parseArea, readArea, withCell } from './area.js';

const bristol = cellAt(51.4545, -2.5879, 9);
const fine = cellToText(bristol);
const coarse = cellToText(parentOf(bristol, 7));
const other = cellToText(cellAt(51.5155, -0.0922, 9));

describe('an area in the address', () => {
  it.each([['Bristol, City of'], ["King's Lynn and West Norfolk"], [`${fine},${other}`]])(
    'survives reading and writing: %s',
    (text) => {
      const area = parseArea(text);
      expect(area && formatArea(area)).toBe(text);
    },
  );

  it.each([
    null,
    '',
    '<b>',
    '89195839227fff',
    '9fffffffffffffff',
    `${fine},`,
    '8001fffffffffff',
    Array.from({ length: 201 }, (_, i) => cellToText(bristol + BigInt(i) * 8192n)).join(),
  ])('is none: %s', (text) => {
    expect(parseArea(text)).toBeUndefined();
  });

  it.each([
    [`${fine}\n${other}`, { cells: [fine, other] }],
    [` ${fine.toUpperCase()} ; ${other},, `, { cells: [fine, other] }],
    [`${fine} ${fine}`, { cells: [fine] }],
    [' Bristol, City of ', { authority: 'Bristol, City of' }],
    [`${fine} Bristol`, undefined],
    ['8001fffffffffff', undefined],
    ['89195839227ff', undefined],
    ['  ', undefined],
  ])('is read as it is pasted: %s', (text, area) => {
    expect(readArea(text)).toEqual(area);
  });

  it('takes a hexagon in and out again', () => {
    const one = withCell(undefined, fine);
    expect(one).toEqual({ cells: [fine] });
    expect(withCell(one, other)).toEqual({ cells: [fine, other] });
    expect(withCell(one, fine)).toBeUndefined();
    expect(withCell({ authority: 'Bath' }, fine)).toEqual({ cells: [fine] });
  });

  it('never holds a hexagon and a part of it', () => {
    expect(withCell({ cells: [fine, other] }, coarse)).toEqual({ cells: [other, coarse] });
    expect(withCell({ cells: [coarse] }, fine)).toEqual({ cells: [fine] });
  });
});
