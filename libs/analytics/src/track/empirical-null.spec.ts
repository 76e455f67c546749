import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { normalUpperTail } from '../laws/normal.js';
import { normalDraw, uniforms } from '../laws/random-variates.js';
import { nullDeviation } from './empirical-null.js';

const tails = (cells: number, deviation: number, changed = 0): Float64Array => {
  const uniform = uniforms(seededRandom(`null ${cells} ${deviation}`));
  return Float64Array.from({ length: cells }, (_, i) =>
    normalUpperTail(deviation * normalDraw(uniform) + (i < changed ? 6 : 0)),
  );
};

// 40,000 scores tell their deviation to 0.005: seeded, and false at one in a million.
describe('the deviation of the null', () => {
  it.each([0.9, 1, 1.1])('of scores of deviation %d', (deviation) => {
    expect(Math.abs(nullDeviation(tails(40_000, deviation)) - deviation)).toBeLessThan(0.03);
  });

  it('leaves out the few that changed', () => {
    expect(Math.abs(nullDeviation(tails(40_000, 1, 1_000)) - 1)).toBeLessThan(0.03);
  });

  it('is nearly 1 where few cells tell, and 1 where none does', () => {
    expect(Math.abs(nullDeviation(tails(20, 1.5)) - 1)).toBeLessThan(0.06);
    expect(nullDeviation(new Float64Array())).toBe(1);
  });
});
