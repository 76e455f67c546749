/**
 * Shares behind counts of successes, for many cases at once. Of thousands of cases with k of n successes each, those with the largest k / n
 * are mostly those that were lucky: what is expected of a case with k successes is the mean of its share given k, under the law of the
 * shares of all cases. That law is the nonparametric maximum likelihood mixture of binomials (Robbins 1956; Lord 1969, Psychometrika 34),
 * by EM from a uniform one.
 */

/** Shares from 0 to 1 that the law may hold. */
const SHARES = 100;
/** Rounds of EM: the law of the few cases with high shares has settled by then. */
const ROUNDS = 200;
/** Weight of a uniform law, in cases: keeps every share possible. */
const UNIFORM_CASES = 1;

/** P(k of n) for every share of the grid, up to the binomial coefficient. */
function likelihoods(n: number): Float64Array[] {
  return Array.from({ length: n + 1 }, (_, k) =>
    Float64Array.from({ length: SHARES }, (_, j) => {
      const share = (j + 0.5) / SHARES;
      // Relative to its greatest value, so that no term of the grid's best is lost to underflow.
      const best = k === 0 ? 0 : k === n ? 1 : k / n;
      const log = (part: number, of: number): number => (part === 0 ? 0 : part * Math.log(of));
      return Math.exp(log(k, share) + log(n - k, 1 - share) - log(k, best) - log(n - k, 1 - best));
    }),
  );
}

/**
 * Expected share of a case with k successes, k = 0..n, from how many cases had each count: `cases[k]` of them k of n = cases.length - 1.
 */
export function expectedShares(cases: Float64Array): Float64Array {
  const rows = likelihoods(cases.length - 1);
  const posteriorMean = (row: Float64Array, law: Float64Array): { total: number; mean: number } => {
    let total = 0;
    let sum = 0;
    for (let j = 0; j < SHARES; j++) {
      const weight = (law[j] as number) * (row[j] as number);
      total += weight;
      sum += weight * (j + 0.5);
    }
    return { total, mean: sum / total / SHARES };
  };
  const all = cases.reduce((sum, count) => sum + count, 0) + UNIFORM_CASES;
  let law = new Float64Array(SHARES).fill(1 / SHARES);
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(SHARES).fill(UNIFORM_CASES / SHARES / all);
    rows.forEach((row, k) => {
      const count = cases[k] as number;
      if (count === 0) return;
      const weight = count / all / posteriorMean(row, law).total;
      for (let j = 0; j < SHARES; j++) {
        next[j] = (next[j] as number) + weight * (law[j] as number) * (row[j] as number);
      }
    });
    law = next;
  }
  return Float64Array.from(rows, (row) => posteriorMean(row, law).mean);
}
