import { describe, expect, it } from '@jest/globals';
import { discreteLaplace, rational } from '#libs/dp';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { harm } from '../harm.js';
import { noiseVariance } from '../laws/pmf.js';
import { kernelSquares, smooth } from '../rates/empirical-bayes.js';
import { denoise, forecast } from './forecast.js';
import { rateInterval } from './forecast-interval.js';

const cells = disk(cellAt(51.5, -0.1, 9), 20);
const neighbours = neighbourLists(cells);
const middle = cells.indexOf(cellAt(51.5, -0.1, 9));
const month = (of: (i: number) => number): Float64Array =>
  Float64Array.from(cells, (_, i) => of(i));
const spiky = (i: number): number => (i % 97 === 0 ? 20 : i % 3 === 0 ? 1 : 0);

describe('smoothing', () => {
  it('has the squared kernel weights of an impulse', () => {
    const impulse = month((i) => (i === middle ? 1 : 0));
    for (const passes of [0, 1, 2, 8]) {
      const squares = smooth(impulse, passes, neighbours).reduce((sum, w) => sum + w * w, 0);
      expect(squares).toBeCloseTo(kernelSquares(passes), 12);
    }
    expect(kernelSquares(1)).toBeCloseTo(1 / 7, 14);
  });

  it('keeps a constant field', () => {
    const three = month(() => 3);
    expect(smooth(three, 5, neighbours)).toEqual(three);
  });
});

describe('forecast', () => {
  const periods = Array.from({ length: 12 }, () => month(spiky));

  it('returns what is there when there is no noise and no change', () => {
    const { mean, model } = forecast({ periods, noiseVariance: 0 }, neighbours);
    expect(model.step).toBe(0);
    cells.forEach((_, i) => {
      expect(Math.abs((mean[i] as number) - spiky(i))).toBeLessThan(0.2 + 0.1 * spiky(i));
    });
  });

  it('follows a level that moves more than the old months', () => {
    const moved = Array.from({ length: 12 }, (_, t) =>
      month((i) => (i % 5 === 0 ? (t < 6 ? 2 : 30) : i % 5 === 1 ? (t < 6 ? 30 : 2) : 6)),
    );
    const { mean, model } = forecast({ periods: moved, noiseVariance: 1 }, neighbours);
    expect(model.step).toBeGreaterThan(0);
    expect(mean[5]).toBeGreaterThan(20);
    expect(mean[6]).toBeLessThan(12);
  });

  it('trusts the all-crime release where the noise hides the category', () => {
    const noisy = periods.map((period, t) =>
      period.map((value, i) => value / 4 + 40 * Math.sin(i * 12.9898 + t * 78.233)),
    );
    const allCrime = { periods: periods.map((p) => p.map((v) => 10 * v)), noiseVariance: 1 };
    const { mean, prior } = forecast({ periods: noisy, noiseVariance: 800 }, neighbours, {
      allCrime,
    });
    expect(prior).toBe('all-crime');
    const top = [...mean.keys()].sort((a, b) => (mean[b] as number) - (mean[a] as number));
    const hot = top.slice(0, 10).filter((i) => i % 97 === 0);
    expect(hot.length).toBeGreaterThanOrEqual(9);
  });

  it('drops an all-crime release that misleads', () => {
    const wrong = {
      periods: periods.map((p) => p.map((_, i) => (i % 2 === 0 ? 50 : 0))),
      noiseVariance: 1,
    };
    const result = forecast({ periods, noiseVariance: 0.5 }, neighbours, { allCrime: wrong });
    expect(result.prior).toBe('own-map');
  });

  it('stands missing months: a cell known half the time keeps its rate', () => {
    const gaps = periods.map((period, t) =>
      period.map((value, i) => (t % 2 === 0 && i % 2 === 0 ? Number.NaN : value)),
    );
    const { mean } = forecast({ periods: gaps, noiseVariance: 0.1 }, neighbours);
    expect(Math.abs((mean[97 * 2] as number) - 20)).toBeLessThan(4);
    const all = denoise({ periods: gaps, noiseVariance: 0.1 }, neighbours);
    expect(all.every(Number.isFinite)).toBe(true);
  });

  it('is less sure further ahead, and its interval holds its mean', () => {
    const drifting = Array.from({ length: 12 }, (_, t) => month((i) => 5 + ((i * 7 + t * t) % 11)));
    const release = { periods: drifting, noiseVariance: 1 };
    const near = forecast(release, neighbours, { horizon: 1 });
    const far = forecast(release, neighbours, { horizon: 4 });
    expect(far.rateVariance[3]).toBeGreaterThanOrEqual(near.rateVariance[3] as number);
    expect(near.cellVariance[3]).toBeLessThan(near.rateVariance[3] as number);
    const { low, high } = rateInterval(near, 0.95);
    near.mean.forEach((mean, i) => {
      expect(low[i]).toBeLessThanOrEqual(mean);
      expect(high[i]).toBeGreaterThanOrEqual(mean);
    });
  });

  it('has the same interval where its coverage was named before, and another where another was', () => {
    const law = { mechanism: 'discrete-laplace', epsilon: 1 } as const;
    const periods = Array.from({ length: 12 }, (_, t) => month((i) => (i * 7 + t * t) % 11));
    const release = { periods, noiseVariance: noiseVariance(law), law };
    const known = forecast(release, neighbours, { coverage: 0.9 });
    const plain = forecast(release, neighbours);
    expect(rateInterval(known, 0.9)).toEqual(rateInterval(plain, 0.9));
    expect(rateInterval(known, 0.8)).toEqual(rateInterval(plain, 0.8));
    expect(known.mean).toEqual(plain.mean);
    expect(() => forecast(release, neighbours, { coverage: 1 })).toThrow('coverage');
  });

  it('leaves what all cells share out of the variance that is each cell’s own', () => {
    // Totals that swing for all cells alike: nothing that tells one cell from another.
    const swinging = Array.from({ length: 12 }, (_, t) =>
      month((i) => (5 + (i % 7)) * (1 + (t % 2))),
    );
    const { cellVariance, rateVariance, course } = forecast(
      { periods: swinging, noiseVariance: 1 },
      neighbours,
    );
    expect(course.ahead(1).variance).toBeGreaterThan(0.01);
    expect(cellVariance[3]).toBeLessThan((rateVariance[3] as number) / 2);
  });

  describe('the prior', () => {
    const random = seededRandom('noise of two releases');
    const noise = discreteLaplace({ scale: rational(10n) });
    const released = (rate: (i: number) => number) => ({
      periods: Array.from({ length: 12 }, () => {
        const drawn = new Int32Array(neighbours.degrees.length);
        noise.sampleInto(drawn, random);
        return Float64Array.from(drawn, (value, i) => value + rate(i));
      }),
      noiseVariance: 200,
    });
    const places = (i: number) => (i % 97 === 0 ? 200 : 0);

    it('stays the all-crime map where nothing but noise speaks for the own one', () => {
      for (let draw = 0; draw < 10; draw++) {
        const allCrime = released(places);
        expect(
          forecast(
            released(() => 0),
            neighbours,
            { allCrime },
          ).prior,
        ).toBe('all-crime');
      }
    });

    it('is the own map where all crime is elsewhere', () => {
      const allCrime = released(places);
      const release = released((i) => (i > 600 && i < 700 ? 60 : 0));
      expect(forecast(release, neighbours, { allCrime }).prior).toBe('own-map');
    });
  });

  it('refuses what it cannot read', () => {
    const release = { periods, noiseVariance: 1 };
    expect(() => forecast(release, neighbours, { horizon: 5 })).toThrow(/1 to 4/);
    expect(() => forecast({ periods: [], noiseVariance: 1 }, neighbours)).toThrow(/every period/);
    expect(() => forecast({ periods, noiseVariance: -1 }, neighbours)).toThrow(/variance/);
    expect(() =>
      forecast(release, neighbours, { allCrime: { periods: periods.slice(1), noiseVariance: 1 } }),
    ).toThrow(/same periods/);
  });
});

describe('harm', () => {
  it('weights denoised counts and squares the weights in the variance', () => {
    const release = { periods: Array.from({ length: 6 }, () => month(spiky)), noiseVariance: 0 };
    const one = harm([{ weight: 1, release }], neighbours);
    const ten = harm([{ weight: 10, release }], neighbours);
    expect(ten.harm[97]).toBeCloseTo(10 * (one.harm[97] as number), 8);
    expect(ten.variance[97]).toBeCloseTo(100 * (one.variance[97] as number), 6);
    expect(() => harm([{ weight: -1, release }], neighbours)).toThrow(/weight/);
  });
});
