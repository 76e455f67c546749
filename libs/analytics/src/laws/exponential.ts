/**
 * exp of many numbers from -40 to 0, where a third of the time of a likelihood went into calls of the engine's own; the same on every
 * engine. Within one unit in the last place.
 *
 * Source: e_exp.c of FreeBSD msun. x = k log 2 + r, |r| <= log(2) / 2; exp(r) from a rational function by Remez' algorithm.
 *
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunSoft, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */

/** log 2 in two parts: products of the first with k are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const P1 = 0.16666666666666602;
const P2 = -0.0027777777777015593;
const P3 = 6.613756321437934e-5;
const P4 = -1.6533902205465252e-6;
const P5 = 4.1381367970572385e-8;
/** Half and three halves of -log 2, to the bits that the source compares. */
const HALF_STEP = -0.3465735912322998;
const STEP_AND_HALF = -1.0397205352783203;
/** Nearer to 0 than this, 1 + x has all bits. */
const TINY = -(2 ** -28);
/** Further down the engine's own is taken. */
const LEAST = -40;
/** 2^-k, as far as `LEAST` needs them, and so many that a mask keeps k within. */
const HALVES = Float64Array.from({ length: 64 }, (_, k) => 2 ** -k);

/** Fills values from..to-1 with exp of `logs`, none above 0. A loop, not a function of one number: where that is not inlined, each result is boxed. */
export function fillExponentials(
  values: Float64Array,
  logs: Float64Array,
  from: number,
  to: number,
): void {
  for (let j = from; j < to; j++) {
    const x = logs[j] as number;
    if (x > HALF_STEP) {
      const t = x * x;
      const c = x - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
      values[j] = x > TINY ? 1 + x : 1 - ((x * c) / (c - 2) - x);
    } else if (x > LEAST) {
      const k = x > STEP_AND_HALF ? 1 : (0.5 - Math.LOG2E * x) | 0;
      const high = x + k * LN2_HIGH;
      const low = -k * LN2_LOW;
      const r = high - low;
      const t = r * r;
      const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
      values[j] = (1 - (low - (r * c) / (2 - c) - high)) * (HALVES[k & 63] as number);
    } else values[j] = Math.exp(x);
  }
}
