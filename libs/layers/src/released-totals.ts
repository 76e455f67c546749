/**
 * A fitted map of cells tied to the totals of the same releases: the consistent estimates of larger cells, and of the whole area, are far
 * more exact than sums over a map of single cells (`benchmarking.ts` of `libs/analytics`).
 */
import { benchmark } from '#libs/analytics';
import { type GridTree, parentOf, parentsOf, type Resolution } from '#libs/grid';
import type { CellSeries } from './cell-series.js';
import { groupsOfCategory, type Range } from './periods.js';
import type { OpenRelease } from './release-blobs.js';

/** Coarsest cells of a release's tree. */
const COARSEST = 4;

/** Levels from the root to the cells of a series. */
interface Levels {
  readonly cells: readonly BigUint64Array[];
  readonly levelStart: Uint32Array;
  readonly parent: Int32Array;
}

/** Position in ascending `cells` of each ascending `wanted`, all of which are there; repeats may follow each other. */
function positionsIn(cells: BigUint64Array, wanted: BigUint64Array): Int32Array {
  const found = new Int32Array(wanted.length);
  let at = 0;
  for (let i = 0; i < wanted.length; i++) {
    while (cells[at] !== wanted[i]) at++;
    found[i] = at;
  }
  return found;
}

function levelsAbove(cells: BigUint64Array, resolution: Resolution): Levels {
  const levels: BigUint64Array[] = [cells];
  const resolutions: number[] = [resolution];
  for (let coarser = resolution - 1; coarser >= COARSEST; coarser--) {
    levels.unshift(parentsOf(levels[0] as BigUint64Array, coarser as Resolution));
    resolutions.unshift(coarser);
  }
  levels.unshift(BigUint64Array.of(0n));
  resolutions.unshift(-1);
  const levelStart = new Uint32Array(levels.length + 1);
  levels.forEach((level, l) => {
    levelStart[l + 1] = (levelStart[l] as number) + level.length;
  });
  const parent = new Int32Array(levelStart.at(-1) as number).fill(-1);
  for (let l = 1; l < levels.length; l++) {
    const start = levelStart[l - 1] as number;
    const own = levels[l] as BigUint64Array;
    const above = resolutions[l - 1] as number;
    const parents =
      above < 0
        ? new Int32Array(own.length)
        : positionsIn(
            levels[l - 1] as BigUint64Array,
            own.map((cell) => parentOf(cell, above as Resolution)),
          );
    parents.forEach((at, i) => {
      parent[(levelStart[l] as number) + i] = start + at;
    });
  }
  return { cells: levels, levelStart, parent };
}

/** Node among the levels of every node of a release's tree, as fine as they are. */
function placesOf(tree: GridTree, levels: Levels): Int32Array {
  const places = new Int32Array(tree.levelStart[levels.cells.length] as number);
  levels.cells.forEach((cells, l) => {
    const start = tree.levelStart[l] as number;
    const own = tree.cells.subarray(start, tree.levelStart[l + 1]);
    positionsIn(cells, own).forEach((at, i) => {
      places[start + i] = (levels.levelStart[l] as number) + at;
    });
  });
  return places;
}

/**
 * Factor of every cell of a series by which its fitted counts agree with the released totals of the cells around it and of the whole
 * area. Fitted is the rate of a cell times the factor of each period of the series. Throws as `groupsOfCategory`.
 */
export async function factorsToTotals(
  releases: readonly OpenRelease[],
  series: CellSeries,
  range: Range & { readonly resolution: number },
  rates: Float64Array,
  factors: readonly number[],
): Promise<Float64Array> {
  const resolution = range.resolution as Resolution;
  const levels = levelsAbove(series.cells, resolution);
  const fitted = new Float64Array(series.cells.length);
  const totals = new Float64Array(levels.parent.length);
  const variances = new Float64Array(levels.parent.length);
  const places = new Map<GridTree, Int32Array>();
  for (const { release, group } of groupsOfCategory(releases, series.category, range)) {
    const { tree, variance } = await release.classOf(group);
    const estimate = await release.estimate(group);
    const place = places.get(tree) ?? placesOf(tree, levels);
    places.set(tree, place);
    const factor = factors[series.names.indexOf(group.period)] as number;
    const cellsFrom = levels.levelStart.at(-2) as number;
    for (let node = 0; node < place.length; node++) {
      const at = place[node] as number;
      totals[at] = (totals[at] as number) + (estimate[node] as number);
      variances[at] = (variances[at] as number) + (variance[node] as number);
      if (at >= cellsFrom) {
        fitted[at - cellsFrom] =
          (fitted[at - cellsFrom] as number) + factor * (rates[at - cellsFrom] as number);
      }
    }
  }
  return benchmark({ tree: levels, fitted, totals, variances });
}
