/** How often one address may ask, and one identity: beyond that 429 with Retry-After (RFC 6585, section 4). */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ConcordatError } from '#libs/bytes';
import { problem } from '#libs/protocol';

const WINDOW_SECONDS = 60;

/** A refusal that says when to come back. */
export class TooManyRequests extends ConcordatError {
  constructor(readonly retryAfterSeconds: number) {
    super('too-many-requests', `asked too often; come back in ${retryAfterSeconds} s`);
  }
}

/** Counts requests by key over a minute, in this process. */
export class RequestLimit {
  private readonly limiter: RateLimiterMemory;

  constructor(perMinute: number) {
    this.limiter = new RateLimiterMemory({ points: perMinute, duration: WINDOW_SECONDS });
  }

  /** Throws `TooManyRequests`. */
  async take(key: string): Promise<void> {
    try {
      await this.limiter.consume(key);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new TooManyRequests(Math.max(1, Math.ceil(refused.msBeforeNext / 1000)));
    }
  }
}

/** One network: an IPv4 address, or the /64 that a single IPv6 host can choose any address of. */
export function networkOf(address: string): string {
  const [, v4] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (v4 !== undefined) return v4;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** A request before anything of it was believed. */
export interface IncomingRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Where it comes from: the connection, or what a trusted proxy says. */
  readonly ip: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Has `take` count every request before its body is read; what it throws as `TooManyRequests` is the answer. To be called before the application listens. */
export function limitRequestsBy(
  app: NestFastifyApplication,
  take: (request: IncomingRequest) => Promise<void>,
): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', async (request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    const { method, ip, headers } = request;
    try {
      await take({ method, path, ip, headers });
    } catch (error) {
      if (!(error instanceof TooManyRequests)) throw error;
      return reply
        .status(429)
        .header('retry-after', String(error.retryAfterSeconds))
        .header('content-type', 'application/problem+json')
        .send(Buffer.from(JSON.stringify(problem(429, error.code, error.message))));
    }
  });
}
