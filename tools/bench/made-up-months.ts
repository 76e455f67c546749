/** Made-up counts of twelve months, for threads to share: noise, and incidents in every hundredth cell. Costs do not depend on them. */
import { discreteLaplace, type RandomSource, rational } from '#libs/dp';

export const MONTHS = 12;
export const LAW = { mechanism: 'discrete-laplace', epsilon: 0.5 } as const;

/** Weyl sequence through an integer mixer: made-up counts need no better. */
export function mixedWords(): RandomSource {
  let state = 1;
  return {
    fillWords(out) {
      for (let i = 0; i < out.length; i++) {
        state = (state + 0x9e3779b9) | 0;
        let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
        word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
        out[i] = word ^ (word >>> 15);
      }
    },
  };
}

export function madeUpMonths(cells: number, random: RandomSource): Float64Array[] {
  const sampler = discreteLaplace({ scale: rational(2n) });
  const noise = new Int32Array(cells);
  return Array.from({ length: MONTHS }, () => {
    sampler.sampleInto(noise, random);
    const counts = new Float64Array(new SharedArrayBuffer(8 * cells));
    counts.set(noise);
    // Every hundredth cell has crime, more in each thousandth.
    for (let i = 0; i < cells; i += 100)
      counts[i] = (counts[i] as number) + (i % 1000 === 0 ? 9 : 2);
    return counts;
  });
}
