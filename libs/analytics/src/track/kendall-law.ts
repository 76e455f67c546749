/**
 * Exact law of Mann-Kendall's S when periods are exchangeable. With groups of equal values S = pairs - 2 I, where I, the number
 * of inversions of a shuffled multiset, is a sum of independent Mann-Whitney statistics, one per group (its generating
 * function is the q-multinomial coefficient: MacMahon 1913; Kendall 1975, chapter 5; recursion of Mann and Whitney 1947, Annals of
 * Mathematical Statistics 18). All terms are positive, so tails keep their relative precision.
 */

/** Law of the Mann-Whitney statistic of `first` values among `second` others: P(U = u), u = 0 .. first * second. */
function mannWhitney(
  first: number,
  second: number,
  known: Map<number, Float64Array>,
): Float64Array {
  if (first === 0 || second === 0) return Float64Array.of(1);
  const key = first * 4096 + second;
  const found = known.get(key);
  if (found) return found;
  const law = new Float64Array(first * second + 1);
  if (first === 1) {
    law.fill(1 / (second + 1));
  } else {
    // The largest value is one of the first group, above all of the second, or one of the second.
    const total = first + second;
    mannWhitney(first - 1, second, known).forEach((p, u) => {
      law[u + second] = (law[u + second] as number) + (first / total) * p;
    });
    mannWhitney(first, second - 1, known).forEach((p, u) => {
      law[u] = (law[u] as number) + (second / total) * p;
    });
  }
  known.set(key, law);
  return law;
}

function convolved(a: Float64Array, b: Float64Array): Float64Array {
  const sum = new Float64Array(a.length + b.length - 1);
  b.forEach((weight, shift) => {
    for (let i = 0; i < a.length; i++) {
      sum[i + shift] = (sum[i + shift] as number) + weight * (a[i] as number);
    }
  });
  return sum;
}

/** P(S >= s) and P(S > s). */
export type KendallTails = (s: number) => { readonly atLeast: number; readonly above: number };

/** Tails of S for groups of these sizes (1: a value that no other equals); the sizes sum to the number of periods. */
export function kendallTails(groups: readonly number[]): KendallTails {
  const known = new Map<number, Float64Array>();
  let law = Float64Array.of(1);
  let before = 0;
  for (const size of groups) {
    law = convolved(law, mannWhitney(size, before, known)) as typeof law;
    before += size;
  }
  const pairs = law.length - 1;
  // below[i] = P(I < i); S >= s is I <= (pairs - s) / 2.
  const below = new Float64Array(law.length + 1);
  for (let i = 0; i < law.length; i++) below[i + 1] = (below[i] as number) + (law[i] as number);
  return (s) => {
    const inversions = (pairs - s) / 2;
    return { atLeast: below[inversions + 1] as number, above: below[inversions] as number };
  };
}
