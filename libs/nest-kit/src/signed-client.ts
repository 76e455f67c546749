import { randomBytes } from 'node:crypto';
import { ConcordatError } from '#libs/bytes';
import { contentDigest, type MessageSigner, Problem, signRequest } from '#libs/protocol';

/** Longest a request may take unless it brings its own signal. */
const TIMEOUT_MS = 120_000;

/** Signed requests to one host (RFC 9421), as one process of the federation. */
export class SignedClient {
  constructor(
    private readonly baseUrl: string,
    private readonly keyId: string,
    private readonly key: MessageSigner,
    private readonly nowMs: () => number,
  ) {}

  /** Sends and returns a successful response; a problem document becomes a `ConcordatError` with its code. */
  async send(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body: Uint8Array = new Uint8Array(),
    contentType?: string,
    signal: AbortSignal = AbortSignal.timeout(TIMEOUT_MS),
  ): Promise<Response> {
    const url = new URL(path, this.baseUrl);
    const signed = signRequest(
      {
        method,
        authority: url.host,
        path: url.pathname,
        query: url.search || '?',
        contentDigest: contentDigest(body),
      },
      this.keyId,
      Math.floor(this.nowMs() / 1000),
      randomBytes(16).toString('hex'),
      this.key,
    );
    const response = await fetch(url, {
      method,
      headers: { ...signed, ...(contentType ? { 'content-type': contentType } : {}) },
      ...(method === 'GET'
        ? {}
        : { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
      signal,
      redirect: 'error',
    });
    if (response.ok) return response;
    const problem = Problem.safeParse(await response.json().catch(() => undefined));
    const code = problem.success ? problem.data.code : `http-${response.status}`;
    throw new ConcordatError(
      code,
      `${url.host} answered ${response.status} to ${method} ${url.pathname}`,
    );
  }
}
