import { randomFillSync } from 'node:crypto';
import type { RandomSource } from '#libs/dp';

/** One `randomFillSync` of this many 32-bit words costs little more than one of a single word. */
const BUFFER_WORDS = 16_384;

/** Random words from the operating system's CSPRNG (through OpenSSL), fetched 64 KiB at a time and never served twice. */
export function osRandom(): RandomSource {
  const buffer = new Uint32Array(BUFFER_WORDS);
  let next = BUFFER_WORDS;
  return {
    fillWords(out: Uint32Array): void {
      if (out.length >= BUFFER_WORDS) {
        randomFillSync(out);
        return;
      }
      let done = 0;
      while (done < out.length) {
        if (next === BUFFER_WORDS) {
          randomFillSync(buffer);
          next = 0;
        }
        const take = Math.min(out.length - done, BUFFER_WORDS - next);
        out.set(buffer.subarray(next, next + take), done);
        buffer.fill(0, next, next + take);
        next += take;
        done += take;
      }
    },
  };
}
