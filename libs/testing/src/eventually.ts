/** What a test expects of something that happens elsewhere: in another process, on a page, in a file. */
import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for a machine on which everything takes ten times as long; a test that passes never waits for it. */
const WITHIN_MS = 90_000;
const POLL_MS = 50;

/**
 * Runs `check` until it does not throw, and returns what it returned. After `withinMs` throws what it threw last, so that a failed
 * expectation reads as one.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  withinMs: number = WITHIN_MS,
): Promise<T> {
  const giveUpMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpMs) throw error;
    }
    await pause(POLL_MS);
  }
}
