import { setTimeout as pause } from 'node:timers/promises';

/** A note gets a cosignature from every witness of the federation, within moments. */
const PAUSE_MS = 200;

/**
 * Shows the newest note of a log: those in between are left out, since each has all that the one before had. What cannot be shown is not
 * tried again; the next note will be.
 */
export function notePoster(post: (note: string) => Promise<unknown>): (note: string) => void {
  let newest: string | undefined;
  let isPosting = false;
  const run = async (): Promise<void> => {
    while (newest !== undefined) {
      const note = newest;
      newest = undefined;
      await post(note).catch(() => undefined);
      await pause(PAUSE_MS, undefined, { ref: false });
    }
    isPosting = false;
  };
  return (note) => {
    newest = note;
    if (isPosting) return;
    isPosting = true;
    void run();
  };
}
