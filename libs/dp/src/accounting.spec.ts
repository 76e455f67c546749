import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expNegative } from './fixed-point.js';
import {
  addRational,
  answerEvents,
  calibrateGaussian,
  compareRational,
  deltaAtEpsilon,
  divideRational,
  epsilonAtDelta,
  eventRho,
  formatRational,
  INCIDENT_BOUNDS,
  levelVariances,
  multiplyRational,
  type PrivacyEvent,
  parseRational,
  parseRho,
  type Rational,
  rational,
  rationalFromNumber,
  subtractRational,
  sumRationals,
  ZERO,
  zcdpEpsilon,
} from './index.js';

const gaussian = (sigma2: string, count = 1, sensitivity = 1): PrivacyEvent => ({
  mechanism: 'discrete-gaussian',
  sigma2: parseRational(sigma2),
  sensitivity,
  count,
});
const laplace = (scale: string, count = 1, sensitivity = 1): PrivacyEvent => ({
  mechanism: 'discrete-laplace',
  scale: parseRational(scale),
  sensitivity,
  count,
});
const code = (expected: string) => expect.objectContaining({ code: expected });

/** The reference: probabilities as 256-bit integers, losses as rationals, plain sums; for small compositions only. */
const BITS = 256;
type Exact = Map<string, bigint>;

function exactEvent(event: PrivacyEvent): Exact {
  const s = event.sensitivity;
  const isGaussian = event.mechanism === 'discrete-gaussian';
  const parameter = isGaussian ? event.sigma2 : event.scale;
  const size = Number(parameter.num) / Number(parameter.den);
  const reach = Math.ceil(isGaussian ? 12 * Math.sqrt(size) : 75 * size) + s;
  const exponent = (x: number): Rational =>
    isGaussian
      ? divideRational(rational(BigInt(x * x)), multiplyRational(rational(2n), parameter))
      : divideRational(rational(BigInt(Math.abs(x))), parameter);
  const result: Exact = new Map();
  let total = 0n;
  for (let x = -reach; x <= reach; x++) {
    const weight = expNegative(exponent(x), BITS).lo;
    total += weight;
    const loss = formatRational(subtractRational(exponent(x - s), exponent(x)));
    result.set(loss, (result.get(loss) ?? 0n) + weight);
  }
  for (const [loss, weight] of result) result.set(loss, (weight << BigInt(BITS)) / total);
  return result;
}

function exactComposition(events: readonly PrivacyEvent[]): Exact {
  let composed: Exact = new Map([['0', 1n << BigInt(BITS)]]);
  for (const event of events) {
    const one = exactEvent(event);
    for (let i = 0; i < event.count; i++) {
      const next: Exact = new Map();
      for (const [a, p] of composed) {
        for (const [b, q] of one) {
          const loss = formatRational(addRational(parseRational(a), parseRational(b)));
          next.set(loss, (next.get(loss) ?? 0n) + ((p * q) >> BigInt(BITS)));
        }
      }
      composed = next;
    }
  }
  return composed;
}

function exactDelta(events: readonly PrivacyEvent[], epsilon: Rational): number {
  let delta = 0n;
  for (const [loss, p] of exactComposition(events)) {
    const above = subtractRational(parseRational(loss), epsilon);
    if (compareRational(above, ZERO) > 0) {
      delta += p - ((p * expNegative(above, BITS).lo) >> BigInt(BITS));
    }
  }
  return Number(delta >> BigInt(BITS - 200)) / 2 ** 200;
}

describe('privacy-loss accounting', () => {
  it('reproduces the known figures', () => {
    const one = deltaAtEpsilon([gaussian('1')], 1);
    expect(one.upper).toBeGreaterThanOrEqual(0.1413513394056219);
    expect(one.upper / 0.1413513394056219 - 1).toBeLessThan(1e-12);
    // Not the continuous Gaussian: 0.12693673750664 would be too low.
    expect(one.lower).toBeGreaterThan(0.12693673750664);
    // sigma = 2, six times, delta 1e-6: the continuous formula says 6.165.
    const six = epsilonAtDelta([gaussian('4', 6)], 1e-6);
    expect(six.upper).toBeCloseTo(6.175, 3);
    expect(six.lower).toBeGreaterThan(6.17);
  });

  it.each<[PrivacyEvent[], string]>([
    [[gaussian('1')], '1'],
    [[gaussian('1/9')], '3'],
    [[gaussian('7/3', 2)], '1/2'],
    [[gaussian('4', 3)], '9/4'],
    [[gaussian('4', 1, 3)], '2'],
    [[gaussian('25', 1, 2), gaussian('9', 2)], '3/2'],
    [[laplace('10', 2)], '1/10'],
    [[laplace('3/2', 1, 4), laplace('2')], '2'],
    [[gaussian('4', 2), laplace('10', 2)], '3/2'],
    [[gaussian('4'), laplace('3/2'), gaussian('5/2')], '1'],
  ])('encloses the exact delta of composition %#', (events, epsilon) => {
    const exact = exactDelta(events, parseRational(epsilon));
    const [num, den] = epsilon.split('/').map(Number);
    const bound = deltaAtEpsilon(events, (num ?? 0) / (den ?? 1));
    expect(bound.lattice).toBe('exact');
    expect(bound.upper).toBeGreaterThanOrEqual(exact);
    expect(bound.lower).toBeLessThanOrEqual(exact * (1 + 1e-14));
    expect(bound.upper / bound.lower - 1).toBeLessThan(1e-9);
  });

  it('gives an epsilon at which the exact delta holds, and just below which it does not', () => {
    const events = fc.array(
      fc.record({
        sigma2: fc.constantFrom('1', '2', '4', '8', '1/2'),
        sensitivity: fc.integer({ min: 1, max: 2 }),
      }),
      { minLength: 1, maxLength: 2 },
    );
    fc.assert(
      fc.property(events, fc.constantFrom(1e-2, 1e-4, 1e-7), (drawn, delta) => {
        const list = drawn.map(({ sigma2, sensitivity }) => gaussian(sigma2, 1, sensitivity));
        const { upper } = epsilonAtDelta(list, delta);
        expect(exactDelta(list, rationalFromNumber(upper))).toBeLessThanOrEqual(delta);
        if (upper > 0) {
          const below = rationalFromNumber(upper * (1 - 1e-6));
          expect(exactDelta(list, below)).toBeGreaterThan(delta);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('agrees between the exact lattice and the grid within 0.01 %, the grid above', () => {
    // The same mechanisms, once on their lattice, once with one more whose tiny loss spoils the lattice.
    const events = [gaussian('50', 20), gaussian('80', 15), gaussian('100', 30)];
    const exact = epsilonAtDelta(events, 1e-6);
    const spoilt = epsilonAtDelta([...events, gaussian('999999937')], 1e-6);
    expect([exact.lattice, spoilt.lattice]).toEqual(['exact', 'grid']);
    expect(spoilt.upper).toBeGreaterThan(exact.lower);
    expect(spoilt.upper / exact.upper - 1).toBeLessThan(1e-4);
    expect(spoilt.lower).toBeLessThanOrEqual(exact.upper * (1 + 1e-6));
  });

  it('is tighter than zCDP, adds up over splits and grows with every event', () => {
    const events = [gaussian('4', 6), gaussian('7/3')];
    const rho = sumRationals(events.map((event) => eventRho(event) ?? ZERO));
    const { upper } = epsilonAtDelta(events, 1e-6);
    expect(upper).toBeLessThan(zcdpEpsilon(rho, 1e-6));
    const split = [gaussian('4', 2), gaussian('7/3'), gaussian('4', 4)];
    expect(epsilonAtDelta(split, 1e-6).upper).toBe(upper);
    expect(epsilonAtDelta([...events, laplace('100')], 1e-6).lower).toBeGreaterThan(upper);
  });

  it('keeps its accuracy for very small delta', () => {
    const tiny = epsilonAtDelta([gaussian('10', 20)], 1e-60);
    expect(tiny.upper / tiny.lower - 1).toBeLessThan(1e-8);
    expect(tiny.upper).toBeLessThan(zcdpEpsilon(rational(1n), 1e-60));
    expect(deltaAtEpsilon([gaussian('10', 20)], tiny.upper).upper / 1e-60).toBeCloseTo(1, 6);
  });

  it('accounts for the worst person of an answer at every level', () => {
    const levels = levelVariances({
      rho: parseRho('1/8'),
      finest: 9,
      l2SensitivitySquared: 1n,
    });
    const { upper } = epsilonAtDelta(answerEvents(levels, INCIDENT_BOUNDS, 1), 1e-6);
    expect(upper).toBeLessThan(zcdpEpsilon(parseRho('1/8'), 1e-6));
    expect(upper).toBeGreaterThan(0.9 * zcdpEpsilon(parseRho('1/8'), 1e-6));
  });

  it('caps discrete Laplace at its pure epsilon', () => {
    expect(epsilonAtDelta([laplace('10', 2)], 1e-30).upper).toBeLessThanOrEqual(0.2 + 1e-16);
    expect(deltaAtEpsilon([laplace('10', 2)], 0.25)).toEqual({
      upper: 0,
      lower: 0,
      lattice: 'exact',
    });
    expect(epsilonAtDelta([], 1e-6).upper).toBe(0);
  });

  it('survives extreme parameters', () => {
    // Two atoms at -1000 and 1000: delta = 1 - exp(epsilon - 1000) but for exp(-1000).
    expect(epsilonAtDelta([laplace('1/1000')], 1e-6).upper).toBeCloseTo(
      1000 + Math.log1p(-1e-6),
      9,
    );
    expect(deltaAtEpsilon([gaussian('1000000')], 5).upper).toBeLessThan(1e-280);
    expect(deltaAtEpsilon([gaussian('1/1000')], 3).upper).toBe(1);
    expect(epsilonAtDelta([laplace('1000000000')], 1e-6).upper).toBe(0);
    const rareAndFar = epsilonAtDelta([laplace('1/10'), gaussian('1000000')], 1e-6);
    expect(rareAndFar.upper).toBeGreaterThan(10);
    expect(rareAndFar.upper / 10.003 - 1).toBeLessThan(1e-3);
  });

  it('refuses senseless events and targets', () => {
    expect(() => epsilonAtDelta([gaussian('1')], 0)).toThrow(code('bad-delta'));
    expect(() => epsilonAtDelta([gaussian('1')], Number.NaN)).toThrow(code('bad-delta'));
    expect(() => deltaAtEpsilon([gaussian('1')], -1)).toThrow(code('bad-epsilon'));
    for (const bad of [
      gaussian('-1'),
      gaussian('0'),
      gaussian('1', 0),
      gaussian('1', 1.5),
      gaussian('1', 1, 0),
      laplace('1', 1, 0.5),
      gaussian('1073741825'),
    ]) {
      expect(() => epsilonAtDelta([bad], 1e-6)).toThrow(code('bad-event'));
    }
    expect(() => epsilonAtDelta([gaussian('1', 1_000_001)], 1e-6)).toThrow(code('too-many-events'));
  });
});

describe('conversion of zCDP [CKS20, Proposition 12]', () => {
  it('reproduces the known figures and is never below the exact one', () => {
    expect(zcdpEpsilon(parseRho('1/32'), 1e-3)).toBe(0.6880024554878086);
    expect(zcdpEpsilon(parseRho('1/2'), 1e-6)).toBe(5.221534444530169);
  });

  it('is below every other choice of alpha, and grows with rho and 1 / delta', () => {
    const atAlpha = (alpha: number, rho: number, delta: number) =>
      alpha * rho +
      (-Math.log(delta) + alpha * Math.log1p(-1 / alpha) - Math.log(alpha - 1)) / (alpha - 1);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 1e-12, max: 0.1, noNaN: true }),
        fc.double({ min: 1.001, max: 1000, noNaN: true }),
        (thousandths, delta, alpha) => {
          const epsilon = zcdpEpsilon(rational(BigInt(thousandths), 1000n), delta);
          const other = atAlpha(alpha, thousandths / 1000, delta);
          expect(epsilon).toBeLessThanOrEqual(Math.max(0, other) + 1e-12 * (1 + Math.abs(other)));
          expect(
            zcdpEpsilon(rational(BigInt(thousandths + 1), 1000n), delta),
          ).toBeGreaterThanOrEqual(epsilon);
        },
      ),
    );
    expect(() => zcdpEpsilon(parseRho('1/8'), 1)).toThrow(code('bad-delta'));
  });
});

describe('calibration', () => {
  it.each([
    [1, 1e-6, 1],
    [0.5, 1e-3, 2],
    [8, 1e-9, 1],
  ])('is the smallest on the grid: epsilon %p, delta %p, sensitivity %p', (epsilon, delta, s) => {
    const sigma2 = calibrateGaussian({ epsilon, delta, sensitivity: s });
    const at = (value: Rational) =>
      deltaAtEpsilon([gaussian(formatRational(value), 1, s)], epsilon);
    expect(at(sigma2).upper).toBeLessThanOrEqual(delta);
    expect(at(subtractRational(sigma2, rational(1n, 1024n))).upper).toBeGreaterThan(delta);
    expect(multiplyRational(sigma2, rational(1024n)).den).toBe(1n);
  });
});
