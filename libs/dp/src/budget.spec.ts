import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  DEFAULT_SHARES,
  equalRational,
  formatRational,
  formatRho,
  levelShares,
  levelVariances,
  ONE,
  parseRho,
  type Resolution,
  rational,
  rhoOf,
  splitRho,
  sumRationals,
  withinLimit,
  ZERO,
} from './index.js';

describe('rho', () => {
  it.each(['1/8', '1', '7/3', '123456789/1000000007'])('reads %s', (text) => {
    expect(formatRho(parseRho(text))).toBe(text);
  });

  it.each([
    '0',
    '-0',
    '-1/8',
    '0.5',
    '1e-3',
    'NaN',
    'Infinity',
    '-Infinity',
    '2/4',
    '8/1',
    ' 1/8',
    '1/8 ',
    '1/8\n',
    '01/8',
    '1/0',
    '+1/8',
    '',
    '1/',
    `1/${'7'.repeat(39)}`,
    0.125,
    Number.NaN,
    Infinity,
    -0,
    1n,
    null,
    undefined,
    true,
    {},
    ['1/8'],
    { num: 1n, den: 8n },
  ])('refuses %p', (text) => {
    expect(() => parseRho(text)).toThrow(expect.objectContaining({ code: 'malformed-rho' }));
  });

  it('is positive', () => {
    expect(() => rhoOf(ZERO)).toThrow(expect.objectContaining({ code: 'malformed-rho' }));
    expect(() => rhoOf(rational(-1n, 8n))).toThrow(
      expect.objectContaining({ code: 'malformed-rho' }),
    );
  });

  it('stops exactly at the limit, where doubles would not', () => {
    const tenth = parseRho('1/10');
    expect(withinLimit(rational(2n, 10n), tenth, rational(3n, 10n))).toBe(true);
    expect(withinLimit(rational(2n, 10n), parseRho('1000001/10000000'), rational(3n, 10n))).toBe(
      false,
    );
  });
});

describe('the split of a release', () => {
  it('sums to exactly rho for any rho and finest resolution', () => {
    const resolution = fc.constantFrom<Resolution>(4, 5, 6, 7, 8, 9);
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 12n),
        fc.bigInt(1n, 10n ** 12n),
        resolution,
        (num, den, r) => {
          const rho = rhoOf(rational(num, den));
          const parts = splitRho(rho, levelShares(r));
          expect(equalRational(sumRationals(parts.map((part) => part.rho)), rho)).toBe(true);
          expect(parts).toHaveLength(r - 2);
        },
      ),
    );
  });

  it('is .02 .02 .03 .05 .10 .20 .58 down to resolution 9, rescaled above', () => {
    expect(equalRational(sumRationals(DEFAULT_SHARES.map(({ share }) => share)), ONE)).toBe(true);
    const text = (r: Resolution) => levelShares(r).map(({ share }) => formatRational(share));
    expect(text(9)).toEqual(['1/50', '1/50', '3/100', '1/20', '1/10', '1/5', '29/50']);
    expect(text(6)).toEqual(['1/6', '1/6', '1/4', '5/12']);
    expect(() => levelShares(3 as Resolution)).toThrow(
      expect.objectContaining({ code: 'unknown-resolution' }),
    );
  });

  it('gives sigma^2 = Delta2^2 / (2 rho_level)', () => {
    const rho = parseRho('1/8');
    const levels = levelVariances({ rho, finest: 9, l2SensitivitySquared: 1n });
    expect(levels.map(({ sigma2 }) => formatRational(sigma2))).toEqual([
      '200',
      '200',
      '400/3',
      '80',
      '40',
      '20',
      '200/29',
    ]);
    const wide = levelVariances({ rho, finest: 4, l2SensitivitySquared: 50n });
    expect(wide.map(({ sigma2 }) => formatRational(sigma2))).toEqual(['400', '400']);
    expect(() => levelVariances({ rho, finest: 9, l2SensitivitySquared: 0n })).toThrow(
      expect.objectContaining({ code: 'bad-sensitivity' }),
    );
  });

  it.each([
    [
      [
        ['total', '1/2'],
        [9, '1/3'],
      ],
    ],
    [
      [
        ['total', '1/2'],
        ['total', '1/2'],
      ],
    ],
    [
      [
        ['total', '3/2'],
        [9, '-1/2'],
      ],
    ],
    [[]],
  ])('refuses shares %j', (rows) => {
    const shares = (rows as [9, string][]).map(([level, text]) => {
      const [num, den] = text.split('/').map(BigInt);
      return { level, share: rational(num ?? 0n, den ?? 1n) };
    });
    expect(() => splitRho(parseRho('1/8'), shares)).toThrow(
      expect.objectContaining({ code: 'bad-shares' }),
    );
  });
});
