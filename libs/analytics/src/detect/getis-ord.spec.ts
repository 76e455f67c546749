import { describe, expect, it } from '@jest/globals';
import { cellAt, disk, neighbourLists } from '#libs/grid';
import { seededRandom } from '#libs/testing';
import { giStar, giStarOnGrid } from './getis-ord.js';
import { moran, moranPermutation } from './moran.js';
import { type WeightTriple, weightsFromTriples } from './spatial-weights.js';

const VALUES = Float64Array.of(3, 0, 1, 9, 4, 4, -2, 7, 15, 1, 0, 2);

/** Rook neighbours on three rows of four places. */
const ROOK: WeightTriple[] = VALUES.reduce<WeightTriple[]>((triples, _, i) => {
  if (i % 4 < 3) triples.push([i, i + 1, 1], [i + 1, i, 1]);
  if (i < 8) triples.push([i, i + 4, 1], [i + 4, i, 1]);
  return triples;
}, []);

// The formulas of esda 2.6 (G_Local with transform 'B', Moran) evaluated with numpy on the same values and weights.
const G_STAR = [
  -0.5654284703936462, -0.8656320240667613, -0.8656320240667613, 0.8481427055904692,
  1.4715744409134945, -1.4070942980360588, -1.0346281603206313, 0.17312640481335237,
  1.272214058385704, 0.6925056192534091, -1.7745456493368608, -0.2827142351968231,
];
/** The same with weight 2 on the diagonal. */
const G_STAR_TWICE = [
  -0.4580494125148258, -0.9881297985468058, -0.8925043341713085, 1.1124057161074343,
  1.1156304177141358, -1.0430776093764842, -1.3275533210246162, 0.4462521670856544,
  1.9957867259574558, 0.2550012383346597, -1.6575080491752872, -0.35989596697593457,
];
const G = [
  -0.5465052519444914, -0.5646597025732799, -0.6575223461696631, 0.27675936240866555,
  1.5183715923452794, -1.4633511907200667, -0.6471346832215257, -0.15315294598268225,
  -0.06593804733957864, 1.0115728402610202, -1.5528141820765198, -0.10120088237640555,
];

const expectClose = (have: Float64Array, want: readonly number[]): void => {
  expect(have.length).toBe(want.length);
  have.forEach((value, i) => {
    expect(value).toBeCloseTo(want[i] as number, 12);
  });
};

describe('giStar', () => {
  it('equals the reference with the place itself', () => {
    expectClose(giStar(VALUES, weightsFromTriples(12, ROOK, true), true), G_STAR);
  });

  it('equals the reference without the place itself', () => {
    expectClose(giStar(VALUES, weightsFromTriples(12, ROOK, false), false), G);
  });

  it('takes the weight that a row gives its own place in the place of 1 with star, and passes it over without', () => {
    const own = (weight: number) => Array.from(VALUES, (_, i): WeightTriple => [i, i, weight]);
    const rows = (triples: readonly WeightTriple[], star: boolean) =>
      giStar(VALUES, weightsFromTriples(12, [...ROOK, ...triples], star), star);
    expectClose(rows(own(1), true), G_STAR);
    expectClose(rows(own(1).slice(0, 5), true), G_STAR);
    expectClose(rows(own(7), false), G);
    expectClose(rows(own(2), true), G_STAR_TWICE);
  });

  it('does not change when a constant is added or the values are scaled', () => {
    const moved = VALUES.map((value) => 1e6 + 3 * value);
    expectClose(
      giStar(moved, weightsFromTriples(12, ROOK, true), true).map((z) => +z.toFixed(9)),
      [...giStar(VALUES, weightsFromTriples(12, ROOK, true), true).map((z) => +z.toFixed(9))],
    );
  });

  it('refuses a weight given twice, or for a place that is not there', () => {
    const twice: WeightTriple[] = [
      [0, 1, 1],
      [0, 1, 1],
    ];
    expect(() => weightsFromTriples(2, twice, true)).toThrow(/for the places \[0, 1\]/);
    expect(() => weightsFromTriples(2, [[0, 2, 1]], false)).toThrow(/counted from 0/);
    expect(() => giStar(Float64Array.of(1, 2), weightsFromTriples(2, [], true), true)).toThrow(
      /three places/,
    );
  });
});

describe('giStarOnGrid', () => {
  const cells = disk(cellAt(51.45, -2.59, 9), 4);
  const neighbours = neighbourLists(cells);
  const values = Float64Array.from(cells, (_, i) => ((i * 7919) % 23) - 6);

  it('equals the general form with binary weights', () => {
    const triples: WeightTriple[] = [];
    for (let i = 0; i < cells.length; i++) {
      for (let side = 0; side < (neighbours.degrees[i] as number); side++) {
        triples.push([i, neighbours.targets[6 * i + side] as number, 1]);
      }
    }
    const general = giStar(values, weightsFromTriples(cells.length, triples, true), true);
    expectClose(giStarOnGrid(values, neighbours), [...general]);
  });

  it('leaves a missing cell out of every sum instead of counting it as zero', () => {
    const gap = values.slice();
    gap[30] = Number.NaN;
    const zero = values.slice();
    zero[30] = 0;
    const z = giStarOnGrid(gap, neighbours);
    expect(z[30]).toBeNaN();
    expect(z[31]).not.toBeNaN();
    const near = neighbours.targets[6 * 30] as number;
    expect(z[near]).not.toBeCloseTo(giStarOnGrid(zero, neighbours)[near] as number, 3);
  });
});

it('takes linear time for many equal values', () => {
  const many = 300_000;
  const z = giStar(
    new Float64Array(many).fill(0.1),
    weightsFromTriples(many, [[0, 1, 1]], false),
    false,
  );
  expect(z.every((score) => !(Math.abs(score) > 0))).toBe(true);
});

describe('a place beyond all others', () => {
  const chain = weightsFromTriples(
    5,
    [
      [0, 1, 1],
      [4, 0, 1],
      [4, 2, 1],
    ],
    false,
  );

  it('does not blur the others that it is compared with', () => {
    // Of 1, 3, 2 and 6: mean 3, variance 3.5; neighbours 1 and 2.
    const z = giStar(Float64Array.of(1, 3, 2, 6, 1e9), chain, false);
    expect(z[4]).toBeCloseTo((3 - 6) / (Math.sqrt(3.5) * Math.sqrt((4 * 2 - 4) / 3)), 9);
  });

  it('has no score where the others are all the same', () => {
    expect(giStar(Float64Array.of(0.1, 0.1, 0.1, 0.1, 7e8), chain, false)[4]).toBeNaN();
  });
});

describe('moran', () => {
  it('is refused for values that are all the same, whatever their mean rounds to', () => {
    const rows = weightsFromTriples(7, [[0, 1, 1]], false);
    expect(() => moran(new Float64Array(7).fill(0.1), rows)).toThrow(
      expect.objectContaining({ code: 'constant-values' }),
    );
  });

  it('equals the reference', () => {
    const result = moran(VALUES, weightsFromTriples(12, ROOK, false));
    expect(result.i).toBeCloseTo(0.03622375380669977, 13);
    expect(result.varRandomisation).toBeCloseTo(0.03561154022865321, 13);
    expect(result.varNormal).toBeCloseTo(0.04233199955125089, 13);
    expect(result.iDenoised).toBe(result.i);
  });

  it('has a p-value by its exact moments, near the share of all deals', () => {
    const rows = weightsFromTriples(12, ROOK, false);
    const { i, expected, varRandomisation, z, p } = moran(VALUES, rows);
    expect(z).toBeCloseTo((i - expected) / Math.sqrt(varRandomisation), 13);
    const draws = 20_000;
    const dealt = moranPermutation(VALUES, rows, { random: seededRandom('moran'), draws });
    // 4.9 standard errors of the share, and what the normal limit is off by with twelve places.
    expect(Math.abs(dealt - p)).toBeLessThan(4.9 * Math.sqrt(0.25 / draws) + 0.03);
    expect(() => moranPermutation(VALUES, rows, { random: seededRandom('m'), draws: 0 })).toThrow(
      expect.objectContaining({ code: 'invalid-draws' }),
    );
  });

  it('takes weights of one direction, as the literature does', () => {
    const oneWay = ROOK.filter(([i, j]) => i < j);
    const both = moran(VALUES, weightsFromTriples(12, ROOK, false));
    const one = moran(VALUES, weightsFromTriples(12, oneWay, false));
    expect(one.i).toBeCloseTo(both.i, 13);
    expect(one.varRandomisation).toBeCloseTo(both.varRandomisation, 13);
  });

  it('takes the noise out of the denominator', () => {
    const rows = weightsFromTriples(12, ROOK, false);
    const plain = moran(VALUES, rows);
    expect(moran(VALUES, rows, 5).iDenoised).toBeGreaterThan(plain.i);
    expect(moran(VALUES, rows, 1e6).iDenoised).toBeNaN();
  });
});
