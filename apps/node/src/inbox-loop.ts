import { isConcordatError } from '#libs/bytes';
import { type Logger, RequestRefused } from '#libs/nest-kit';
import type { SignedTask } from '#libs/protocol';
import type { CoordinatorClient } from './coordinator-client.js';

const WAIT_SECONDS = 25;
/** Bounds of the pause after a failure: it is drawn anew each time from 50 ms to a limit that doubles. */
const SHORTEST_PAUSE_MS = 50;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;
/** A disk that is full or read-only is looked at this often, so that the node goes on soon after it was mended. */
const LONGEST_DISK_BACKOFF_MS = 2_000;
const DISK_CODES = new Set(['log-unavailable', 'blob-unavailable']);
/** A task that this machine cannot answer is tried so often before the next one gets its turn. */
const ATTEMPTS = 5;
/** Faults of one task; everything else is the coordinator's or the disk's, and waits for them as long as it takes. */
const TASK_CODES = new Set(['cannot-answer', 'blob-missing', 'blob-corrupt']);

export interface InboxLoop {
  /** When the coordinator last answered, in Unix milliseconds; undefined before the first contact. */
  lastContactMs(): number | undefined;
  /** Takes every task of the open rounds again: a person has decided about one of them. */
  reread(): void;
  stop(): Promise<void>;
}

/**
 * Long-polls the inbox and hands over one task at a time, in order. A task that could not be finished because the coordinator was
 * out of reach, or this disk was full, is asked for again; asking twice is harmless because a node gives one answer to one
 * question. Between failures it waits exponentially longer, with full jitter (`random` in [0, 1)), so that nodes do not return in
 * step (Brooker, "Exponential Backoff And Jitter", 2015), and never less than the coordinator asked for. Sequence numbers outlive a
 * restart of the coordinator, so it goes on from the number it knows.
 */
export function startInboxLoop(options: {
  readonly client: Pick<CoordinatorClient, 'inbox'>;
  readonly logger: Logger;
  readonly handle: (task: SignedTask) => Promise<void>;
  /** Called for a task that failed too often, before it is left behind. */
  readonly giveUp: (task: SignedTask) => Promise<void>;
  /** Runs once after every (re)connection, before tasks are taken. */
  readonly onConnect: () => Promise<void>;
  readonly nowMs: () => number;
  readonly random: () => number;
}): InboxLoop {
  const stopping = new AbortController();
  let polling = new AbortController();
  let lastContact: number | undefined;
  let isRereading = false;
  const failures = new Map<string, number>();

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stopping.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      stopping.signal.addEventListener('abort', end);
    });

  /** Handles a task, or leaves it behind after too many failures that are its own. */
  const attempt = async (task: SignedTask): Promise<void> => {
    const id = task.payload.round;
    try {
      await options.handle(task);
      failures.delete(id);
    } catch (error) {
      if (stopping.signal.aborted || !isConcordatError(error) || !TASK_CODES.has(error.code))
        throw error;
      const failed = (failures.get(id) ?? 0) + 1;
      failures.set(id, failed);
      options.logger.error({ round: id, code: error.code, failed, err: error }, 'cannot answer');
      if (failed < ATTEMPTS) throw error;
      failures.delete(id);
      await options.giveUp(task);
    }
  };

  const run = async (): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    let connected = false;
    let after = 0;
    while (!stopping.signal.aborted) {
      try {
        if (!connected) {
          await options.onConnect();
          lastContact = options.nowMs();
        }
        if (isRereading) after = 0;
        connected = true;
        isRereading = false;
        polling = new AbortController();
        const signal = AbortSignal.any([stopping.signal, polling.signal]);
        const { items } = await options.client.inbox(after, WAIT_SECONDS, signal);
        lastContact = options.nowMs();
        for (const { sequence, task } of items) {
          if (stopping.signal.aborted) return;
          await attempt(task);
          after = sequence;
        }
        backoffMs = FIRST_BACKOFF_MS;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (polling.signal.aborted && isRereading) continue;
        connected = false;
        const code = isConcordatError(error) ? error.code : 'unreachable';
        const isDisk = DISK_CODES.has(code);
        const longest = isDisk ? LONGEST_DISK_BACKOFF_MS : LONGEST_BACKOFF_MS;
        // the log of the coordinator is an older copy than the one that gave the number
        if (code === 'wrong-cursor') after = 0;
        const drawnMs = Math.round(Math.min(backoffMs, longest) * options.random());
        const askedMs = error instanceof RequestRefused ? error.retryAfterSeconds * 1000 : 0;
        const waitMs = Math.max(SHORTEST_PAUSE_MS, drawnMs, askedMs);
        const why = isDisk ? 'cannot write to disk' : 'no contact with the coordinator';
        options.logger.warn({ code, waitMs }, `${why}; trying again`);
        await pause(waitMs);
        backoffMs = Math.min(backoffMs * 2, longest);
      }
    }
  };

  const running = run();
  return {
    lastContactMs: () => lastContact,
    reread: () => {
      isRereading = true;
      polling.abort();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
