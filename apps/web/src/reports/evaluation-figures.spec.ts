import { describe, expect, it } from '@jest/globals';
import type { LayerDocument } from '../layer-client.js';
import {
  effectsOf,
  isTooFewDonors,
  linesOf,
  mixOf,
  powerOf,
  weightsOf,
} from './evaluation-figures.js';

const document = (change: Partial<LayerDocument> = {}): LayerDocument => ({
  key: 'k',
  method: 'evaluation',
  methodVersion: 4,
  parameters: { size: '0.05', donors: [['a'], ['b']] },
  releases: ['r'],
  question: '',
  citation: '',
  uncertainty: '',
  limitations: [],
  listed: '',
  columns: [
    ...['month', 'treated', 'treatedNoiseSd', 'control', 'controlNoiseSd'],
    ...['donor1', 'donor1NoiseSd', 'donor2', 'donor2NoiseSd'],
  ],
  rows: [
    ['2024-01', '10', '2', '12', '2', '8', '3', '16', '4'],
    ['2024-02', null, null, null, null, null, null, null, null],
  ],
  summary: {
    monthsBefore: ['2024-01'],
    monthsAfter: ['2024-02'],
    weightedDisplacement: { change: '-5', low: '-9', high: '-1', z: '-2.4', p: '0.02' },
    differenceInDifferences: { effectPerMonth: '-5', standardError: '2' },
    syntheticControl: {
      effect: '-4',
      low: null,
      high: null,
      ratio: '3',
      p: '0.33',
      weights: ['0.25', '0.75'],
    },
    power: [{ fall: '0.1', found: '0.07' }],
  },
  ...change,
});

describe('figures of an evaluation', () => {
  it('are one effect a method, without an interval where there is none', () => {
    const effects = effectsOf(document());
    expect(effects.map(({ method, value }) => [method, value])).toEqual([
      ['wdd', -5],
      ['did', -5],
      ['synthetic', -4],
    ]);
    expect(effects[2]).toMatchObject({ low: Number.NaN, z: Number.NaN, ratio: 3, p: 0.33 });
    const { summary } = document();
    const plain = document({ summary: { ...summary, syntheticControl: null } });
    expect(effectsOf(plain)).toHaveLength(2);
    expect(weightsOf(plain)).toEqual([]);
    expect(powerOf(plain)).toEqual([{ fall: 0.1, found: 0.07 }]);
  });

  it('say when a placebo test can reject nothing', () => {
    const of = (donors: number, size: string) =>
      isTooFewDonors(
        document({ parameters: { size, donors: Array.from({ length: donors }, () => ['a']) } }),
      );
    expect([of(18, '0.05'), of(19, '0.05'), of(9, '0.1'), of(8, '0.1')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('mix the areas with the noise of the mix, and keep what is missing missing', () => {
    const lines = linesOf(document());
    expect(lines.map(({ name, text }) => [name, text])).toEqual([
      ['treated', 'Treated'],
      ['control', 'Control'],
      ['donor1', 'Area 1'],
      ['donor2', 'Area 2'],
    ]);
    const [first, second] = mixOf(lines, weightsOf(document())).months;
    expect(first).toEqual({ count: 14, sd: Math.hypot(0.75, 3) });
    expect(second).toEqual({ count: Number.NaN, sd: Number.NaN });
  });
});
