/** What whoever runs a process asks it over HTTP: is it alive, is it ready, how is it doing. The same for every process. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { isConcordatError } from '#libs/bytes';
import { problem } from '#libs/protocol';
import type { Metrics } from './metrics.js';

/** Undefined when all is well, else a kebab-case code. What it throws counts as its code. */
export type ReadyCheck = () => string | undefined | Promise<string | undefined>;

export interface Operations {
  readonly metrics: Metrics;
  /** By what each looks at. The process is ready when none has a code. */
  readonly ready: Readonly<Record<string, ReadyCheck>>;
  /** More that `/readyz` says, whether or not it is ready. */
  readonly readyDetail?: () => Readonly<Record<string, unknown>>;
  /** More that `/healthz` says of a process that is alive. */
  readonly health?: () => Readonly<Record<string, unknown>>;
}

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;
/** A proxy on this machine connects from loopback too: whoever it speaks for is not. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'];

const isLocal = ({ headers, socket }: FastifyRequest): boolean =>
  LOOPBACK.test(socket.remoteAddress ?? '') && FORWARDED.every((name) => !(name in headers));

async function codeOf(check: ReadyCheck): Promise<string> {
  try {
    return (await check()) ?? 'ok';
  } catch (error) {
    return isConcordatError(error) ? error.code : 'internal';
  }
}

/** Adds `/healthz`, `/readyz` and, for this machine only, `/metrics`. To be called before the application listens. */
export function serveOperations(
  app: NestFastifyApplication,
  { metrics, ready, readyDetail = () => ({}), health = () => ({}) }: Operations,
): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.answered(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
  });
  server.get('/healthz', async (_request, reply) => {
    await reply.header('cache-control', 'no-store').send({ status: 'ok', ...health() });
  });
  server.get('/readyz', async (_request, reply) => {
    const names = Object.entries(ready);
    const codes = await Promise.all(names.map(([, check]) => codeOf(check)));
    const isReady = codes.every((code) => code === 'ok');
    const checks = Object.fromEntries(names.map(([name], i) => [name, codes[i]]));
    await reply
      .status(isReady ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: isReady ? 'ready' : 'not-ready', checks, ...readyDetail() });
  });
  server.get('/metrics', async (request, reply) => {
    if (!isLocal(request)) {
      const body = problem(404, 'not-found', 'metrics are read on this machine');
      return reply
        .status(404)
        .header('content-type', 'application/problem+json')
        .send(Buffer.from(JSON.stringify(body)));
    }
    return reply.header('content-type', metrics.contentType).send(await metrics.text());
  });
}
