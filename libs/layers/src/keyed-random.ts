/**
 * The random words of a Monte Carlo computation, fixed by its content key, so that everybody draws the same ones. Generator:
 * xoshiro128** 1.1 (Blackman and Vigna 2021, ACM TOMS 47:4). Its words simulate; they never protect anybody.
 */
import { fromHex } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** `key`: 64 hex digits, of which the first 32 are the state; a digest is never all zeros there in practice, and 1 stands in. */
export function keyedRandom(key: string): RandomSource {
  const view = new DataView(fromHex(key).slice(0, 16).buffer);
  let a = view.getInt32(0);
  let b = view.getInt32(4);
  let c = view.getInt32(8);
  let d = view.getInt32(12);
  if ((a | b | c | d) === 0) d = 1;
  return {
    fillWords(out) {
      for (let i = 0; i < out.length; i++) {
        out[i] = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
        const t = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = rotateLeft(d, 11);
      }
    },
  };
}
