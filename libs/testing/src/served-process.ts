/** A process of a federation as its operator runs it: the built program with a folder, to be killed at will. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '#libs/host';

/** How much of what a process wrote last is kept for whoever wants to know why it ended. */
const KEPT_CHARACTERS = 4_000;

export class ServedProcess {
  /** Resolves with its address once it serves; rejects when it ends before. */
  readonly ready: Promise<string>;
  /** Resolves with the signal or exit code. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  private readonly child: ChildProcess;
  private words = '';

  constructor(
    app: 'node' | 'coordinator' | 'auditor',
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const main = join(packageRoot(import.meta.url), 'dist', 'apps', app, 'src', 'main.js');
    const child = fork(main, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.words = (this.words + chunk).slice(-KEPT_CHARACTERS);
    });
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code));
    });
    this.ready = new Promise((resolve, reject) => {
      child.on('message', (message: { type: string; url?: string }) => {
        if (message.type === 'ready') resolve(String(message.url));
      });
      void this.ended.then((how) => reject(new Error(`the ${app} ended (${how}): ${this.words}`)));
    });
    this.ready.catch(() => undefined);
  }

  /** Ends it, and resolves once it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }
}
