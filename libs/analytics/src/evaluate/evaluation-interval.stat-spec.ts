/**
 * Coverage of the intervals of evaluated effects, and sizes and power once more, over settings written down before any figure was
 * looked at and on which nothing was revised: epsilon 0.1, 0.5, 1, 2; small areas (20 incidents in the treated area before, 25 in the
 * comparison, 10 and 12 around them) and large ones (twenty times as many); no change, 30 % less, 20 % more. WDD adds eight released
 * counts, difference-in-differences 12 + 12 months, synthetic control has 19 donors, 12 months before and 6 after. Coverage lies in
 * 93 to 97 %, sizes in their bounds, both widened by 4.9 binomial standard errors (false-alarm probability 1e-6 per assertion). CONCORDAT_NIGHTLY=1 takes
 * ten times as many worlds and prints a line a setting.
 */
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { seededRandom } from '#libs/testing';
import { noiseVariance } from '../laws/pmf.js';
import { poissonDraws } from '../laws/random-variates.js';
import { differenceInDifferences, power } from './intervention.js';
import { placeboTest } from './synthetic-control.js';
import { weightedDisplacement } from './weighted-displacement.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
const WORLDS = NIGHTLY ? 20_000 : 2000;
const SERIES_WORLDS = NIGHTLY ? 8000 : 800;
const PLACEBO_WORLDS = NIGHTLY ? 1000 : 40;
const tolerance = (share: number, n: number): number => 4.9 * Math.sqrt((share * (1 - share)) / n);
const shareOf = (list: readonly boolean[]): number => list.filter(Boolean).length / list.length;
const AREAS = { small: 1, large: 20 } as const;

const settings = [
  [0.1, 1n],
  [0.5, 5n],
  [1, 10n],
  [2, 20n],
].flatMap(([epsilon, tenths]) =>
  (['small', 'large'] as const).flatMap((area) =>
    [0, -0.3, 0.2].map((change) => ({
      epsilon: Number(epsilon),
      tenths: BigInt(tenths as bigint),
      area,
      change,
    })),
  ),
);

describe.each(settings)('epsilon $epsilon, $area areas, change $change', (setting) => {
  const { epsilon, tenths, area, change } = setting;
  const times = AREAS[area];
  const law = { mechanism: 'discrete-laplace', epsilon } as const;
  const sampler = discreteLaplace({ scale: rational(10n, tenths) });
  const variance = noiseVariance(law);
  const random = seededRandom(`intervals ${epsilon} ${area} ${change}`);
  const released = (means: Float64Array): Float64Array => {
    const noise = new Int32Array(means.length);
    sampler.sampleInto(noise, random);
    return poissonDraws(means, random).map((count, i) => count + (noise[i] as number));
  };
  const report = (method: string, held: number, found: number): void => {
    if (NIGHTLY) {
      const line = { method, epsilon, area, change, held, found };
      process.stderr.write(`${JSON.stringify(line)}\n`);
    }
  };
  const expectHeld = (held: number, worlds: number): void => {
    expect(held).toBeGreaterThan(0.93 - tolerance(0.93, worlds));
    expect(held).toBeLessThan(0.97 + tolerance(0.97, worlds));
  };

  it('WDD', () => {
    const treated = 20 * times;
    const [t, u, c, d, e, f, g, h] = [
      treated,
      treated * (1 + change),
      25 * times,
      25 * times,
      10 * times,
      10 * times,
      12 * times,
      12 * times,
    ];
    const means = Float64Array.of(t, u, c, d, e, f, g, h);
    const results = Array.from({ length: WORLDS }, () => {
      const counts = released(means);
      const at = (i: number): number => counts[i] as number;
      return weightedDisplacement(
        {
          treatedBefore: at(0),
          treatedAfter: at(1),
          controlBefore: at(2),
          controlAfter: at(3),
          displacementBefore: at(4),
          displacementAfter: at(5),
          displacementControlBefore: at(6),
          displacementControlAfter: at(7),
        },
        { law, terms: 8 },
      );
    });
    const effect = treated * change;
    const held = shareOf(results.map(({ low, high }) => low <= effect && effect <= high));
    const found = shareOf(results.map(({ p }) => p <= 0.05));
    report('wdd', held, found);
    expectHeld(held, WORLDS);
    if (change === 0) {
      expect(found).toBeGreaterThan(0.045 - tolerance(0.045, WORLDS));
      expect(found).toBeLessThan(0.055 + tolerance(0.055, WORLDS));
    } else {
      const promised = power({
        treated,
        control: 25 * times,
        change,
        noiseVariance: 8 * variance + 44 * times,
      });
      expect(Math.abs(found - promised)).toBeLessThan(0.03 + tolerance(promised, WORLDS));
    }
  });

  it('difference-in-differences', () => {
    const month = (mean: number, after: number): Float64Array =>
      Float64Array.from({ length: 24 }, (_, t) => (t < 12 ? mean : after));
    const mean = (20 * times) / 12;
    const treated = month(mean, mean * (1 + change));
    const control = month((25 * times) / 12, (25 * times) / 12);
    const series = (means: Float64Array) => ({
      counts: released(means),
      noiseVariance: variance,
      law,
    });
    const results = Array.from({ length: SERIES_WORLDS }, () =>
      differenceInDifferences(series(treated), series(control), 12),
    );
    const held = shareOf(
      results.map(({ low, high }) => low <= mean * change && mean * change <= high),
    );
    const found = shareOf(results.map(({ p }) => p <= 0.05));
    report('difference-in-differences', held, found);
    expectHeld(held, SERIES_WORLDS);
    if (change === 0) {
      expect(found).toBeGreaterThan(0.03 - tolerance(0.03, SERIES_WORLDS));
      expect(found).toBeLessThan(0.07 + tolerance(0.07, SERIES_WORLDS));
    }
  });

  it('synthetic control', () => {
    const mean = (20 * times) / 12;
    const still = new Float64Array(18).fill(mean);
    const treated = still.map((rate, t) => (t < 12 ? rate : rate * (1 + change)));
    const results = Array.from({ length: PLACEBO_WORLDS }, () => {
      const donors = Array.from({ length: 19 }, () => released(still));
      return placeboTest(released(treated), donors, 12);
    });
    const held = shareOf(
      results.map(({ low, high }) => low <= mean * change && mean * change <= high),
    );
    const found = shareOf(results.map(({ p }) => p <= 0.05));
    report('synthetic control', held, found);
    expectHeld(held, PLACEBO_WORLDS);
    if (change === 0) expect(found).toBeLessThan(0.07 + tolerance(0.07, PLACEBO_WORLDS));
    // Zero lies outside exactly where the placebo rank rejects.
    for (const { p, low, high } of results) {
      expect(p <= 0.05).toBe(!(low <= 0 && 0 <= high));
    }
  });
});
