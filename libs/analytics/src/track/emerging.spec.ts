import { describe, expect, it } from '@jest/globals';
import { EMERGING_CLASSES, emergingClass } from './emerging.js';

const HOT = 3;
const COLD = -3;
const nameOf = (z: readonly number[], trend = 0): string =>
  EMERGING_CLASSES[emergingClass(Float64Array.from(z), trend)] as string;
const repeat = (value: number, times: number): number[] => new Array(times).fill(value);

describe('emergingClass', () => {
  it('has seventeen classes', () => {
    expect(new Set(EMERGING_CLASSES).size).toBe(17);
  });

  const cases: [name: string, z: number[], trend: number][] = [
    ['no-pattern', repeat(0, 10), 0],
    ['no-pattern', [...repeat(HOT, 4), ...repeat(0, 6)], 0],
    ['new-hot', [...repeat(0, 9), HOT], 0],
    ['consecutive-hot', [...repeat(0, 7), HOT, HOT, HOT], 0],
    ['intensifying-hot', repeat(HOT, 10), 2.5],
    ['persistent-hot', [0, ...repeat(HOT, 9)], 1],
    ['diminishing-hot', repeat(HOT, 10), -2.5],
    ['sporadic-hot', [HOT, 0, HOT, 0, 0, 0, 0, 0, 0, HOT], 0],
    ['oscillating-hot', [COLD, 0, HOT, 0, 0, 0, 0, 0, 0, HOT], 0],
    ['historical-hot', [...repeat(HOT, 9), 0], 0],
    ['new-cold', [...repeat(0, 9), COLD], 0],
    ['consecutive-cold', [...repeat(0, 7), COLD, COLD, COLD], 0],
    ['intensifying-cold', repeat(COLD, 10), -2.5],
    ['persistent-cold', repeat(COLD, 10), 0],
    ['diminishing-cold', repeat(COLD, 10), 2.5],
    ['sporadic-cold', [COLD, 0, 0, 0, 0, 0, 0, 0, 0, COLD], 0],
    ['oscillating-cold', [HOT, 0, COLD, 0, 0, 0, 0, 0, 0, COLD], 0],
    ['historical-cold', [...repeat(COLD, 9), 0], 0],
  ];
  it.each(cases)('%s', (name, z, trend) => {
    expect(nameOf(z, trend)).toBe(name);
  });

  it('counts a missing period neither as hot nor as not hot', () => {
    expect(nameOf([Number.NaN, ...repeat(HOT, 9)])).toBe('persistent-hot');
    expect(nameOf([...repeat(HOT, 9), Number.NaN])).toBe('historical-hot');
    expect(nameOf(repeat(Number.NaN, 5))).toBe('no-pattern');
  });
});
