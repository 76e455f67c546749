/**
 * What composing needs and no answer decides, done while a round collects: the areas of all who were asked and their trees, and one pass of
 * the arithmetic over nothing, after which its code is compiled. Between a deadline and its release there is then only what depends on
 * the answers. Changes nothing but what this process remembers.
 */
import {
  composeCounts,
  composeVariances,
  estimateHierarchy,
  integerMap,
  noisyCountsFromWire,
  planEstimate,
  type Resolution,
  rational,
} from '#libs/dp';
import type { Federation } from '../federation/federation.js';

/** Throws what a missing domain throws. */
export function rehearse(
  federation: Federation,
  agencies: readonly string[],
  finest: Resolution,
): void {
  const asked = agencies.flatMap((id) => federation.agency(id) ?? []);
  const { tree, members } = federation.coverageOf(asked, finest);
  const { variances } = composeVariances(
    tree,
    members.map(({ tree: own, embedding }) => ({
      embedding,
      levelVariances: Array.from(own.levelResolution, () => rational(1n)),
    })),
  );
  const nothing = members.map(({ embedding }) => ({
    embedding,
    noisy: noisyCountsFromWire(new Int32Array(embedding.length)),
  }));
  const estimate = estimateHierarchy(planEstimate(tree, variances), composeCounts(tree, nothing));
  integerMap(tree, estimate);
}
