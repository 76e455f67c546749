import type { LoggerService } from '@nestjs/common';
import { destination, type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on stderr, one process name each. Callers log codes and ids, never values or identifiers of records. */
export const createLogger = (process: string, level = 'info'): Logger =>
  pino({ name: process, level, base: { process } }, destination({ dest: 2, sync: true }));

/** Nest's own messages through the same logger. */
export const nestLogger = (logger: Logger): LoggerService => ({
  log: (message: unknown) => logger.debug(String(message)),
  error: (message: unknown) => logger.error(String(message)),
  warn: (message: unknown) => logger.warn(String(message)),
  debug: (message: unknown) => logger.debug(String(message)),
  verbose: (message: unknown) => logger.trace(String(message)),
});
