import { cannotTellFromZero } from './interval.js';

/**
 * Value-suppressing palette (Correll, Moritz, Heer 2018, "Value-Suppressing Uncertainty Palettes"): where an estimate is
 * less certain, fewer and paler classes are told apart, and none where it cannot be told from zero. Each row darkens
 * steadily, so it reads the same in greyscale.
 */
export const CLEAR = ['#d3e3f3', '#a3c7e6', '#6ba3d3', '#3a7fbd', '#1c5a96', '#0b325c'] as const;
export const ROUGH = ['#dde3e9', '#b5c2cf', '#8395a8'] as const;

/** Standard errors from which all classes are told apart; there the likely range reaches 65 % to either side. */
const CLEAR_FROM = 3;

/** `zero`, or a class of one of the rows: `clear-0` .. `clear-5`, `rough-0` .. `rough-2`. */
export type Shade = 'zero' | `clear-${number}` | `rough-${number}`;

/** Every shade that has a colour of its own. */
export const SHADES: readonly { readonly shade: Shade; readonly colour: string }[] = [
  ...CLEAR.map((colour, i) => ({ shade: `clear-${i}` as const, colour })),
  ...ROUGH.map((colour, i) => ({ shade: `rough-${i}` as const, colour })),
];

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

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
export function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
