import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { contentDigestOf, type MessageSigner, signResponse } from '#libs/protocol';

/** As whom a process signs its answers. */
export interface ResponseSigning {
  readonly id: string;
  readonly key: MessageSigner;
  readonly nowMs: () => number;
}

/**
 * Fastify's `onSend` hook: signs the answer to every signed request, refusals included, so that its sender can tell them from what
 * somebody on the way makes up. Answers to others are public and named by their hash, or carry their own signature. A stream is
 * not signed, since its digest comes after its header; no signed request is answered with one.
 */
export const responseSigner =
  ({ id, key, nowMs }: ResponseSigning) =>
  async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const requestSignature = request.headers.signature;
    if (typeof requestSignature !== 'string') return payload;
    const isBytes = typeof payload === 'string' || payload instanceof Uint8Array;
    if (!isBytes && payload !== undefined && payload !== null) return payload;
    const digest = createHash('sha256')
      .update(isBytes ? payload : '')
      .digest();
    const headers = signResponse(
      { status: reply.statusCode, contentDigest: contentDigestOf(digest), requestSignature },
      id,
      Math.floor(nowMs() / 1000),
      key,
    );
    if (headers) reply.headers({ ...headers });
    return payload;
  };
