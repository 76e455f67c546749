import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConcordatError } from '#libs/bytes';
import { type Logger, nestLogger } from './logger.js';
import { type ResponseSigning, responseSigner } from './signed-response.js';
import { contextOf, within } from './tracing.js';
import { refuseBytes, refuseUrl, refuseWhileStopping } from './unreadable-request.js';

/** JSON bodies are messages, not data: vectors travel as octet streams, which this limit does not touch. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/**
 * A Nest application on Fastify: problem documents for errors, raw bodies for signatures, streams for octets; with `signing`,
 * answers to signed requests are signed. The frameworks are loaded here, so that commands of a process which serve nothing start without them.
 */
export async function createHttpApp(
  module: DynamicModule,
  logger: Logger,
  signing?: ResponseSigning,
  /** Addresses or networks of reverse proxies: what they say of where a request comes from is believed. */
  trustedProxies: readonly string[] = [],
): Promise<NestFastifyApplication> {
  const [{ NestFactory }, { FastifyAdapter }, { ProblemFilter }] = await Promise.all([
    import('@nestjs/core'),
    import('@nestjs/platform-fastify'),
    import('./problem.filter.js'),
  ]);
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_JSON_BYTES,
    forceCloseConnections: true,
    // its answer is no problem document: refuseWhileStopping has one
    return503OnClosing: false,
    frameworkErrors: refuseUrl,
    clientErrorHandler: refuseBytes,
    ...(trustedProxies.length > 0 ? { trustProxy: [...trustedProxies] } : {}),
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: nestLogger(logger),
    rawBody: true,
    abortOnError: false,
  });
  const server = adapter.getInstance();
  refuseWhileStopping(server);
  server.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    done(null, payload);
  });
  // what a request causes is below the span that sent it; here, because reading a body may leave the context of an earlier hook
  server.addHook('preValidation', (request, _reply, done) => {
    within(contextOf(request.headers.traceparent), done);
  });
  if (signing) server.addHook('onSend', responseSigner(signing));
  app.useGlobalFilters(new ProblemFilter(logger));
  return app;
}

/** Binds and returns the base URL. Throws `port-taken` or `port-refused`. */
export async function listen(
  app: NestFastifyApplication,
  host: string,
  port: number,
): Promise<string> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') {
      throw new ConcordatError(
        'port-taken',
        `port ${port} on ${host} is taken; choose another with --port`,
      );
    }
    if (code === 'EACCES') {
      throw new ConcordatError(
        'port-refused',
        `port ${port} may not be used by this user; choose one above 1023`,
      );
    }
    throw cause;
  }
  const address = app.getHttpServer().address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}
