import { describe, expect, it } from '@jest/globals';
import { classTexts, luminance, PALETTES, shadeOf } from './palette.js';
import { STATISTIC_IDS, STATISTICS } from './statistics.js';
import { DARK, LIGHT } from './theme.js';

const breaks = [8, 12, 20, 40, 60];
const contrast = (a: number, b: number) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

describe('palette', () => {
  it.each([
    [1.6, 1, 'zero'],
    [-50, 1, 'zero'],
    [7, 1, 'clear-0'],
    [8, 1, 'clear-1'],
    [59.9, 1, 'clear-4'],
    [60, 1, 'clear-5'],
    [7, 3, 'rough-0'],
    [12, 5, 'rough-1'],
    [100, 40, 'rough-2'],
  ])('%d with standard error %d is %s', (estimate, standardError, shade) => {
    expect(shadeOf(estimate, standardError, breaks)).toBe(shade);
  });

  it.each(['light', 'dark'] as const)('gives every shade a colour: %s', (theme) => {
    for (let value = 1; value < 200; value++) {
      for (const error of [0.1, value / 2.5]) {
        const [row, step] = shadeOf(value, error, breaks).split('-');
        expect(PALETTES[theme][row as 'clear' | 'rough'][Number(step)]).toMatch(/^#[0-9a-f]{6}$/);
      }
    }
  });

  it.each([
    ['light clear', PALETTES.light.clear],
    ['light rough', PALETTES.light.rough],
    ['dark clear', PALETTES.dark.clear],
    ['dark rough', PALETTES.dark.rough],
  ])('steps away from the land in greyscale: %s', (name, colours) => {
    const { land } = name.startsWith('light') ? LIGHT : DARK;
    const steps = [land, ...colours].map(luminance);
    const darkens = name.startsWith('light');
    for (let i = 1; i < steps.length; i++) {
      expect(contrast(steps[i - 1] ?? 0, steps[i] ?? 0)).toBeGreaterThan(1.25);
      expect((steps[i - 1] ?? 0) > (steps[i] ?? 0)).toBe(darkens);
    }
  });

  it.each(STATISTIC_IDS)('tells findings from what was counted without one: %s', (id) => {
    for (const { colours } of STATISTICS[id].classes) {
      for (const theme of [LIGHT, DARK]) {
        const steps = [luminance(colours[theme.name]), luminance(theme.quiet)] as const;
        expect(contrast(...steps)).toBeGreaterThan(1.25);
      }
    }
  });

  it('says each class in words', () => {
    expect(classTexts([1, 2, 5])).toEqual(['under 1', '1', '2 to 4', '5 or more']);
    expect(classTexts([])).toEqual(['any value']);
  });
});
