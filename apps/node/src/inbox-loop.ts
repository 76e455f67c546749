import { isConcordatError } from '#libs/bytes';
import type { Logger } from '#libs/nest-kit';
import type { SignedTask } from '#libs/protocol';
import type { CoordinatorClient } from './coordinator-client.js';

const WAIT_SECONDS = 25;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;

export interface InboxLoop {
  /** When the coordinator last answered, in Unix milliseconds; undefined before the first contact. */
  lastContactMs(): number | undefined;
  stop(): Promise<void>;
}

/**
 * Long-polls the inbox and hands over one task at a time, in order. A task that could not be finished because the coordinator was
 * out of reach is asked for again; asking twice is harmless because a node gives one answer to one question.
 * Between failures it waits exponentially longer, with jitter (`random` in [0, 1)), so that nodes do not return in step.
 */
export function startInboxLoop(options: {
  readonly client: CoordinatorClient;
  readonly logger: Logger;
  readonly handle: (task: SignedTask) => Promise<void>;
  /** Runs once after every (re)connection, before tasks are taken. */
  readonly onConnect: () => Promise<void>;
  readonly nowMs: () => number;
  readonly random: () => number;
}): InboxLoop {
  const stopping = new AbortController();
  let lastContact: number | undefined;
  let after = 0;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      stopping.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });

  const run = async (): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    let connected = false;
    while (!stopping.signal.aborted) {
      try {
        if (!connected) {
          await options.onConnect();
          // A coordinator that restarted numbers its tasks anew; whatever still waits comes again.
          after = 0;
        }
        connected = true;
        const { items } = await options.client.inbox(after, WAIT_SECONDS, stopping.signal);
        lastContact = options.nowMs();
        backoffMs = FIRST_BACKOFF_MS;
        for (const { sequence, task } of items) {
          await options.handle(task);
          after = sequence;
        }
      } catch (error) {
        if (stopping.signal.aborted) return;
        connected = false;
        const code = isConcordatError(error) ? error.code : 'unreachable';
        const waitMs = Math.round(backoffMs * (0.5 + options.random()));
        options.logger.warn({ code, waitMs }, 'no contact with the coordinator; trying again');
        await pause(waitMs);
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      }
    }
  };

  const running = run();
  return {
    lastContactMs: () => lastContact,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
