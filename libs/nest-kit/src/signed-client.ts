import { createHash, randomBytes } from 'node:crypto';
import { ConcordatError } from '#libs/bytes';
import {
  contentDigest,
  contentDigestOf,
  MAX_AGE_SECONDS,
  MAX_SKEW_SECONDS,
  type MessageSigner,
  Problem,
  signRequest,
  type VerifySignature,
  verifyResponse,
} from '#libs/protocol';
import { timeLimit } from './time-limit.js';
import { traceparent } from './tracing.js';

/** Longest a request may take unless it says how long. */
const WITHIN_MS = 120_000;
/** Responses to signed requests are messages: nothing of this size is one. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

export interface SignedClientOptions {
  readonly url: string;
  /** Id of this process in the manifest. */
  readonly id: string;
  readonly key: MessageSigner;
  /** Public key of the process that is addressed: no other is answered to, no other's answer is believed. */
  readonly server: () => string;
  readonly verify: VerifySignature;
  readonly nowMs: () => number;
}

export interface RequestOptions {
  /** Gives the request up. */
  readonly signal?: AbortSignal;
  /** Longest that it may take, with its answer; two minutes unless given. */
  readonly withinMs?: number;
}

/** A problem document as an error. */
export class RequestRefused extends ConcordatError {
  constructor(
    code: string,
    message: string,
    readonly status: number,
    /** How long to wait before asking again; 0 where the answer does not say. */
    readonly retryAfterSeconds: number,
  ) {
    super(code, message);
  }
}

/** Signed requests to one process of the federation, and its signed answers (RFC 9421), as another process of it. */
export class SignedClient {
  private skew: number | undefined;

  constructor(private readonly options: SignedClientOptions) {}

  /** The server's clock minus this one in seconds, by its last answer; undefined before the first. */
  get skewSeconds(): number | undefined {
    return this.skew;
  }

  /**
   * Sends, and returns a successful response once its body was read whole and its signature verified. A problem document becomes a
   * `RequestRefused` with its code. Throws `bad-response-signature` for an answer that the server did not sign for this
   * request, and `clock-skew` when the clocks are too far apart to talk.
   */
  async send(
    method: 'GET' | 'PATCH' | 'POST',
    path: string,
    body: Uint8Array = new Uint8Array(),
    contentType?: string,
    { signal, withinMs = WITHIN_MS }: RequestOptions = {},
  ): Promise<Response> {
    const { id, key, nowMs, server } = this.options;
    const url = new URL(path, this.options.url);
    const audience = server();
    const signed = signRequest(
      {
        method,
        authority: url.host,
        path: url.pathname,
        query: url.search || '?',
        contentDigest: contentDigest(body),
      },
      {
        keyId: id,
        signer: key,
        audience,
        createdSeconds: Math.floor(nowMs() / 1000),
        nonce: randomBytes(16).toString('hex'),
      },
    );
    const parent = traceparent();
    const response = await fetch(url, {
      method,
      headers: {
        ...signed,
        ...(contentType ? { 'content-type': contentType } : {}),
        ...(parent ? { traceparent: parent } : {}),
      },
      ...(method === 'GET'
        ? {}
        : { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
      signal: AbortSignal.any([timeLimit(withinMs), ...(signal ? [signal] : [])]),
      redirect: 'error',
    });
    const bytes = await readBounded(response, url.host);
    this.believe(response, bytes, signed.signature, audience, url.host);
    if (response.ok) {
      return new Response(bytes.length === 0 ? null : bytes, {
        status: response.status,
        headers: response.headers,
      });
    }
    if (response.status === 401 && Math.abs(this.skew ?? 0) > MAX_AGE_SECONDS) throw skewed(url);
    const problem = Problem.safeParse(jsonOf(bytes));
    const code = problem.success ? problem.data.code : `http-${response.status}`;
    const seconds = /^\d{1,4}$/.exec(response.headers.get('retry-after') ?? '')?.[0];
    throw new RequestRefused(
      code,
      `${url.host} answered ${response.status} to ${method} ${url.pathname}`,
      response.status,
      Number(seconds ?? 0),
    );
  }

  private believe(
    response: Response,
    bytes: Uint8Array,
    requestSignature: string,
    publicKey: string,
    host: string,
  ): void {
    const digest = createHash('sha256').update(bytes).digest();
    const verified = verifyResponse(
      { status: response.status, contentDigest: contentDigestOf(digest), requestSignature },
      {
        'content-digest': response.headers.get('content-digest'),
        'signature-input': response.headers.get('signature-input'),
        signature: response.headers.get('signature'),
      },
      {
        publicKey,
        nowSeconds: Math.floor(this.options.nowMs() / 1000),
        verify: this.options.verify,
      },
    );
    if (!('fault' in verified)) {
      this.skew = verified.skewSeconds;
      return;
    }
    if (verified.fault === 'clock-skew') throw skewed(new URL(`http://${host}`));
    throw new ConcordatError(
      'bad-response-signature',
      `${host} answered ${response.status} and did not sign it for this request (${verified.fault})`,
    );
  }
}

const skewed = ({ host }: URL): ConcordatError =>
  new ConcordatError(
    'clock-skew',
    `the clocks of this machine and of ${host} differ by more than ${MAX_AGE_SECONDS} s (${MAX_SKEW_SECONDS} s are measured); set them`,
  );

const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};

async function readBounded(response: Response, host: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES) {
      throw new ConcordatError('too-large', `${host} answered more than a message can be`);
    }
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
