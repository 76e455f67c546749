import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '#libs/testing';
import { STATISTICS } from './statistics.js';

const ask = (name: string, input: unknown): Record<string, unknown> =>
  STATISTICS[name]?.compute(input, seededRandom(name)) as Record<string, unknown>;

describe('concordat analyse STATISTIC', () => {
  it.each(Object.entries(STATISTICS))('%s answers its own example', (name, { example }) => {
    const answer = ask(name, JSON.parse(example));
    expect(Object.keys(answer).length).toBeGreaterThan(0);
    // Everything printed survives JSON.
    expect(JSON.parse(JSON.stringify(answer))).toEqual(answer);
  });

  it.each(Object.keys(STATISTICS))('%s refuses an empty document and an unknown key', (name) => {
    const example = JSON.parse(STATISTICS[name]?.example ?? '{}');
    for (const input of [{}, null, 3, [], { ...example, surprise: 1 }]) {
      expect(() => ask(name, input)).toThrow(/see --help/);
    }
  });

  it('gives the fields other programs rely on', () => {
    const triples = [
      [0, 1, 1],
      [1, 0, 1],
      [1, 2, 1],
      [2, 1, 1],
      [2, 3, 1],
      [3, 2, 1],
    ];
    const values = [1, 2, 4, 8];
    expect(Object.keys(ask('gi-star', { values, weights: triples, star: true }))).toEqual(['z']);
    expect(ask('moran', { values, weights: triples })).toMatchObject({
      i: expect.any(Number),
      varRandomisation: expect.any(Number),
      varNormal: expect.any(Number),
    });
    expect(ask('mann-kendall', { series: values, variance: 0 })).toMatchObject({
      s: 6,
      var: 26 / 3,
    });
    expect(ask('lorenz', { counts: [3, 1] })).toEqual({
      curve: [
        [0, 0],
        [0.5, 0.75],
        [1, 1],
      ],
      gini: 0.25,
    });
    expect(
      ask('wdd', { treatedBefore: 9, treatedAfter: 4, controlBefore: 6, controlAfter: 6 }),
    ).toMatchObject({ wdd: -5, se: 5, z: -1 });
  });

  it('prints null where a score is not defined', () => {
    expect(ask('gi-star', { values: [2, 2, 2], weights: [], star: true })).toEqual({
      z: [null, null, null],
    });
  });

  it('tests a zone with the noise in its null law', () => {
    const input = {
      counts: [30, 4, 4, 4],
      expected: [4, 4, 4, 4],
      zones: [[0], [1], [2], [3]],
      draws: 199,
    };
    expect(ask('scan', input)).toMatchObject({ best: { zone: 0 }, p: 1 / 200 });
    const noisy = ask('scan', { ...input, mechanism: 'discrete-laplace', epsilon: 0.05 });
    expect(noisy.p).toBeGreaterThan(0.1);
    expect(() => ask('scan', { ...input, variance: 9 })).toThrow(/mechanism/);
    expect(() => ask('scan', { ...input, zones: [[4]] })).toThrow(/counted from 0/);
    expect(() =>
      ask('tail', { lambda: 1, mechanism: 'discrete-laplace', sigma2: 1, z: 2 }),
    ).toThrow(/takes epsilon/);
  });
});
