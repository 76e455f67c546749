/**
 * Convolution of non-negative vectors with a stated error: directly where that is cheap (no cancellation, so the error is
 * relative), by the fast Fourier transform where it is not (absolute error).
 */
export interface Convolved {
  readonly values: Float64Array;
  /** Bound on the absolute error of every element. */
  readonly absoluteError: number;
  /** Bound on the relative error of every element, on top of `absoluteError`. */
  readonly relativeError: number;
}

export const UNIT_ROUNDOFF = 2 ** -53;

/** In-place forward transform of (re, im), radix 2, length a power of two; `cos`, `sin` of 2 pi k / length, k < length / 2. */
function transform(re: Float64Array, im: Float64Array, cos: Float64Array, sin: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const r = re[i] as number;
      re[i] = re[j] as number;
      re[j] = r;
      const s = im[i] as number;
      im[i] = im[j] as number;
      im[j] = s;
    }
  }
  for (let half = 1; half < n; half <<= 1) {
    const stride = n / (2 * half);
    for (let k = 0; k < half; k++) {
      const c = cos[k * stride] as number;
      const s = sin[k * stride] as number;
      for (let i = k; i < n; i += 2 * half) {
        const j = i + half;
        const rj = re[j] as number;
        const ij = im[j] as number;
        const r = rj * c + ij * s;
        const m = ij * c - rj * s;
        const ri = re[i] as number;
        const ii = im[i] as number;
        re[j] = ri - r;
        im[j] = ii - m;
        re[i] = ri + r;
        im[i] = ii + m;
      }
    }
  }
}

const norm2 = (vector: Float64Array): number => {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
};

function convolveFourier(a: Float64Array, b: Float64Array): Convolved {
  const length = a.length + b.length - 1;
  const bits = Math.max(1, Math.ceil(Math.log2(length)));
  const n = 2 ** bits;
  const cos = new Float64Array(n / 2);
  const sin = new Float64Array(n / 2);
  for (let k = 0; k < n / 2; k++) {
    cos[k] = Math.cos((2 * Math.PI * k) / n);
    sin[k] = Math.sin((2 * Math.PI * k) / n);
  }
  // Both vectors ride in one transform, brought to the same norm so that neither drowns in the other's rounding.
  const normA = norm2(a);
  const normB = norm2(b);
  const balance = normB > 0 ? normA / normB : 1;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  re.set(a);
  for (let i = 0; i < b.length; i++) im[i] = (b[i] as number) * balance;
  transform(re, im, cos, sin);
  const outRe = new Float64Array(n);
  const outIm = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const j = (n - k) & (n - 1);
    const aRe = ((re[k] as number) + (re[j] as number)) / 2;
    const aIm = ((im[k] as number) - (im[j] as number)) / 2;
    const bRe = ((im[k] as number) + (im[j] as number)) / 2;
    const bIm = ((re[j] as number) - (re[k] as number)) / 2;
    // Conjugated, so that a forward transform serves as the inverse.
    outRe[k] = aRe * bRe - aIm * bIm;
    outIm[k] = -(aRe * bIm + aIm * bRe);
  }
  transform(outRe, outIm, cos, sin);
  // Percival 2003, Theorem 5.1: |error| <= |a| |b| ((1+u)^3k (1+u sqrt 5)^(3k+1) (1+beta)^3k - 1), about 13 k u for k = log2 n
  // and twiddles right to an ulp; five times that covers the packing and the scaling.
  const absoluteError = 64 * bits * UNIT_ROUNDOFF * normA * normB;
  const scale = 1 / (n * balance);
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const value = (outRe[i] as number) * scale;
    // Under the error an element says nothing: 0 keeps vectors short. The bound below covers it.
    values[i] = value < 2 * absoluteError ? 0 : value;
  }
  return { values, absoluteError: 3 * absoluteError, relativeError: 0 };
}

function convolveDirectly(long: Float64Array, short: Float64Array): Convolved {
  const values = new Float64Array(long.length + short.length - 1);
  let terms = 0;
  for (let j = 0; j < short.length; j++) {
    const weight = short[j] as number;
    if (weight === 0) continue;
    terms++;
    for (let i = 0; i < long.length; i++) {
      values[i + j] = (values[i + j] as number) + weight * (long[i] as number);
    }
  }
  return { values, absoluteError: 0, relativeError: (terms + 1) * UNIT_ROUNDOFF };
}

/** The convolution of two non-empty vectors of non-negative doubles. */
export function convolve(a: Float64Array, b: Float64Array): Convolved {
  let nonZeroA = 0;
  for (const value of a) if (value !== 0) nonZeroA++;
  let nonZeroB = 0;
  for (const value of b) if (value !== 0) nonZeroB++;
  const direct = Math.min(nonZeroA * b.length, nonZeroB * a.length);
  const n = a.length + b.length;
  if (direct > 24 * n * Math.log2(n)) return convolveFourier(a, b);
  return nonZeroA * b.length < nonZeroB * a.length
    ? convolveDirectly(b, a)
    : convolveDirectly(a, b);
}
