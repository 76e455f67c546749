import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { uniforms } from '../laws/random-variates.js';
import { expectedShares } from './binomial-mixture.js';

const N = 50;

describe('expected shares', () => {
  it('are k / n where nothing but the case itself is known', () => {
    const cases = new Float64Array(N + 1).fill(100);
    expectedShares(cases).forEach((share, k) => {
      // All counts alike often: shares uniform, (k + 1) / (n + 2) expected.
      expect(Math.abs(share - (k + 1) / (N + 2))).toBeLessThan(0.01);
    });
  });

  it('are that of all where all are alike', () => {
    const cases = new Float64Array(N + 1);
    let term = 1000;
    for (let k = 30; k <= N; k++) {
      cases[k] = term;
      term *= ((N - k) / (k + 1)) * 1.5;
    }
    term = 1000;
    for (let k = 30; k > 0; k--) {
      term *= k / (N - k + 1) / 1.5;
      cases[k - 1] = term;
    }
    const shares = expectedShares(cases);
    // 40 of 50 came from 0.6 like all others.
    expect(shares[40]).toBeLessThan(0.65);
    expect(shares[20]).toBeGreaterThan(0.55);
  });

  it('are kept in fresh draws, where the shares themselves are not', () => {
    const uniform = uniforms(seededRandom('lucky'));
    const cases = new Float64Array(N + 1);
    const truth: { share: number; k: number }[] = [];
    for (let i = 0; i < 20_000; i++) {
      // Most cases are near 0.6, a few near 0.95.
      const share = i % 100 === 0 ? 0.95 : 0.5 + 0.2 * uniform();
      let k = 0;
      for (let draw = 0; draw < N; draw++) if (uniform() < share) k++;
      cases[k] = (cases[k] as number) + 1;
      truth.push({ share, k });
    }
    const shares = expectedShares(cases);
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const high = truth.filter(({ k }) => k >= 0.8 * N);
    // Shares alone claim 7 points too much of these.
    expect(mean(high.map(({ k }) => k / N)) - mean(high.map(({ share }) => share))).toBeGreaterThan(
      0.05,
    );
    expect(
      Math.abs(
        mean(high.map(({ k }) => shares[k] as number)) - mean(high.map(({ share }) => share)),
      ),
    ).toBeLessThan(0.02);
    const shown = truth.filter(({ k }) => (shares[k] as number) >= 0.8);
    expect(shown.length).toBeGreaterThan(100);
    expect(mean(shown.map(({ share }) => share))).toBeGreaterThan(0.8);
  });

  it('are numbers in order for any cases, also for none and for one draw', () => {
    for (const cases of [new Float64Array(N + 1), Float64Array.of(3, 5), Float64Array.of(0, 1e7)]) {
      const shares = expectedShares(cases);
      shares.forEach((share, k) => {
        expect(share).toBeGreaterThan(0);
        expect(share).toBeLessThan(1);
        if (k > 0) expect(share).toBeGreaterThanOrEqual(shares[k - 1] as number);
      });
    }
  });
});
