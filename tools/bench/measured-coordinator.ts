/**
 * A coordinator in a process of its own, for benches: its clock is set by whoever started it, and it tells when it published a release and
 * what its processor, threads included, and its event loop did since the clock was set.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { serveCoordinator } from '../../apps/coordinator/src/serve.js';

/** How often the event loop is looked at. */
const TICK_MS = 10;

/** What a coordinator did from the moment its clock was set to the publication of a release. */
export interface Published {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** 99th percentile and maximum of how late its event loop came to a timer. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

export class MeasuredCoordinator {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(dir: string, nowMs: number): Promise<MeasuredCoordinator> {
    const child = fork(fileURLToPath(import.meta.url), [dir, String(nowMs)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('message', (url: string) => resolve(url));
      child.once('exit', (code) => reject(new Error(`the coordinator ended with ${code}`)));
    });
    return new MeasuredCoordinator(url, child);
  }

  /** Sets its clock, and resolves once the next release is published. */
  async publishAt(nowMs: number): Promise<Published> {
    const published = new Promise<Published>((resolve) => this.child.once('message', resolve));
    this.child.send(nowMs);
    return published;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}

async function serve(dir: string, startMs: number): Promise<void> {
  let nowMs = startMs;
  let since = { atMs: performance.now(), cpu: process.cpuUsage() };
  const delay = monitorEventLoopDelay({ resolution: TICK_MS });
  const write = (line: string): void => {
    if (!line.includes('"msg":"released"')) return;
    const { user, system } = process.cpuUsage(since.cpu);
    const published: Published = {
      wallMs: performance.now() - since.atMs,
      cpuMs: (user + system) / 1000,
      // the histogram holds the time from tick to tick
      delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - TICK_MS),
      delayMaxMs: Math.max(0, delay.max / 1e6 - TICK_MS),
    };
    process.send?.(published);
  };
  const running = await serveCoordinator(dir, {
    port: 0,
    nowMs: () => nowMs,
    logger: pino({ level: 'info' }, { write }),
  });
  process.on('message', (at: number) => {
    nowMs = at;
    since = { atMs: performance.now(), cpu: process.cpuUsage() };
    delay.reset();
  });
  process.once('SIGTERM', () => void running.stop().finally(() => process.exit()));
  // whoever measured is gone
  process.once('disconnect', () => process.exit(1));
  delay.enable();
  process.send?.(running.url);
}

const [, program, dir, nowMs] = process.argv;
if (program === fileURLToPath(import.meta.url)) await serve(String(dir), Number(nowMs));
