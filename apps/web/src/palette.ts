import { cannotTellFromZero } from './interval.js';
import type { Theme } from './theme.js';

/** Colours of counts. Each row steps steadily away from the land's own brightness, so it reads the same in greyscale. */
interface Palette {
  readonly clear: readonly string[];
  readonly rough: readonly string[];
}

/**
 * Value-suppressing palette (Correll, Moritz, Heer 2018, "Value-Suppressing Uncertainty Palettes"): where an estimate is
 * less certain, fewer and paler classes are told apart, and none where it cannot be told from zero.
 */
export const PALETTES: Readonly<Record<Theme['name'], Palette>> = {
  light: {
    clear: ['#d3e3f3', '#a3c7e6', '#6ba3d3', '#3a7fbd', '#1c5a96', '#0b325c'],
    rough: ['#d8dfe6', '#b2bfcc', '#8395a8'],
  },
  dark: {
    clear: ['#1f4263', '#2d6391', '#4284b8', '#6aa8d8', '#a2cdf0', '#e3f2ff'],
    rough: ['#34424e', '#5b6d7d', '#93a5b5'],
  },
};

/** Standard errors from which all classes are told apart; there the likely range reaches 65 % to either side. */
const CLEAR_FROM = 3;

/** `zero`, or a class of one of the rows: `clear-0` .. `clear-5`, `rough-0` .. `rough-2`. */
export type Shade = 'zero' | `clear-${number}` | `rough-${number}`;

/** Every shade that has a colour of its own. */
export const shadesOf = ({
  name,
}: Theme): readonly { readonly shade: Shade; readonly colour: string }[] => {
  const { clear, rough } = PALETTES[name];
  return [
    ...clear.map((colour, i) => ({ shade: `clear-${i}` as const, colour })),
    ...rough.map((colour, i) => ({ shade: `rough-${i}` as const, colour })),
  ];
};

/** Shade of one covered cell. `breaks` ascend; a value on a limit belongs to the class above. */
export function shadeOf(estimate: number, standardError: number, breaks: readonly number[]): Shade {
  if (cannotTellFromZero(estimate, standardError)) return 'zero';
  let step = 0;
  while (step < breaks.length && estimate >= (breaks[step] ?? 0)) step++;
  return estimate >= CLEAR_FROM * standardError ? `clear-${step}` : `rough-${step >> 1}`;
}

/** Text of each class between ascending limits: `under 5`, `5 to 9`, `10 or more`; one class when there is no limit. */
export const classTexts = (limits: readonly number[]): string[] =>
  Array.from({ length: limits.length + 1 }, (_, i) => {
    const from = limits[i - 1];
    const to = limits[i];
    if (from === undefined) return to === undefined ? 'any value' : `under ${to}`;
    if (to === undefined) return `${from} or more`;
    return to - 1 > from ? `${from} to ${to - 1}` : `${from}`;
  });

/** The rough row tells half as many classes apart: every second limit. */
export const roughLimits = (breaks: readonly number[]): number[] =>
  breaks.filter((_, i) => i % 2 === 1);

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
export function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
