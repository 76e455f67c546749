import { randomBytes } from 'node:crypto';
import { ConcordatError, canonicalBytes } from '#libs/bytes';
import type { SigningKey } from '#libs/keystore';
import { Inbox, Problem, contentDigest, signRequest } from '#libs/protocol';

/** Longest a request other than the long poll may take. */
const TIMEOUT_MS = 120_000;

/** The node's only way out: signed requests to one host. */
export class CoordinatorClient {
  constructor(
    private readonly baseUrl: string,
    private readonly agency: string,
    private readonly key: SigningKey,
    private readonly nowMs: () => number,
  ) {}

  /** Everything in the inbox after `sequence`; waits up to `waitSeconds` for something to come. */
  async inbox(sequence: number, waitSeconds: number, signal: AbortSignal): Promise<Inbox> {
    const path = `/v1/inbox?after=${sequence}&wait=${waitSeconds}`;
    const timeout = AbortSignal.timeout((waitSeconds + 15) * 1000);
    const response = await this.send('GET', path, new Uint8Array(), undefined, AbortSignal.any([signal, timeout]));
    const parsed = Inbox.safeParse(await response.json());
    if (!parsed.success) throw new ConcordatError('malformed-message', 'the inbox is not well-formed');
    return parsed.data;
  }

  /** Posts a message of the protocol. */
  async post(path: string, message: unknown): Promise<void> {
    await this.send('POST', path, canonicalBytes(message), 'application/json');
  }

  /** Uploads a vector under its own SHA-256. Uploading it again changes nothing. */
  async putVector(digest: string, bytes: Uint8Array): Promise<void> {
    await this.send('PUT', `/v1/vectors/${digest}`, bytes, 'application/octet-stream');
  }

  private async send(
    method: string,
    path: string,
    body: Uint8Array,
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
      this.agency,
      Math.floor(this.nowMs() / 1000),
      randomBytes(16).toString('hex'),
      this.key,
    );
    const response = await fetch(url, {
      method,
      headers: { ...signed, ...(contentType ? { 'content-type': contentType } : {}) },
      ...(method === 'GET' ? {} : { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
      signal,
      redirect: 'error',
    });
    if (response.ok) return response;
    const problem = Problem.safeParse(await response.json().catch(() => undefined));
    const code = problem.success ? problem.data.code : `http-${response.status}`;
    throw new ConcordatError(code, `the coordinator answered ${response.status} to ${method} ${url.pathname}`);
  }
}
