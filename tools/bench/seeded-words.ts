import { createCipheriv } from 'node:crypto';
import type { RandomSource } from '#libs/dp';

const CHUNK_WORDS = 1 << 14;

/** A long, repeatable stream of good statistics for benches: AES-128 in counter mode under the number as key. */
export function seededWords(seed: number): RandomSource {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(4 * CHUNK_WORDS);
  return {
    fillWords(out) {
      for (let at = 0; at < out.length; at += CHUNK_WORDS) {
        const words = Math.min(CHUNK_WORDS, out.length - at);
        const bytes = cipher.update(zeros.subarray(0, 4 * words));
        for (let i = 0; i < words; i++) out[at + i] = bytes.readUInt32LE(4 * i);
      }
    },
  };
}
