/** Hears of new manifests. What is fetched is signed in itself, so these requests need no identity and believe nobody. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { type ManifestStep, ManifestSteps } from '#libs/protocol';
import type { Logger } from './logger.js';
import { timeLimit } from './time-limit.js';

const WAIT_SECONDS = 25;
const POLL_SLACK_SECONDS = 15;
const FETCH_WITHIN_MS = 30_000;
const PATIENCE_MS = 60_000;
const RETRY_MS = 500;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
const MAX_BYTES = 64 * 1024 * 1024;

async function fetchJson(url: URL, signal: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { signal, redirect: 'error' });
  } catch (cause) {
    throw new ConcordatError('unreachable', `${url.host} does not answer`, { cause });
  }
  const length = Number(response.headers.get('content-length') ?? 0);
  if (!response.ok || length > MAX_BYTES) {
    throw new ConcordatError('unreachable', `${url.host} answered ${response.status}`);
  }
  try {
    return await response.json();
  } catch (cause) {
    throw new ConcordatError('malformed-message', `${url.host} sent no JSON`, { cause });
  }
}

/**
 * All manifests of the federation, for a process that has none; to be verified. A coordinator that does not answer is asked again for a
 * minute, since both may be starting. Throws `unreachable`, `malformed-message`.
 */
export function fetchManifest(url: string): Promise<unknown> {
  const address = new URL('/v1/manifest/history', url);
  return whileUnreachable(() => fetchJson(address, AbortSignal.timeout(FETCH_WITHIN_MS)));
}

/** Does `work` again while it throws `unreachable`, for a minute. Throws what it threw last. */
export async function whileUnreachable<T>(work: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConcordatError(error, 'unreachable') || performance.now() > endMs) throw error;
    }
    await pause(RETRY_MS);
  }
}

export interface ManifestFollower {
  /** Takes what there is now; resolves once it is in force. Throws `unreachable` or what `take` throws. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Waits for every new manifest and hands its step to `take`, which verifies it and makes it durable. Failures are logged by code and
 * tried again; what does not verify is asked for again, and never taken.
 */
export function startManifestFollower(options: {
  readonly url: string;
  readonly serial: () => number;
  readonly take: (step: ManifestStep) => Promise<void>;
  readonly logger: Logger;
}): ManifestFollower {
  const { url, serial, take, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let turn: Promise<unknown> = Promise.resolve();

  const fetchSteps = async (waitSeconds: number): Promise<void> => {
    const after = serial();
    const address = new URL(`/v1/manifests?after=${after}&wait=${waitSeconds}`, url);
    const limit = timeLimit((waitSeconds + POLL_SLACK_SECONDS) * 1000);
    const answer = ManifestSteps.safeParse(
      await fetchJson(address, AbortSignal.any([signal, limit])),
    );
    if (!answer.success) throw new ConcordatError('malformed-message', 'not steps of a manifest');
    const run = turn.then(async () => {
      // somebody else may have taken some of them meanwhile
      for (const step of answer.data.steps.slice(serial() - after)) await take(step);
    });
    turn = run.catch(() => undefined);
    await run;
  };

  const follow = async (): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      try {
        await fetchSteps(WAIT_SECONDS);
        backoffMs = FIRST_BACKOFF_MS;
      } catch (error) {
        if (signal.aborted) return;
        const code = isConcordatError(error) ? error.code : 'internal';
        const isAlarm = code !== 'unreachable';
        logger[isAlarm ? 'error' : 'warn']({ code }, 'no new manifest was taken; trying again');
        await pause(backoffMs, undefined, { signal }).catch(() => undefined);
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      }
    }
  };
  const running = follow();
  return {
    catchUp: () => fetchSteps(0),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
