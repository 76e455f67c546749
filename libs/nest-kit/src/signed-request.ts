import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ConcordatError } from '#libs/bytes';
import {
  contentDigestOf,
  MAX_AGE_SECONDS,
  type VerifySignature,
  verifyRequest,
} from '#libs/protocol';

/** Says who signed a request, or refuses it. One a process, so that nonces are remembered in one place. */
export class RequestVerifier {
  /** Nonce -> when it may be forgotten, in Unix seconds. */
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly keyOf: (keyId: string) => string | undefined,
    private readonly verify: VerifySignature,
    private readonly nowMs: () => number,
  ) {}

  /**
   * Verifies signature, age, nonce and the digest of a body already read into `rawBody` (empty for GET).
   * Returns the key id. Throws `bad-request-signature`.
   */
  verifyBuffered(request: FastifyRequest & { rawBody?: Buffer | undefined }): string {
    const keyId = this.verifyHeaders(request);
    const digest = createHash('sha256')
      .update(request.rawBody ?? Buffer.alloc(0))
      .digest();
    this.matchDigest(request, digest);
    return keyId;
  }

  /** The same without the body: the caller hashes the stream and calls `matchDigest` before it uses a byte. */
  verifyHeaders(request: FastifyRequest): string {
    const [path = '', query] = request.raw.url?.split('?', 2) ?? [''];
    const digest = request.headers['content-digest'];
    const nowSeconds = Math.floor(this.nowMs() / 1000);
    const { keyId, nonce } = verifyRequest(
      {
        method: request.method,
        authority: request.headers.host ?? '',
        path,
        query: `?${query ?? ''}`,
        contentDigest: typeof digest === 'string' ? digest : '',
      },
      request.headers,
      this.keyOf,
      nowSeconds,
      this.verify,
    );
    this.remember(`${keyId}:${nonce}`, nowSeconds);
    return keyId;
  }

  /** Compares the SHA-256 of the body that was read with the signed header. Throws `bad-request-signature`. */
  matchDigest(request: FastifyRequest, sha256: Uint8Array): void {
    if (request.headers['content-digest'] !== contentDigestOf(sha256)) {
      throw new ConcordatError('bad-request-signature', 'the body is not the one that was signed');
    }
  }

  private remember(nonce: string, nowSeconds: number): void {
    for (const [old, expires] of this.seen) {
      if (expires > nowSeconds) break;
      this.seen.delete(old);
    }
    if (this.seen.has(nonce)) {
      throw new ConcordatError('bad-request-signature', 'this request was received before');
    }
    this.seen.set(nonce, nowSeconds + 2 * MAX_AGE_SECONDS);
  }
}
