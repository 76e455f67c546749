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
    expect(() => ask('scan', { ...input, zones: [[1, 1]] })).toThrow(/each once/);
    expect(() =>
      ask('tail', { lambda: 1, mechanism: 'discrete-laplace', sigma2: 1, z: 2 }),
    ).toThrow(/takes epsilon/);
  });

  it('takes negative counts as noisy ones only', () => {
    const counts = { treatedBefore: -4, treatedAfter: 1, controlBefore: 0, controlAfter: 2 };
    expect(() => ask('wdd', counts)).toThrow(expect.objectContaining({ code: 'invalid-count' }));
    expect(ask('wdd', { ...counts, variance: 40 })).toMatchObject({ wdd: 3, se: Math.sqrt(40) });
    expect(() => ask('power', { treated: 0, control: 9 })).toThrow(/nothing falls from 0/);
  });

  it('refuses numbers that no double holds the answer of, and work without end', () => {
    const triples = [
      [0, 1, 1],
      [1, 2, 1],
      [2, 3, 1],
    ];
    const huge = [1e308, -1e308, 1e308, 1.5e308];
    const refusals: [string, unknown, string][] = [
      ['moran', { values: [3, 0, 1, -1e308], weights: triples }, 'out-of-range'],
      ['moran', { values: [3, 0, 1, 2], weights: [[0, 1, 1e-200]] }, 'out-of-range'],
      ['mann-kendall', { series: [-1.5e308, 1.5e308, 1.6e308] }, 'out-of-range'],
      ['lorenz', { counts: [1e308, 1e308, 1e308] }, 'out-of-range'],
      ['gi-star', { values: huge, weights: triples }, 'out-of-range'],
      ['lorenz', { counts: [] }, 'malformed-input'],
      ['lorenz', { counts: [5, -1, 2] }, 'invalid-count'],
      [
        'wdd',
        { treatedBefore: 1e308, treatedAfter: 0, controlBefore: 1e308, controlAfter: 0 },
        'out-of-range',
      ],
      ['scan', { counts: [9, 1e308], expected: [4, 4], zones: [[0], [1]] }, 'out-of-range'],
      ['mann-kendall', { series: new Array(5_001).fill(1) }, 'malformed-input'],
      [
        'moran',
        { values: [...huge, ...new Array(40_000).fill(0)], weights: triples, draws: 100_000 },
        'too-much-work',
      ],
      [
        'scan',
        {
          counts: new Array(30_000).fill(1),
          expected: new Array(30_000).fill(1),
          zones: [[0]],
          draws: 100_000,
        },
        'too-much-work',
      ],
      [
        'tail',
        { lambda: 1, m: 1e15, mechanism: 'discrete-laplace', epsilon: 1e-9, z: 1 },
        'noise-too-wide',
      ],
      [
        'tail',
        { lambda: 1, m: 1e15, mechanism: 'discrete-laplace', epsilon: 0.5, z: 1 },
        'noise-too-wide',
      ],
      ['tail', { lambda: 2e9, mechanism: 'discrete-laplace', epsilon: 1, z: 1 }, 'invalid-rate'],
    ];
    for (const [name, input, code] of refusals) {
      expect(() => ask(name, input)).toThrow(expect.objectContaining({ code }));
    }
  });
});
