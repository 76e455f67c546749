import { z } from 'zod';
import { canonicalBytes, isConcordatError } from '#libs/bytes';
import type { Journal } from '#libs/journal';
import type { Logger, SignedClient } from '#libs/nest-kit';
import { CheckpointPost } from '#libs/protocol';
import type { Witness } from './witness.js';

const Relayed = z.strictObject({ checkpoints: z.array(CheckpointPost) });

/** Fetches checkpoints again and again, and posts the auditor's own. Returns a function that stops it. */
export function startWitnessLoop(options: {
  readonly witness: Witness;
  readonly client: SignedClient;
  readonly journal: Journal;
  readonly origin: string;
  readonly pollMs: number;
  readonly logger: Logger;
}): () => Promise<void> {
  const { witness, client, journal, origin, logger } = options;
  let stopped = false;
  let wake = (): void => {};

  const round = async (): Promise<void> => {
    const own = { origin, note: await journal.checkpoint() };
    await client.send('POST', '/v1/checkpoints', canonicalBytes(own), 'application/json');
    const response = await client.send('GET', '/v1/checkpoints');
    for (const post of Relayed.parse(await response.json()).checkpoints) {
      try {
        await witness.see(post);
      } catch (error) {
        if (!isConcordatError(error)) throw error;
        logger.error({ origin: post.origin, code: error.code }, 'a log is not what it was');
      }
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      await round().catch((error: unknown) => {
        const code = isConcordatError(error) ? error.code : 'unreachable';
        logger.warn({ code }, 'could not fetch checkpoints');
      });
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, options.pollMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const running = run();
  return async () => {
    stopped = true;
    wake();
    await running;
  };
}
