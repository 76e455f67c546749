/** What is kept of sealed rounds ends with them. */
import { rm } from 'node:fs/promises';
import { isConcordatError } from '#libs/bytes';
import type { Sealing } from './sealing.js';
import { destroySeeds, readUnmasked } from './unmask-round.js';

/** A coordinator has a day at most to finish a round that closed; after another one nobody asks any more. */
const KEPT_AFTER_DEADLINE_MS = 2 * 86_400_000;
const SWEEP_MS = 60_000;

/** Destroys the seeds of rounds whose masks are summed or whose time is over, and, of the latter, the sums as well. */
async function retire(sealing: Sealing, retired: Set<string>): Promise<void> {
  for (const [id, round] of sealing.book.rounds) {
    if (retired.has(id)) continue;
    const isOver = Date.parse(round.deadline) + KEPT_AFTER_DEADLINE_MS < sealing.nowMs();
    if (round.unmasked || isOver) await destroySeeds(id, sealing);
    if (!isOver) continue;
    if (round.unmasked) {
      const { payload } = await readUnmasked(round.unmasked.file, sealing);
      for (const { digest } of payload.sums) await rm(sealing.sums.path(digest), { force: true });
    }
    retired.add(id);
  }
}

/** Retires rounds at once, which finishes what a killed process began, and from time to time until stopped. */
export function startRetiring(sealing: Sealing): () => Promise<void> {
  const retired = new Set<string>();
  let running = Promise.resolve();
  const sweep = (): void => {
    running = running.then(() =>
      retire(sealing, retired).catch((error: unknown) => {
        const code = isConcordatError(error) ? error.code : 'internal';
        sealing.logger.error({ code, err: error }, 'cannot retire sealed rounds');
      }),
    );
  };
  sweep();
  const timer = setInterval(sweep, SWEEP_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
