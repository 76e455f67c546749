/**
 * Counts of named areas over time: sums of the consistent estimates of a release, with the exact variance of the whole sum, and of a
 * difference of sums: consistent estimates of areas that are near each other vary together.
 */
import { ConcordatError } from '#libs/bytes';
import { type EstimatePlan, planEstimate, varianceOfSum } from '#libs/dp';
import { cellFromText, type GridTree, indexOf, parentOf, resolutionOf } from '#libs/grid';
import type { Category } from '#libs/query';
import { groupsOfCategory, monthLine, type Range } from './periods.js';
import type { CoverageClass, OpenRelease } from './release-blobs.js';

export interface AreaCounts {
  readonly months: readonly string[];
  /** Per area, one estimate a month; NaN where nobody counted. */
  readonly counts: readonly Float64Array[];
  /** Variance of the noise in each; NaN likewise. */
  readonly variances: readonly Float64Array[];
  /** Per contrast, variance of the noise in the sum of its areas' estimates, each times its sign; NaN likewise. */
  readonly contrastVariances: readonly Float64Array[];
}

/** Sign of each area in a sum of areas; those beyond its end have no part in it. */
type Contrast = readonly (1 | -1)[];

/** Nodes of an area's cells. Throws `area-not-covered`, `overlapping-cells`. */
function nodesOf(tree: GridTree, area: readonly bigint[]): Int32Array {
  const members = new Set(area);
  return Int32Array.from(area, (cell) => {
    const node = indexOf(tree, cell);
    if (node < 0) {
      throw new ConcordatError(
        'area-not-covered',
        'a cell of an area is finer than the release, or no agency counts it: name covered cells only',
      );
    }
    for (let resolution = resolutionOf(cell) - 1; resolution >= 4; resolution--) {
      if (members.has(parentOf(cell, resolution as 4))) {
        throw new ConcordatError('overlapping-cells', 'an area names a cell and a part of it');
      }
    }
    return node;
  });
}

/** Exact variance of the noise in a contrast of areas that share no place. */
function varianceOfContrast(
  plan: EstimatePlan,
  nodes: readonly Int32Array[],
  signs: Contrast,
): number {
  const all = signs.flatMap((_, area) => [...(nodes[area] as Int32Array)]);
  const weights = signs.flatMap((sign, area) => Array.from(nodes[area] as Int32Array, () => sign));
  return varianceOfSum(plan, all, weights);
}

/**
 * Estimates of every area in every month of a category. Areas of one contrast share no place. Throws as `groupsOfCategory`,
 * `monthLine`, `area-not-covered`, `overlapping-cells`.
 */
export async function readAreas(
  releases: readonly OpenRelease[],
  category: Category,
  range: Range,
  areas: readonly (readonly string[])[],
  contrasts: readonly Contrast[],
): Promise<AreaCounts> {
  const groups = groupsOfCategory(releases, category, range);
  const months = monthLine(groups);
  const wanted = areas.map((area) => area.map(cellFromText));
  const line = (): Float64Array => new Float64Array(months.length).fill(Number.NaN);
  const counts = areas.map(line);
  const variances = areas.map(line);
  const contrastVariances = contrasts.map(line);
  const prepared = new Map<
    CoverageClass,
    {
      readonly nodes: readonly Int32Array[];
      readonly variance: readonly number[];
      readonly contrast: readonly number[];
    }
  >();
  for (const { release, group } of groups) {
    const coverage = await release.classOf(group);
    let known = prepared.get(coverage);
    if (!known) {
      const plan: EstimatePlan = planEstimate(coverage.tree, coverage.rawVariance);
      const nodes = wanted.map((area) => nodesOf(coverage.tree, area));
      known = {
        nodes,
        variance: nodes.map((own) => varianceOfSum(plan, own)),
        contrast: contrasts.map((signs) => varianceOfContrast(plan, nodes, signs)),
      };
      prepared.set(coverage, known);
    }
    const estimate = await release.estimate(group);
    const month = months.indexOf(group.period);
    known.nodes.forEach((nodes, area) => {
      let sum = 0;
      for (const node of nodes) sum += estimate[node] as number;
      (counts[area] as Float64Array)[month] = sum;
      (variances[area] as Float64Array)[month] = known.variance[area] as number;
    });
    known.contrast.forEach((variance, c) => {
      (contrastVariances[c] as Float64Array)[month] = variance;
    });
  }
  return { months, counts, variances, contrastVariances };
}
