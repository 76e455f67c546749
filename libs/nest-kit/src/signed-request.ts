import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ConcordatError } from '#libs/bytes';
import {
  contentDigestOf,
  MAX_AGE_SECONDS,
  type RequestFault,
  type VerifySignature,
  verifyRequest,
} from '#libs/protocol';

export type SignedFastifyRequest = FastifyRequest & { rawBody?: Buffer | undefined };

/** Why a request was refused: what the log counts, and the sender is not told. */
export type RefusedBecause =
  | RequestFault
  | 'before-start'
  | 'body-differs'
  | 'duplicate-header'
  | 'reused-nonce';

/** Headers that decide what a request says: sent twice, two readers may believe two things. */
const SINGLE_HEADERS = new Set([
  'content-digest',
  'content-length',
  'content-type',
  'host',
  'signature',
  'signature-input',
]);

function hasDuplicate(rawHeaders: readonly string[]): boolean {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) return true;
    seen.add(name);
  }
  return false;
}

export interface RequestVerifierOptions {
  /** Public key of this process: whom a request must be for. */
  readonly audience: () => string;
  readonly keyOf: (keyId: string) => string | undefined;
  readonly verify: VerifySignature;
  readonly nowMs: () => number;
  /** Hears of every refusal; see `RefusedRequests`. */
  readonly onRefused: (because: RefusedBecause) => void;
}

/**
 * Says who signed a request, or refuses it, always with the same words. One a process, so that nonces are remembered in one place. They are
 * remembered in memory: what was signed before this process started is refused, since the process before may have taken it.
 */
export class RequestVerifier {
  /** Nonce -> when it may be forgotten, in Unix seconds. */
  private readonly seen = new Map<string, number>();
  private readonly startedSeconds: number;

  constructor(private readonly options: RequestVerifierOptions) {
    this.startedSeconds = this.nowSeconds();
  }

  /**
   * Verifies signature, age, nonce and the digest of a body already read into `rawBody` (empty for GET). `keyOf` replaces
   * the keys of the manifest, for a process that is not in it yet. Returns the key id. Throws `bad-request-signature`.
   */
  verifyBuffered(request: SignedFastifyRequest, keyOf = this.options.keyOf): string {
    const body = request.rawBody ?? Buffer.alloc(0);
    // Before the nonce is used up: an altered copy must not spoil the request itself.
    this.matchDigest(request, createHash('sha256').update(body).digest());
    return this.verifyHeaders(request, keyOf);
  }

  /** The same without the body: the caller hashes the stream and calls `matchDigest` before it uses a byte. */
  verifyHeaders(request: FastifyRequest, keyOf = this.options.keyOf): string {
    if (hasDuplicate(request.raw.rawHeaders)) return this.refuse('duplicate-header');
    const target = request.raw.url ?? '';
    const mark = target.indexOf('?');
    const digest = request.headers['content-digest'];
    const nowSeconds = this.nowSeconds();
    const verified = verifyRequest(
      {
        method: request.method,
        authority: request.headers.host ?? '',
        path: mark < 0 ? target : target.slice(0, mark),
        query: mark < 0 ? '?' : target.slice(mark),
        contentDigest: typeof digest === 'string' ? digest : '',
      },
      request.headers,
      { audience: this.options.audience(), keyOf, nowSeconds, verify: this.options.verify },
    );
    if ('fault' in verified) return this.refuse(verified.fault);
    const { keyId, nonce, createdSeconds } = verified;
    if (createdSeconds < this.startedSeconds) return this.refuse('before-start');
    this.remember(`${keyId}:${nonce}`, nowSeconds);
    return keyId;
  }

  /** Compares the SHA-256 of the body that was read with the signed header. Throws `bad-request-signature`. */
  matchDigest(request: FastifyRequest, sha256: Uint8Array): void {
    const { signature, 'content-digest': digest } = request.headers;
    if (signature === undefined) this.refuse('no-signature');
    if (digest !== contentDigestOf(sha256)) this.refuse('body-differs');
  }

  private nowSeconds(): number {
    return Math.floor(this.options.nowMs() / 1000);
  }

  private remember(nonce: string, nowSeconds: number): void {
    for (const [old, expires] of this.seen) {
      if (expires > nowSeconds) break;
      this.seen.delete(old);
    }
    if (this.seen.has(nonce)) this.refuse('reused-nonce');
    this.seen.set(nonce, nowSeconds + 2 * MAX_AGE_SECONDS);
  }

  private refuse(because: RefusedBecause): never {
    this.options.onRefused(because);
    throw new ConcordatError(
      'bad-request-signature',
      'the request is not signed as the federation asks; docs/protocol/messages.md says how',
    );
  }
}
