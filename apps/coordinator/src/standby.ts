import { setTimeout as pause } from 'node:timers/promises';
import { isConcordatError } from '#libs/bytes';
import { isServed, type Logger } from '#libs/nest-kit';

/** How often the folder is looked at again. */
const LOOK_MS = 250;
/** A command of the operator's holds the log for less. */
const COMMAND_MS = 30_000;

/**
 * Starts once no other process writes the folder's log: at once, or when the one that does has ended, however it ended. `givesUp` is asked before
 * every further look. Everything but `log-locked` is thrown as it comes.
 */
async function startOnceUnlocked<T>(
  start: () => Promise<T>,
  logger: Logger,
  givesUp: () => Promise<boolean>,
): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await start();
    } catch (error) {
      if (!isConcordatError(error, 'log-locked') || (await givesUp())) throw error;
      if (isFirst) logger.info({ held: error.message }, 'standing by');
      await pause(LOOK_MS);
    }
  }
}

/** A standby: waits for as long as another process serves the folder. */
export const startWhenFree = <T>(start: () => Promise<T>, logger: Logger): Promise<T> =>
  startOnceUnlocked(start, logger, async () => false);

/** Waits for a command that is at work in the folder; `log-locked` at once when a coordinator serves it, whose control file is `control`. */
export function startUnlessServed<T>(
  start: () => Promise<T>,
  logger: Logger,
  control: string,
): Promise<T> {
  const endMs = performance.now() + COMMAND_MS;
  return startOnceUnlocked(
    start,
    logger,
    async () => performance.now() > endMs || (await isServed(control)),
  );
}
