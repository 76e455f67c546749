import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { roundUnderWay } from './tracing.js';

export type { Logger };

/** Every line about a round bears its trace id, also one that something below it writes which knows of no round. */
function traceOf(line: object): { trace_id?: string } {
  const { round } = line as { round?: unknown };
  const id = typeof round === 'string' ? round : roundUnderWay();
  return id === undefined ? {} : { trace_id: id };
}

/**
 * JSON lines on stderr, unless `to` is given, one process name each. Callers log codes and ids, never values or identifiers of records. The id of
 * a round is the `trace_id` of its lines in every process.
 */
export const createLogger = (
  process: string,
  level = 'info',
  to: DestinationStream = destination({ dest: 2, sync: true }),
): Logger => pino({ name: process, level, base: { process }, mixin: traceOf }, to);

/** Nest's own messages through the same logger. */
export const nestLogger = (logger: Logger): LoggerService => ({
  log: (message: unknown) => logger.debug(String(message)),
  error: (message: unknown) => logger.error(String(message)),
  warn: (message: unknown) => logger.warn(String(message)),
  debug: (message: unknown) => logger.debug(String(message)),
  verbose: (message: unknown) => logger.trace(String(message)),
});
