/** Threads for heavy computing: the process that hands it over goes on answering, and an abort ends the computing at once. */
import { parentPort, Worker } from 'node:worker_threads';
import { ConcordatError, isConcordatError } from '#libs/bytes';

type ThreadTask = { readonly task: unknown } | { readonly preparation: unknown };

type ThreadMessage =
  | { readonly type: 'progress'; readonly fraction: number }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

export interface ThreadCall {
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

/**
 * Threads of one program, `entry` (built JavaScript), each computing one task at a time. A thread is started when none is idle, and kept
 * warm afterwards: it has its modules loaded and its caches filled. How many there are is how many tasks are run at once.
 */
export class Threads {
  private readonly idle: Worker[] = [];
  private readonly all = new Set<Worker>();

  constructor(private readonly entry: string) {}

  /**
   * Runs a task, which must survive structured cloning. Rejects with the code of the computation, the reason of the signal, or what ended
   * the thread.
   */
  async run(task: unknown, { signal, onProgress }: ThreadCall): Promise<unknown> {
    signal.throwIfAborted();
    const thread = this.idle.pop() ?? this.start();
    thread.ref();
    return new Promise((resolve, reject) => {
      const end = (isUsable: boolean): void => {
        signal.removeEventListener('abort', abort);
        thread.off('message', hear).off('error', fail).off('exit', exit);
        if (isUsable) {
          // an idle thread does not keep the process alive
          thread.unref();
          this.idle.push(thread);
        } else {
          void thread.terminate();
        }
      };
      const abort = (): void => {
        end(false);
        reject(signal.reason);
      };
      const fail = (error: Error): void => {
        end(false);
        reject(error);
      };
      const exit = (): void => fail(new Error('the thread ended without a result'));
      const hear = (message: ThreadMessage): void => {
        if (message.type === 'progress') {
          onProgress(message.fraction);
          return;
        }
        end(true);
        if (message.type === 'done') resolve(message.result);
        else reject(new ConcordatError(message.code, message.message));
      };
      signal.addEventListener('abort', abort);
      thread.on('message', hear).on('error', fail).on('exit', exit);
      const message: ThreadTask = { task };
      thread.postMessage(message);
    });
  }

  /**
   * Starts a thread before its first task comes, unless there is one: loading its modules takes a good part of a second. The one that is idle
   * then does what `preparation` says, if anything, so that the next task finds its caches filled and its code compiled; a task that comes
   * meanwhile waits for that.
   */
  warm(preparation?: unknown): void {
    if (this.all.size === 0) {
      const thread = this.start();
      thread.unref();
      this.idle.push(thread);
    }
    const message: ThreadTask = { preparation };
    if (preparation !== undefined) this.idle.at(-1)?.postMessage(message);
  }

  /** Ends every thread. */
  async close(): Promise<void> {
    this.idle.length = 0;
    await Promise.all([...this.all].map((thread) => thread.terminate()));
    this.all.clear();
  }

  private start(): Worker {
    const thread = new Worker(this.entry);
    this.all.add(thread);
    // told to whoever waits for it; one that ends while idle is merely not used again
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      this.all.delete(thread);
      const at = this.idle.indexOf(thread);
      if (at >= 0) this.idle.splice(at, 1);
    });
    return thread;
  }
}

/**
 * The other end, called once by the program of a thread. An error that is not ours ends the thread, and whoever waits hears that; one of
 * `prepare`, which nobody waits for, the task that needs the same will meet again.
 */
export function answerTasks(
  compute: (task: unknown, onProgress: (fraction: number) => void) => Promise<unknown>,
  prepare: (preparation: unknown) => void = () => {},
): void {
  const tell = (message: ThreadMessage): void => parentPort?.postMessage(message);
  parentPort?.on('message', (message: ThreadTask) => {
    if ('preparation' in message) {
      try {
        prepare(message.preparation);
      } catch {
        // said when it matters
      }
      return;
    }
    compute(message.task, (fraction) => tell({ type: 'progress', fraction })).then(
      (result) => tell({ type: 'done', result }),
      (error: unknown) => {
        if (!isConcordatError(error)) throw error;
        tell({ type: 'failed', code: error.code, message: error.message });
      },
    );
  });
}
