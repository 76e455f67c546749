import type { FastifyReply } from 'fastify';

/** Aborts when the connection of a request closes: its client left, or has its answer. */
export function clientLeft(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => left.abort());
  return left.signal;
}
