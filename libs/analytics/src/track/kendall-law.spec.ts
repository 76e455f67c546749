import { describe, expect, it } from '@jest/globals';
import { kendallTails } from './kendall-law.js';

/** S of every order of the values, one by one. */
function allScores(values: readonly number[]): number[] {
  const score = (order: readonly number[]): number =>
    order.reduce(
      (sum, early, i) =>
        sum + order.slice(i + 1).reduce((part, late) => part + Math.sign(late - early), 0),
      0,
    );
  const orders = (left: readonly number[]): number[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap((value, i) =>
          orders([...left.slice(0, i), ...left.slice(i + 1)]).map((rest) => [value, ...rest]),
        );
  return orders(values).map(score);
}

describe('kendallTails', () => {
  it.each([
    [
      [1, 2, 3, 4, 5, 6],
      [1, 1, 1, 1, 1, 1],
    ],
    [
      [1, 1, 2, 3, 3, 3, 4],
      [1, 1, 2, 3],
    ],
    [
      [2, 2, 2, 2, 5, 5],
      [2, 4],
    ],
    [[7, 7, 7], [3]],
  ])('counts every order of %j', (values, groups) => {
    const scores = allScores(values);
    const tails = kendallTails(groups);
    for (const s of new Set(scores)) {
      const { atLeast, above } = tails(s);
      expect(atLeast).toBeCloseTo(scores.filter((one) => one >= s).length / scores.length, 12);
      expect(above).toBeCloseTo(scores.filter((one) => one > s).length / scores.length, 12);
    }
  });

  it('has the variance of the tie-corrected formula at fifty periods', () => {
    const groups = [...new Array(30).fill(1), 5, 5, 10];
    const tails = kendallTails(groups);
    const pairs = (50 * 49 - groups.reduce((sum, t) => sum + t * (t - 1), 0)) / 2;
    let variance = 0;
    for (let s = -pairs; s <= pairs; s += 2) {
      const { atLeast, above } = tails(s);
      variance += s * s * (atLeast - above);
    }
    const ties = groups.reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0);
    expect(variance / ((50 * 49 * 105 - ties) / 18)).toBeCloseTo(1, 9);
  });
});
