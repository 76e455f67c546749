import { failureOf } from '#libs/bytes';
import { endFailed } from '#libs/command-line';
import type { Logger } from './logger.js';
import { startTracing } from './tracing.js';

/** What a parent process (the demo, a test) is told over IPC. */
export type ProcessMessage =
  | { readonly type: 'ready'; readonly url: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'initialised';
      readonly id: string;
      readonly publicKey: string;
      readonly boxKey: string;
    }
  | {
      readonly type: 'progress';
      readonly rows: number;
      readonly file: number;
      readonly fileCount: number;
    }
  | { readonly type: 'ingested'; readonly report: unknown };

export interface RunningProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Tells the process that started this one, if one did. */
export const tellParent = (message: ProcessMessage): void => {
  if (process.connected) process.send?.(message);
};

/**
 * Stops the parts of a process in order. One that fails, as on a disk that takes no writes, is logged and does not keep the others from stopping;
 * the first error is thrown at the end.
 */
export async function stopInOrder(
  logger: Logger,
  parts: readonly (() => unknown)[],
): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of parts) {
    try {
      await stop();
    } catch (error) {
      errors.push(error);
      logger.error({ err: error }, 'a part did not stop cleanly; the others are stopped');
    }
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Runs a server until SIGINT, SIGTERM or the death of the parent that started it with an IPC channel: a process whose parent
 * was killed stops by itself. A failed start is told to the parent and ends with exit code 1.
 */
export async function runProcess(
  logger: Logger,
  start: () => Promise<RunningProcess>,
): Promise<void> {
  let running: RunningProcess;
  const stopTracing = await startTracing(`concordat-${String(logger.bindings().process)}`);
  try {
    running = await start();
  } catch (error) {
    await stopTracing();
    const { code, message } = failureOf(error);
    logger.fatal({ code, ...(code === 'internal' ? { err: error } : {}) }, message);
    tellParent({ type: 'failed', code, message });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
    return;
  }
  let _stopping: Promise<void> | undefined;
  const stop = (why: string): void => {
    _stopping ??= running
      .stop()
      .then(stopTracing)
      .then(() => logger.info({ why }, 'stopped'))
      .catch((error: unknown) => {
        logger.error({ err: error, why }, 'stopped, but not cleanly');
        process.exitCode = 1;
      })
      .finally(() => process.exit());
  };
  process.once('SIGINT', () => stop('SIGINT'));
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('disconnect', () => stop('parent gone'));
  logger.info({ url: running.url }, 'ready');
  tellParent({ type: 'ready', url: running.url });
}

/**
 * Runs the command line of a server process (its program set to `exitOverride`); a failed command is told to the parent and
 * ends with its exit code. A command whose parent is killed ends at once; one whose output nobody reads any more goes on.
 */
export async function runProgram(parse: () => Promise<unknown>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const orphaned = (): never => process.exit(1);
  process.once('disconnect', orphaned);
  // The listener alone would keep a command that is done alive.
  process.channel?.unref();
  try {
    await parse();
  } catch (error) {
    const failed = endFailed(error);
    if (failed?.code === 'internal' && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    if (failed) tellParent({ type: 'failed', ...failed });
  }
  process.off('disconnect', orphaned);
  // A command that is done must not be kept alive by the channel to its parent; a server is, until `runProcess` ends it.
  if (process.exitCode && process.connected) process.disconnect();
}
