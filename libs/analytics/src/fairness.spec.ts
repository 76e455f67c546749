import { describe, expect, it } from '@jest/globals';
import { fairness } from './fairness.js';

describe('fairness', () => {
  it('splits attention, hits, misses and misses by noise over quintiles', () => {
    const report = fairness({
      quintiles: Uint8Array.of(1, 1, 5, 5, 5),
      population: Float64Array.of(100, 100, 300, 300, 200),
      chosen: Uint8Array.of(1, 0, 1, 0, 0),
      chosenWithoutNoise: Uint8Array.of(1, 1, 0, 0, 0),
      actual: Float64Array.of(4, 3, 1, 0, 2),
    });
    expect(report).toEqual([
      {
        quintile: 1,
        patrolShare: 0.5,
        populationShare: 0.2,
        hits: 4,
        misses: 3,
        missesByNoise: 3,
        hitsByNoise: 0,
      },
      {
        quintile: 5,
        patrolShare: 0.5,
        populationShare: 0.8,
        hits: 1,
        misses: 2,
        missesByNoise: 0,
        hitsByNoise: 1,
      },
    ]);
  });

  it('says nothing about the noise when the choice without it is not known', () => {
    const [only] = fairness({
      quintiles: Uint8Array.of(0),
      population: Float64Array.of(0),
      chosen: Uint8Array.of(0),
      actual: Float64Array.of(0),
    });
    expect(only).toEqual({ quintile: 0, patrolShare: 0, populationShare: 0, hits: 0, misses: 0 });
    expect(() =>
      fairness({
        quintiles: Uint8Array.of(6),
        population: Float64Array.of(0),
        chosen: Uint8Array.of(0),
        actual: Float64Array.of(0),
      }),
    ).toThrow(/0\.\.5/);
  });
});
