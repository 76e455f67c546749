/** Tails of weighted sums against the exact law: weights in 64ths and whole counts make a law on a lattice, convolved in full. */
import { describe, expect, it } from '@jest/globals';
import { type NoiseLaw, noisePmf } from '../laws/pmf.js';
import { weightedTail } from './weighted-tail.js';

const SIXTY_FOURTHS = [9, 12, 16];
const NEGLIGIBLE = 1e-13;

function poissonPmf(rate: number): number[] {
  const terms = [Math.exp(-rate)];
  for (let k = 1; k < rate + 12 * Math.sqrt(rate) + 20; k++) {
    terms.push(((terms[k - 1] as number) * rate) / k);
  }
  return terms;
}

/** P(S > x) + P(S = x) / 2 by convolution. */
function exactTail(rate: number, law: NoiseLaw): (x: number) => number {
  const noise = noisePmf(law);
  const counts = poissonPmf(rate);
  const one = new Float64Array(noise.weights.length + counts.length);
  noise.weights.forEach((weight, i) => {
    counts.forEach((term, k) => {
      one[i + k] = (one[i + k] as number) + weight * term;
    });
  });
  let sums = new Map([[0, 1]]);
  for (const weight of SIXTY_FOURTHS) {
    const next = new Map<number, number>();
    for (const [sum, p] of sums) {
      one.forEach((share, i) => {
        if (p * share < NEGLIGIBLE) return;
        const at = sum + weight * (noise.first + i);
        next.set(at, (next.get(at) ?? 0) + p * share);
      });
    }
    sums = next;
  }
  return (x) => {
    let total = 0;
    for (const [sum, p] of sums) {
      if (sum > 64 * x) total += p;
      else if (sum === 64 * x) total += p / 2;
    }
    return total;
  };
}

const counts = SIXTY_FOURTHS.map((weight) => ({ weight: weight / 64, factor: 1 }));
const mean = (rate: number): number => counts.reduce((sum, { weight }) => sum + weight * rate, 0);

describe.each<[string, NoiseLaw, readonly number[], number]>([
  ['wide Laplace noise', { mechanism: 'discrete-laplace', epsilon: 0.5 }, [0.02, 0.3, 2, 15], 0.03],
  ['narrow Laplace noise', { mechanism: 'discrete-laplace', epsilon: 2 }, [0.3, 2, 15], 0.08],
  ['Gaussian noise', { mechanism: 'discrete-gaussian', sigma2: 4 }, [0.02, 0.3, 2, 15], 0.03],
  ['no noise', { mechanism: 'none' }, [2, 15], 0.05],
])('the tail under %s', (_, law, rates, tolerance) => {
  it.each(rates)(
    'at rate %d agrees with the exact one from one in ten to one in a thousand',
    (rate) => {
      const tail = weightedTail(counts, { law, burst: 0, relativeVariance: 0 });
      const exact = exactTail(rate, law);
      let compared = 0;
      for (let x = Math.ceil(64 * mean(rate)) / 64; compared < 40; x += 1 / 8) {
        const want = exact(x);
        if (want > 0.1) continue;
        if (want < 0.001) break;
        compared++;
        expect(Math.abs(tail.at(Math.log(rate), x) / want - 1)).toBeLessThan(tolerance);
      }
      expect(compared).toBeGreaterThan(2);
    },
  );
});

describe('the tail', () => {
  it('is heavier where periods scatter more, and where the rate may have changed', () => {
    const law = { mechanism: 'discrete-laplace', epsilon: 1 } as const;
    const plain = weightedTail(counts, { law, burst: 0, relativeVariance: 0 }).at(Math.log(5), 6);
    const bursting = weightedTail(counts, { law, burst: 0.3, relativeVariance: 0 }).at(
      Math.log(5),
      6,
    );
    expect(bursting).toBeGreaterThan(1.5 * plain);
    const drifting = weightedTail(counts, { law, burst: 0, relativeVariance: 0.1 }).at(
      Math.log(5),
      6,
    );
    expect(drifting).toBeGreaterThan(1.5 * plain);
  });

  it('goes from one to nothing, also where nothing ever happens', () => {
    const tail = weightedTail(counts, {
      law: { mechanism: 'none' },
      burst: 0,
      relativeVariance: 0,
    });
    expect(tail.at(Math.log(4), -5)).toBe(1);
    expect(tail.at(Math.log(4), 500)).toBe(0);
    expect(tail.at(Number.NEGATIVE_INFINITY, 1)).toBe(0);
  });

  it('is averaged over a law of the rate point by point', () => {
    const { at, over } = weightedTail([{ weight: 1, factor: 1 }], {
      law: { mechanism: 'discrete-laplace', epsilon: 1 },
      burst: 0,
      relativeVariance: 0,
    });
    const logRates = Float64Array.from({ length: 60 }, (_, k) => (k - 40) * 0.15);
    const weights = new Float64Array(60).fill(1 / 60);
    const law = { logRates, weights, count: 60, step: 0.15, floor: Number.NEGATIVE_INFINITY };
    // Asked twice: the second time every place is remembered.
    for (const x of [2, 5, 2]) {
      const want = logRates.reduce((sum, logRate) => sum + at(logRate, x) / 60, 0);
      expect(over(law, x)).toBeCloseTo(want, 12);
      expect(over({ ...law, count: 0 }, x)).toBe(0);
    }
  });
});
