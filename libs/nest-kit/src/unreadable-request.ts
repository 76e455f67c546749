/** Requests that no route can read, or that come too late: their answers are problem documents too, with one code for each way to be unreadable. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, problem } from '#libs/protocol';

const UNREADABLE: Readonly<Record<number, readonly [code: string, title: string]>> = {
  400: ['malformed-json', 'the body is not the JSON that its content type promises'],
  404: ['not-found', 'there is nothing at this address, or not for this method'],
  408: ['request-timeout', 'the request did not arrive in time; send it again'],
  413: ['request-too-large', 'a body is at most 4 MiB; vectors are sent as octet streams'],
  414: ['malformed-url', 'a part of the path is too long'],
  415: [
    'unsupported-media-type',
    'send application/json, or application/octet-stream for a vector',
  ],
  431: ['headers-too-large', 'the headers of a request are at most 16 KiB'],
};

/** The problem document of a body or route that the framework refused with `status`. */
export function unreadable(status: number): Problem {
  const [code, title] = UNREADABLE[status] ?? [`http-${status}`, 'the request could not be read'];
  return problem(status, code, title);
}

/**
 * Sent as bytes: to a text Fastify would add a charset, which this media type does not have. Never stored: what is missing now may be
 * published in a second, and routes of content that never changes say before they look that it may be kept for a year.
 */
export function sendProblem(reply: FastifyReply, document: Problem): void {
  void reply
    .status(document.status)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .send(Buffer.from(JSON.stringify(document)));
}

/** For Fastify's `frameworkErrors`: an address that it cannot decode never reaches a filter. */
export function refuseUrl(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendProblem(
    reply,
    error.statusCode === 414
      ? unreadable(414)
      : problem(
          400,
          'malformed-url',
          'the address holds a % that is not followed by two hex digits',
        ),
  );
}

const STOPPING = problem(503, 'stopping', 'the process is stopping; ask again in a second');

/** Answers what still arrives on open connections while the server closes, before any of it is read. */
export function refuseWhileStopping(server: FastifyInstance): void {
  let isStopping = false;
  server.addHook('preClose', (done) => {
    isStopping = true;
    done();
  });
  server.addHook('onRequest', (_request, reply, done) => {
    if (!isStopping) return done();
    void reply.header('connection', 'close').header('retry-after', '1');
    sendProblem(reply, STOPPING);
  });
}

const STATUS_OF: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** For Fastify's `clientErrorHandler`: bytes that are no request have no reply object, and end their connection. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = STATUS_OF[error.code ?? ''];
  const document =
    status === undefined
      ? problem(400, 'malformed-request', 'this is not a request of HTTP/1.1')
      : unreadable(status);
  const body = JSON.stringify(document);
  if (socket.writable) {
    socket.write(
      [
        `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
        'Content-Type: application/problem+json',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  }
  socket.destroy(error);
}
