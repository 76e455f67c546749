/**
 * Statistical tests on samples: Pearson's chi-square against exact probabilities, and a lower bound on the privacy loss of
 * a mechanism from its outputs on two neighbouring datasets.
 */

/** ln Gamma(x), x > 0: Stirling's series after shifting to x >= 12; relative error below 1e-13. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift -= Math.log(z);
  const inverse = 1 / (z * z);
  return (
    shift +
    (z - 0.5) * Math.log(z) -
    z +
    Math.log(2 * Math.PI) / 2 +
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z
  );
}

/** Regularised incomplete beta function I_x(a, b) by Lentz's continued fraction (Numerical Recipes, section 6.4). */
function betaDistribution(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaDistribution(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) - logGamma(a) - logGamma(b) + logGamma(a + b),
  );
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 20_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    const factor = d * c;
    result *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return (front * result) / a;
}

function betaQuantile(probability: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (betaDistribution(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** One-sided Clopper-Pearson bounds for `successes` of `trials`, each wrong with probability at most `alpha`. */
export function clopperPearson(
  successes: number,
  trials: number,
  alpha: number,
): { readonly lower: number; readonly upper: number } {
  return {
    lower: successes === 0 ? 0 : betaQuantile(alpha, successes, trials - successes + 1),
    upper: successes === trials ? 1 : betaQuantile(1 - alpha, successes + 1, trials - successes),
  };
}

export interface EpsilonAudit {
  /** With probability >= 1 - alpha the mechanism is not (epsilon, delta)-DP for any epsilon below this. */
  readonly epsilon: number;
  /** The event that shows it: outputs `above` or `below` the threshold. */
  readonly threshold: number;
}

/**
 * Lower bound on epsilon at `delta` from outputs of one mechanism on two neighbouring datasets (a statistic of each
 * output: larger means more like `sampleA`). The event {x >= threshold} is chosen on the first half, and judged on the second
 * by Clopper-Pearson: epsilon >= ln((lower_A - delta) / upper_B). False alarm of the bound: at most `alpha`.
 */
export function auditEpsilonLowerBound(
  sampleA: ArrayLike<number>,
  sampleB: ArrayLike<number>,
  { delta, alpha = 1e-6 }: { readonly delta: number; readonly alpha?: number },
): EpsilonAudit {
  const half = (sample: ArrayLike<number>, second: boolean): Float64Array => {
    const middle = sample.length >>> 1;
    const all = Float64Array.from(sample);
    return all.slice(second ? middle : 0, second ? all.length : middle);
  };
  const chooseA = half(sampleA, false).sort();
  const chooseB = half(sampleB, false).sort();
  const countFrom = (sorted: Float64Array, threshold: number): number => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as number) < threshold) low = middle + 1;
      else high = middle;
    }
    return sorted.length - low;
  };
  const bound = (inA: number, ofA: number, inB: number, ofB: number): number => {
    const { lower } = clopperPearson(inA, ofA, alpha / 2);
    const { upper } = clopperPearson(inB, ofB, alpha / 2);
    return lower > delta ? Math.max(0, Math.log((lower - delta) / upper)) : 0;
  };
  let best = { epsilon: -1, threshold: 0 };
  const candidates = 200;
  for (let i = 0; i < candidates; i++) {
    const threshold = chooseA[Math.floor((i * chooseA.length) / candidates)] as number;
    const epsilon = bound(
      countFrom(chooseA, threshold),
      chooseA.length,
      countFrom(chooseB, threshold),
      chooseB.length,
    );
    if (epsilon > best.epsilon) best = { epsilon, threshold };
  }
  const judgeA = half(sampleA, true).sort();
  const judgeB = half(sampleB, true).sort();
  return {
    threshold: best.threshold,
    epsilon: bound(
      countFrom(judgeA, best.threshold),
      judgeA.length,
      countFrom(judgeB, best.threshold),
      judgeB.length,
    ),
  };
}

/** P(chi-square with `freedom` degrees > x), by the regularised incomplete gamma function (Numerical Recipes, 6.2). */
function chiSquareTail(x: number, freedom: number): number {
  const a = freedom / 2;
  const y = x / 2;
  if (y <= 0) return 1;
  const front = Math.exp(-y + a * Math.log(y) - logGamma(a));
  if (y < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; term > sum * 1e-16; n++) {
      term *= y / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  let b = y + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 10_000; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    const factor = d * c;
    h *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return front * h;
}

/**
 * p-value of Pearson's chi-square test of integer draws against `probability(x)`. Values with an expected count below 10 are
 * pooled at each end of `-reach..reach`; a draw beyond `reach` goes to the end pool.
 */
export function chiSquarePValue(
  draws: Int32Array,
  probability: (value: number) => number,
  reach: number,
): number {
  const observed = new Float64Array(2 * reach + 1);
  for (const draw of draws) {
    const index = Math.min(reach, Math.max(-reach, draw)) + reach;
    observed[index] = (observed[index] as number) + 1;
  }
  const cells: { seen: number; expected: number }[] = [];
  let pool = { seen: 0, expected: 0 };
  for (let i = 0; i < observed.length; i++) {
    pool.seen += observed[i] as number;
    pool.expected += draws.length * probability(i - reach);
    if (pool.expected >= 10) {
      cells.push(pool);
      pool = { seen: 0, expected: 0 };
    }
  }
  const last = cells[cells.length - 1];
  if (last) {
    last.seen += pool.seen;
    last.expected += pool.expected;
  }
  const statistic = cells.reduce(
    (sum, { seen, expected }) => sum + (seen - expected) ** 2 / expected,
    0,
  );
  return cells.length < 2 ? 1 : chiSquareTail(statistic, cells.length - 1);
}
