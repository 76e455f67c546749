import { describe, expect, it } from '@jest/globals';
import { chanceText, scoreText, shareText } from './figures.js';

describe('figures in words', () => {
  it.each([
    [0.5, '50 %'],
    [0.999, 'over 99 %'],
    [1, '100 %'],
    [0.001, 'under 1 %'],
    [0, '0 %'],
    [Number.NaN, 'unknown'],
  ])('share %d', (share, text) => expect(shareText(share)).toBe(text));

  it.each([
    [0.9, 'more than 1 in 2'],
    [0.5, '1 in 2'],
    [0.05, '1 in 20'],
    [1 / 3_456, '1 in 3,400'],
    [1e-9, 'less than 1 in a million'],
    [Number.NaN, 'unknown'],
  ])('chance %d', (p, text) => expect(chanceText(p)).toBe(text));

  it.each([
    [3.14159, '3.1'],
    [-2.5, '\u22122.5'],
    [1234.5, '1,235'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('score %d', (value, text) => expect(scoreText(value)).toBe(text));
});
