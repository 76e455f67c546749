import { domainDigest, utf8ToBytes } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';

/**
 * TEST ONLY. A reproducible source: xoshiro128++ 1.0 (Blackman, Vigna 2021, prng.di.unimi.it/xoshiro128plusplus.c) whose
 * state is SHA-256 of the seed text. Good statistics, no secrecy: who sees a few words knows all others. Production code
 * cannot import `libs/testing` (rule `no-test-code-in-src`).
 */
export function seededRandom(seed: string): RandomSource {
  const digest = domainDigest('concordat/testing/seeded-random/v1', utf8ToBytes(seed));
  const state = new DataView(digest.buffer, digest.byteOffset);
  let a = state.getInt32(0);
  let b = state.getInt32(4);
  let c = state.getInt32(8);
  let d = state.getInt32(12) | 1;
  return {
    fillWords(out) {
      for (let i = 0; i < out.length; i++) {
        const sum = (a + d) | 0;
        out[i] = ((sum << 7) | (sum >>> 25)) + a;
        const t = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = (d << 11) | (d >>> 21);
      }
    },
  };
}
