import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { poissonDraws } from '../laws/random-variates.js';
import { placeboTest } from './synthetic-control.js';

const START = 8;
const random = seededRandom('synthetic control');
const area = () => poissonDraws(new Float64Array(12).fill(50), random);
const changed = (series: Float64Array, by: number) =>
  series.map((count, t) => (t < START ? count : count + by));

describe('the interval of synthetic control', () => {
  const donors = Array.from({ length: 24 }, area);
  const treated = area();

  it('is the effects that the placebo test does not reject when they are taken off', () => {
    const { low, high } = placeboTest(treated, donors, START, 0.1);
    const pWithout = (effect: number) => placeboTest(changed(treated, -effect), donors, START).p;
    const step = (high - low) / 40;
    expect(pWithout(low - step / 100)).toBeLessThanOrEqual(0.1);
    expect(pWithout(high + step / 100)).toBeLessThanOrEqual(0.1);
    expect(pWithout(low + step / 100)).toBeGreaterThan(0.1);
    expect(pWithout(high - step / 100)).toBeGreaterThan(0.1);
    for (let effect = low - 10 * step; effect < high + 10 * step; effect += step / 1.37) {
      if (effect < low || effect > high) expect(pWithout(effect)).toBeLessThanOrEqual(0.1);
    }
  });

  it('moves with the effect', () => {
    const still = placeboTest(treated, donors, START);
    const more = placeboTest(changed(treated, 30), donors, START);
    expect(more.low).toBeCloseTo(still.low + 30, 8);
    expect(more.high).toBeCloseTo(still.high + 30, 8);
    expect(more.low).toBeGreaterThan(0);
  });

  it('is without end where too few areas could reject anything', () => {
    const few = donors.slice(0, 18);
    expect(placeboTest(treated, few, START, 0.05)).toMatchObject({
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
    expect(placeboTest(treated, few, START, 0.06).low).toBeGreaterThan(Number.NEGATIVE_INFINITY);
  });

  it('is none where no steady effect is left', () => {
    const jumping = treated.map((count, t) => (t < START ? count : count + 400 * (-1) ** t));
    const { p, low, high } = placeboTest(jumping, donors, START);
    expect(p).toBeLessThan(0.05);
    expect([low, high]).toEqual([Number.NaN, Number.NaN]);
  });
});
