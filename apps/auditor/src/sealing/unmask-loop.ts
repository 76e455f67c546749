/** Asks the coordinator, which dials nobody, whose masks it wants summed, and brings it the sums. */
import { setTimeout as pause } from 'node:timers/promises';
import { canonicalBytes, isConcordatError } from '#libs/bytes';
import { inRound, type SignedClient, uploadVector } from '#libs/nest-kit';
import { type SignedUnmask, seal, Unmaskings } from '#libs/protocol';
import { about, type Sealing } from './sealing.js';
import { unmaskRound } from './unmask-round.js';

const WAIT_SECONDS = 20;
const POLL_SLACK_SECONDS = 15;
const RETRY_MS = 1_000;
/** The same asking may succeed later: this machine's disk, or something that could not be reached. */
const LATER: ReadonlySet<string> = new Set([
  'blob-unavailable',
  'log-closed',
  'log-unavailable',
  'not-yet',
]);

async function refuseUnmasking(
  { payload }: SignedUnmask,
  code: string,
  sealing: Sealing,
  client: SignedClient,
  logged: Set<string>,
): Promise<void> {
  const { round, manifest, fingerprint } = payload;
  if (!logged.has(`${round} ${code}`)) {
    await sealing.append({ kind: 'unmask.refused', ...about(sealing, round), code });
    logged.add(`${round} ${code}`);
  }
  sealing.logger.warn({ round, code }, 'the masks of a round are not summed');
  const refusal = seal('unmask-refusal', { round, manifest, fingerprint, code }, sealing.key);
  const path = `/v1/rounds/${round}/unmask-refusal`;
  await client.send('POST', path, canonicalBytes(refusal), 'application/json');
}

async function bring(
  asked: SignedUnmask,
  sealing: Sealing,
  client: SignedClient,
  logged: Set<string>,
): Promise<void> {
  let unmasked: Awaited<ReturnType<typeof unmaskRound>>;
  try {
    unmasked = await inRound(asked.payload.round, 'round.unmask', () =>
      unmaskRound(asked, sealing),
    );
  } catch (error) {
    if (!isConcordatError(error) || LATER.has(error.code)) throw error;
    await refuseUnmasking(asked, error.code, sealing, client, logged);
    return;
  }
  const { round, sums, contributors } = unmasked.payload;
  for (const { digest } of sums) {
    await uploadVector(client, digest, await sealing.sums.get(digest));
  }
  const path = `/v1/rounds/${round}/unmasked`;
  await client.send('POST', path, canonicalBytes(unmasked), 'application/json');
  sealing.logger.info({ round, contributors: contributors.length }, 'unmasked a round');
}

/** Runs until stopped. Failures are logged by code and tried again. */
export function startUnmaskLoop(sealing: Sealing, client: SignedClient): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  /** Refusals that are in the log of this run: a coordinator that asks again writes no second entry. */
  const logged = new Set<string>();

  const guarded = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      const code = isConcordatError(error) ? error.code : 'unreachable';
      sealing.logger.warn({ code, err: error }, what);
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await guarded('no word from the coordinator about sealed rounds', async () => {
        const response = await client.send(
          'GET',
          `/v1/unmaskings?wait=${WAIT_SECONDS}`,
          undefined,
          undefined,
          { signal, withinMs: (WAIT_SECONDS + POLL_SLACK_SECONDS) * 1000 },
        );
        const { items } = Unmaskings.parse(await response.json());
        for (const asked of items) {
          if (signal.aborted) return;
          await guarded('a round could not be unmasked; trying again', () =>
            bring(asked, sealing, client, logged),
          );
        }
      });
    }
  };

  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
