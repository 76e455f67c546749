import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ConcordatError } from '#libs/bytes';
import { type Problem, problem } from '#libs/protocol';
import type { Logger } from './logger.js';
import { TooManyRequests } from './request-limits.js';
import { sendProblem, unreadable } from './unreadable-request.js';

/** HTTP status of our codes; a code that is not here is 422: well understood and never going to work. */
const STATUS: Readonly<Record<string, number>> = {
  'bad-request-signature': 401,
  'bad-signature': 401,
  'wrong-signer': 401,
  'bad-token': 401,
  'token-expired': 401,
  'token-used': 401,
  'token-of-another': 401,
  'no-such-enrolment': 404,
  'malformed-message': 400,
  'malformed-encoding': 400,
  'not-canonical': 400,
  'invalid-cell': 400,
  'parent-too-fine': 400,
  'too-many-cells': 400,
  'not-found': 404,
  'no-such-layer': 404,
  'no-such-release': 404,
  'no-such-request': 404,
  'no-such-resolution': 404,
  'outside-grid': 404,
  'not-yet': 409,
  'wrong-offset': 409,
  'upload-cut': 400,
  'too-large': 413,
  'read-only-replica': 421,
  'too-many-requests': 429,
  stopping: 503,
  'too-many-streams': 503,
  'log-unavailable': 503,
  'log-closed': 503,
  'blob-unavailable': 503,
  'log-locked': 503,
};

/** The only place where an error becomes an HTTP body. What is not ours is logged and answered as `internal`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType<string>() !== 'http') throw error;
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const document = this.describe(error);
    if (error instanceof TooManyRequests) {
      void reply.header('retry-after', String(error.retryAfterSeconds));
    } else if (document.status === 409 || document.status === 503)
      void reply.header('retry-after', '1');
    sendProblem(reply, document);
  }

  private describe(error: unknown): Problem {
    if (error instanceof ConcordatError)
      return problem(STATUS[error.code] ?? 422, error.code, error.message);
    if (error instanceof HttpException) return unreadable(error.getStatus());
    const status = (error as { statusCode?: unknown } | null)?.statusCode;
    if (typeof status === 'number' && status >= 400 && status < 500) return unreadable(status);
    this.logger.error({ err: error }, 'unexpected error');
    return problem(500, 'internal', 'this is our fault; the log of the process names it');
  }
}
