import { setTimeout as pause } from 'node:timers/promises';
import { isConcordatError } from '#libs/bytes';
import type { Logger } from '#libs/nest-kit';

/** How often a standby looks whether the folder is free. */
const LOOK_MS = 250;

/**
 * Starts once no other process writes the folder's log: at once, or when the one that does has ended, however it ended. Everything but
 * `log-locked` is thrown as it comes.
 */
export async function startWhenFree<T>(start: () => Promise<T>, logger: Logger): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await start();
    } catch (error) {
      if (!isConcordatError(error, 'log-locked')) throw error;
      if (isFirst) logger.info({ held: error.message }, 'standing by');
      await pause(LOOK_MS);
    }
  }
}
