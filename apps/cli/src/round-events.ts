/** A round as the coordinator tells it, step by step (server-sent events), over as many connections as it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { reach } from './graphql-client.js';

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
/** Gives up on a coordinator that has been away for so long. */
const PATIENCE_MS = 120_000;
/** The coordinator says something at least every 15 seconds: a connection that is silent for three times as long is dead. */
const SILENCE_MS = 45_000;

/**
 * Yields once for every step of the round; ends with the round. A connection that breaks is made again from where it left off. Throws
 * `unreachable` when there is none for two minutes, `not-found`, `unexpected-answer`, and what `signal` was aborted with.
 */
export async function* roundSteps(
  baseUrl: string,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<void> {
  let last: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  let awaySince: number | undefined;
  for (;;) {
    let heard = 0;
    try {
      for await (const event of connection(baseUrl, id, last, signal)) {
        last = event;
        heard += 1;
        yield;
      }
      if (heard === 0) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isConcordatError(error, 'unreachable')) throw error;
      awaySince = heard > 0 ? undefined : (awaySince ?? performance.now());
      if (awaySince !== undefined && performance.now() - awaySince > PATIENCE_MS) throw error;
    }
    if (heard > 0) {
      retryMs = FIRST_RETRY_MS;
      awaySince = undefined;
    }
    await pause(retryMs, undefined, { signal });
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** Ids of whole events, as our coordinator writes them (HTML Living Standard, section 9.2.6); comments have none. */
const idsOf = (events: string): string[] =>
  [...events.matchAll(/^id: (\d+)$/gm)].map(([, id = '']) => id);

/** Ids of the events of one connection; none once the round is over and its end was seen. */
async function* connection(
  baseUrl: string,
  id: string,
  last: string | undefined,
  stop: AbortSignal | undefined,
): AsyncGenerator<string> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const broken = (cause: unknown): ConcordatError =>
    new ConcordatError('unreachable', 'the coordinator broke off; trying again', { cause });
  try {
    const response = await reach(new URL(`/v1/rounds/${id}/events`, baseUrl), {
      headers: {
        accept: 'text/event-stream',
        ...(last === undefined ? {} : { 'last-event-id': last }),
      },
      signal: stop ? AbortSignal.any([stop, silence.signal]) : silence.signal,
    });
    if (response.status === 204) return;
    if (response.status === 404)
      throw new ConcordatError('not-found', 'the coordinator does not know this round');
    if (response.status >= 500 || response.status === 429)
      throw broken(`status ${response.status}`);
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !response.body || !type.startsWith('text/event-stream')) {
      throw new ConcordatError(
        'unexpected-answer',
        'the coordinator runs another version than this command',
      );
    }
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of response.body) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        text += decoder.decode(chunk, { stream: true });
        const end = text.lastIndexOf('\n\n') + 2;
        if (end < 2) continue;
        yield* idsOf(text.slice(0, end));
        text = text.slice(end);
      }
    } catch (cause) {
      throw isConcordatError(cause) ? cause : broken(cause);
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}
