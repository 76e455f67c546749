/** Server-sent events (HTML Living Standard, section 9.2): one stream of messages to one client, which comes back for the rest by itself. */
import type { FastifyReply } from 'fastify';
import { clientLeft } from './client-left.js';

const HEARTBEAT_MS = 15_000;
/** How soon a client that was cut off comes back. */
const RETRY_MS = 1_000;
/** Who reads so slowly that this much waits is cut off, and comes back for the rest. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface ServerSentEvent {
  /** What a client that comes back names in `Last-Event-ID`. */
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/** The last event that a client saw; undefined when it saw none or says something else. */
export function lastEventId(header: string | string[] | undefined): bigint | undefined {
  return typeof header === 'string' && /^\d{1,19}$/.test(header) ? BigInt(header) : undefined;
}

/**
 * Answers with every event of `make`, and comments in between so that nobody on the way takes the stream for dead. `make` is given a signal that
 * aborts when the client leaves or `closing` does. Resolves when the stream ended.
 */
export async function sendEvents(
  reply: FastifyReply,
  make: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
  closing: AbortSignal,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  const left = clientLeft(reply);
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  const heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS);
  try {
    for await (const { id, event, data } of make(AbortSignal.any([left, closing]))) {
      const name = id === undefined ? '' : `id: ${id}\n`;
      raw.write(`${name}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (raw.writableLength > MAX_WAITING_BYTES) raw.destroy();
    }
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}
