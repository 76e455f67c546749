import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import {
  addNoise,
  discreteGaussian,
  discreteGaussianMoments,
  discreteLaplace,
  drawNoise,
  exactCounts,
  MAX_SCALE,
  MAX_SIGMA2,
  type NoiseSampler,
  rational,
} from './index.js';

const fixed = (value: number): NoiseSampler => ({ sampleInto: (out) => void out.fill(value) });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('noise', () => {
  it('is added once, keeps negative results and refuses to wrap', () => {
    const random = seededRandom('noise');
    const noise = drawNoise(3, fixed(-5), random);
    expect([...addNoise(exactCounts([0, 5, 9]), noise)]).toEqual([-5, 0, 4]);
    expect(() => addNoise(exactCounts([0, 5, 9]), noise)).toThrow(code('noise-reused'));
    expect(() => addNoise(exactCounts([1]), drawNoise(2, fixed(0), random))).toThrow(
      code('length-mismatch'),
    );
    expect(() => addNoise(exactCounts([0x7fffffff]), drawNoise(1, fixed(1), random))).toThrow(
      code('count-overflow'),
    );
    expect(() => drawNoise(-1, fixed(0), random)).toThrow(code('bad-length'));
  });

  it.each([[[-1]], [[0.5]], [[Number.NaN]], [[2 ** 31]], [[-0.1]]])(
    'is never added to a count like %j',
    (counts) => {
      expect(() => exactCounts(counts)).toThrow(code('bad-count'));
    },
  );

  it('refuses parameters without a distribution or too wide for a table', () => {
    for (const num of [0n, -1n]) {
      expect(() => discreteGaussian({ sigma2: rational(num) })).toThrow(code('bad-variance'));
      expect(() => discreteLaplace({ scale: rational(num) })).toThrow(code('bad-scale'));
    }
    expect(() => discreteGaussian({ sigma2: rational(MAX_SIGMA2 + 1n) })).toThrow(
      code('parameter-too-wide'),
    );
    expect(() => discreteLaplace({ scale: rational(MAX_SCALE + 1n) })).toThrow(
      code('parameter-too-wide'),
    );
  });

  it('has the moments of the discrete Gaussian', () => {
    const one = discreteGaussianMoments({ sigma2: rational(1n) });
    expect(one.probabilityOfZero).toBeCloseTo(0.3989422782668617, 15);
    expect(one.variance).toBeCloseTo(0.9999997887677281, 14);
    expect(discreteGaussianMoments({ sigma2: rational(1n, 9n) }).probabilityOfZero).toBeCloseTo(
      0.9782648877002001,
      15,
    );
  });
});

describe('the brand of noisy counts', () => {
  it('is put on in one file only: no other source casts to it', () => {
    const root = new URL('../../../', import.meta.url);
    const offenders: string[] = [];
    for (const area of ['libs', 'apps']) {
      for (const name of readdirSync(new URL(area, root), { recursive: true, encoding: 'utf8' })) {
        if (!/\.tsx?$/.test(name) || /spec\.ts$/.test(name) || name.includes('node_modules'))
          continue;
        if (`${area}/${name}` === 'libs/dp/src/count.ts') continue;
        const text = readFileSync(new URL(`${area}/${name}`, root), 'utf8');
        if (/as\s+(unknown\s+as\s+)?NoisyCounts\b(?!,|\s*\})/.test(text)) offenders.push(name);
      }
    }
    expect(offenders).toEqual([]);
  });
});
