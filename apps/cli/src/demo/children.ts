import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ConcordatError } from '#libs/bytes';

const STOP_WITHIN_MS = 8_000;
const READY_WITHIN_MS = 60_000;

/** Processes that work at the same time: two a core of a small machine. */
const AT_ONCE = 4;

/** Does `work` for every item, a few at a time; the first failure stops the rest from starting. */
export async function eachAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export type App = 'auditor' | 'coordinator' | 'node';

const entryOf = (app: App): string =>
  fileURLToPath(new URL(`../../../${app}/src/main.js`, import.meta.url));

interface ChildMessage {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Last lines a child wrote to stderr: shown when it dies, hidden while all is well. */
class Tail {
  private lines: string[] = [];
  add(chunk: string): void {
    this.lines = [...this.lines, ...chunk.split('\n').filter(Boolean)].slice(-5);
  }
  text(): string {
    return this.lines.join('\n');
  }
}

/**
 * The processes of the demo federation. They are started with an IPC channel and stop by themselves when it closes, so nothing is
 * left running even when this process is killed.
 */
export class Children {
  private readonly running = new Map<string, ChildProcess>();
  private stopping = false;

  /** `onDeath` hears of a server that ended before `stopAll`. */
  constructor(private readonly onDeath: (error: ConcordatError) => void) {}

  /** Runs a command of a process to its end. `onMessage` hears what it reports over IPC. Throws `child-failed` or the child's own code. */
  async run(
    name: string,
    app: App,
    args: readonly string[],
    onMessage: (message: ChildMessage) => void = () => {},
  ): Promise<void> {
    const { child, tail } = this.spawn(name, app, args);
    let failure: ConcordatError | undefined;
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'failed') {
        failure = new ConcordatError(String(message.code), `${name}: ${String(message.message)}`);
      } else onMessage(message);
    });
    const [code, signal] = await exitOf(child);
    this.running.delete(name);
    if (failure) throw failure;
    if (code !== 0) throw died(name, code, signal, tail.text());
  }

  /** Starts a server and resolves with its URL once it says that it is ready. */
  async serve(name: string, app: App, args: readonly string[]): Promise<string> {
    const { child, tail } = this.spawn(name, app, args);
    return new Promise((resolve, reject) => {
      let ready = false;
      const timer = setTimeout(() => {
        reject(
          new ConcordatError(
            'child-not-ready',
            `${name} did not become ready in ${READY_WITHIN_MS / 1000} s`,
          ),
        );
      }, READY_WITHIN_MS);
      child.on('message', (message: ChildMessage) => {
        clearTimeout(timer);
        if (message.type === 'ready') {
          ready = true;
          resolve(String(message.url));
        } else if (message.type === 'failed') {
          reject(new ConcordatError(String(message.code), `${name}: ${String(message.message)}`));
        }
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        this.running.delete(name);
        const error = died(name, code, signal, tail.text());
        reject(error);
        if (ready && !this.stopping) this.onDeath(error);
      });
    });
  }

  /** Asks every child to stop, and insists after a few seconds. */
  async stopAll(): Promise<void> {
    this.stopping = true;
    const children = [...this.running.values()];
    const ends = children.map(exitOf);
    for (const child of children) child.kill('SIGTERM');
    const insist = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await Promise.all(ends);
    clearTimeout(insist);
  }

  private spawn(
    name: string,
    app: App,
    args: readonly string[],
  ): { child: ChildProcess; tail: Tail } {
    if (this.stopping) throw new ConcordatError('stopping', 'no process is started any more');
    const child = fork(entryOf(app), args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--enable-source-maps'],
      // Own process group: Ctrl-C reaches this process only, which then stops the children in order.
      detached: true,
    });
    const tail = new Tail();
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => tail.add(chunk));
    this.running.set(name, child);
    return { child, tail };
  }
}

const exitOf = (child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve([child.exitCode, child.signalCode])
    : new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => resolve([code, signal]));
      });

const died = (
  name: string,
  code: number | null,
  signal: string | null,
  tail: string,
): ConcordatError =>
  new ConcordatError(
    'child-failed',
    `${name} ended with ${signal ? `signal ${signal}` : `exit code ${code}`}${tail ? `; its last words:\n${tail}` : ''}`,
  );
