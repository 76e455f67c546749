import { tellsFromZero } from '#libs/dp';
import type { ChunkColumns } from '#libs/grid';

/** Shares of the cells that can be told from zero which lie below each class limit: few cells hold most of the crime. */
const SHARES = [0.4, 0.7, 0.88, 0.96, 0.99];

/**
 * Upper limits of all but the highest colour class, ascending, each of one or two significant digits. They come from
 * all cells of a resolution, so that a colour means the same wherever the map is panned. Fewer than five when the
 * release has few distinct values; none when no cell can be told from zero.
 */
export function classBreaks({ estimate, standardError }: ChunkColumns): number[] {
  const clear = estimate
    .filter((value, i) => tellsFromZero(value, standardError[i] ?? Number.NaN))
    .sort();
  const limits: number[] = [];
  for (const share of SHARES) {
    const value = clear[Math.floor(share * clear.length)];
    if (value === undefined) break;
    const limit = roundLimit(value);
    if (limit > (limits.at(-1) ?? 0)) limits.push(limit);
  }
  return limits;
}

/** Nearest of 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25 times a power of ten; at least 1. */
function roundLimit(value: number): number {
  const steps = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const step = steps.reduce((best, s) =>
    Math.abs(s * power - value) < Math.abs(best * power - value) ? s : best,
  );
  return Math.max(1, Math.round(step * power));
}
