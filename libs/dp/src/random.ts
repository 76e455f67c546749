/**
 * Where noise comes from. In processes: the operating system's generator behind a buffer (`node:crypto` is out of reach
 * here on purpose). In tests: a seeded source from `libs/testing`, which production code cannot import.
 */
export interface RandomSource {
  /** Overwrites every element of `out` with independent uniform 32-bit words. */
  fillWords(out: Uint32Array): void;
}
