import { createCipheriv } from 'node:crypto';
import type { RandomSource } from '#libs/dp';

const CHUNK_WORDS = 1 << 14;

/** A long, repeatable stream of good statistics for benches: AES-128 in counter mode under the number as key. */
export function seededWords(seed: number): RandomSource {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(4 * CHUNK_WORDS);
  let bytes = Buffer.alloc(0);
  let next = 0;
  return {
    fillWords(out) {
      for (let i = 0; i < out.length; i++) {
        if (next === bytes.length) {
          bytes = cipher.update(zeros);
          next = 0;
        }
        out[i] = bytes.readUInt32LE(next);
        next += 4;
      }
    },
  };
}
