/** Randomness of analyses: the operating system's, or a stream fixed by a seed so that a run can be repeated. */
import { createCipheriv, createHash, randomFillSync } from 'node:crypto';
import type { RandomSource } from '#libs/dp';

const CHUNK_WORDS = 1 << 14;

/** Buffered words of the operating system's generator. */
function systemRandom(): RandomSource {
  return { fillWords: (out) => void randomFillSync(out) };
}

/** AES-256-CTR keyed with SHA-256 of the seed: the same words for the same seed on every machine. */
function keyedRandom(seed: string): RandomSource {
  const key = createHash('sha256').update(`concordat/cli/analyse-seed/v1\n${seed}`).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
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

/** Noise of a back-test protects nobody (its input is at hand), so a seed may be chosen here and nowhere else. */
export const analysisRandom = (seed: string | undefined): RandomSource =>
  seed === undefined ? systemRandom() : keyedRandom(seed);
