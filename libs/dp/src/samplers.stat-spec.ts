import { describe, expect, it, jest } from '@jest/globals';
import { chiSquarePValue, seededRandom } from '#libs/testing';
import {
  discreteGaussian,
  discreteLaplace,
  type NoiseSampler,
  parseRational,
  referenceGaussian,
  referenceLaplace,
} from './index.js';

/**
 * Chi-square of every sampler against the exact probabilities. False alarm: alpha = 1e-6 for each assertion (the seeds are
 * fixed, so a pass stays a pass). 10^6 draws; 10^8 of the table samplers with CONCORDAT_NIGHTLY=1.
 */
const ALPHA = 1e-6;
const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
if (NIGHTLY) jest.setTimeout(30 * 60_000);
const DRAWS = NIGHTLY ? 10 ** 8 : 10 ** 6;
const REFERENCE_DRAWS = NIGHTLY ? 10 ** 7 : 10 ** 5;

const number = (text: string): number => {
  const { num, den } = parseRational(text);
  return Number(num) / Number(den);
};

function gaussianProbability(sigma2: string): (x: number) => number {
  const weight = (x: number) => Math.exp((-x * x) / (2 * number(sigma2)));
  let total = 1;
  for (let x = 1; x < 40 * Math.sqrt(number(sigma2)) + 10; x++) total += 2 * weight(x);
  return (x) => weight(x) / total;
}

function laplaceProbability(scale: string): (x: number) => number {
  const t = number(scale);
  return (x) => Math.tanh(1 / (2 * t)) * Math.exp(-Math.abs(x) / t);
}

function pValue(
  sampler: NoiseSampler,
  seed: string,
  count: number,
  probability: (x: number) => number,
  deviation: number,
): number {
  const draws = new Int32Array(count);
  sampler.sampleInto(draws, seededRandom(seed));
  return chiSquarePValue(draws, probability, Math.ceil(12 * deviation) + 2);
}

describe('discrete Gaussian against its exact probabilities', () => {
  it.each(['1/9', '1', '7/3', '4', '200/29', '400/3', '10000'])('table, sigma^2 = %s', (sigma2) => {
    const sampler = discreteGaussian({ sigma2: parseRational(sigma2) });
    const deviation = Math.sqrt(number(sigma2));
    const probability = gaussianProbability(sigma2);
    expect(pValue(sampler, `table ${sigma2}`, DRAWS, probability, deviation)).toBeGreaterThan(
      ALPHA,
    );
  });

  it.each(['1/9', '7/3', '400/3'])('CKS20 reference, sigma^2 = %s', (sigma2) => {
    const sampler = referenceGaussian({ sigma2: parseRational(sigma2) });
    const deviation = Math.sqrt(number(sigma2));
    const probability = gaussianProbability(sigma2);
    const p = pValue(sampler, `reference ${sigma2}`, REFERENCE_DRAWS, probability, deviation);
    expect(p).toBeGreaterThan(ALPHA);
  });

  it('mutant: sigma 10 % short fails the same check', () => {
    const short = discreteGaussian({ sigma2: parseRational('81/25') });
    expect(pValue(short, 'table 4', DRAWS, gaussianProbability('4'), 2)).toBeLessThan(ALPHA);
  });

  it('mutant: rounded floating-point normals [Mir12] fail the same check', () => {
    const boxMuller: NoiseSampler = {
      sampleInto(out, random) {
        const words = new Uint32Array(2 * out.length);
        random.fillWords(words);
        for (let i = 0; i < out.length; i++) {
          const radius = Math.sqrt(-2 * Math.log(((words[2 * i] as number) + 1) / 2 ** 32));
          const angle = (2 * Math.PI * (words[2 * i + 1] as number)) / 2 ** 32;
          out[i] = Math.round(2 * radius * Math.cos(angle));
        }
      },
    };
    expect(pValue(boxMuller, 'float', 10 ** 6, gaussianProbability('4'), 2)).toBeLessThan(ALPHA);
  });
});

describe('discrete Laplace against its exact probabilities', () => {
  it.each(['1/5', '1', '10', '2000'])('table, scale %s', (scale) => {
    const sampler = discreteLaplace({ scale: parseRational(scale) });
    const p = pValue(
      sampler,
      `laplace ${scale}`,
      DRAWS,
      laplaceProbability(scale),
      2 * number(scale),
    );
    expect(p).toBeGreaterThan(ALPHA);
  });

  it.each(['10', '3/2'])('CKS20 reference, scale %s', (scale) => {
    const sampler = referenceLaplace({ scale: parseRational(scale) });
    const p = pValue(
      sampler,
      `reference ${scale}`,
      REFERENCE_DRAWS,
      laplaceProbability(scale),
      2 * number(scale),
    );
    expect(p).toBeGreaterThan(ALPHA);
  });
});

describe('independence of releases', () => {
  /** Difference of two releases of the same counts: N_Z * N_Z, whose probabilities are summed here. */
  const difference = (() => {
    const one = gaussianProbability('4');
    const table = new Map<number, number>();
    for (let d = -40; d <= 40; d++) {
      let sum = 0;
      for (let x = -60; x <= 60; x++) sum += one(x) * one(x - d);
      table.set(d, sum);
    }
    return (d: number) => table.get(d) ?? 0;
  })();
  const release = (seed: string): Int32Array => {
    const out = new Int32Array(200_000);
    discreteGaussian({ sigma2: parseRational('4') }).sampleInto(out, seededRandom(seed));
    return out;
  };
  const check = (first: Int32Array, second: Int32Array): number =>
    chiSquarePValue(
      first.map((x, i) => x - (second[i] as number)),
      difference,
      38,
    );

  it('holds for two draws, and fails for the mutant that reuses its seed', () => {
    expect(check(release('first'), release('second'))).toBeGreaterThan(ALPHA);
    expect(check(release('first'), release('first'))).toBeLessThan(ALPHA);
  });
});
