/** A Redis of the test's own: its port, its folder, its settings; nothing of the machine's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';

/** Under which an acknowledged write outlives the process. */
const DURABLE = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];

export class PrivateRedis {
  private server: ChildProcess | undefined;

  private constructor(
    private readonly dir: string,
    private readonly port: number,
    private readonly settings: readonly string[],
  ) {}

  /** Starts `redis-server`, which `tools/setup.mjs --tests` installs; throws when it does not start. */
  static async start(settings: readonly string[] = DURABLE): Promise<PrivateRedis> {
    const dir = mkdtempSync(join(tmpdir(), 'concordat-redis-'));
    const redis = new PrivateRedis(dir, await freePort(), settings);
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again on the same port and folder, and waits until it takes commands. */
  async restart(): Promise<void> {
    const server = spawn(
      'redis-server',
      [
        '--port',
        String(this.port),
        '--bind',
        '127.0.0.1',
        '--dir',
        this.dir,
        '--save',
        '',
        ...this.settings,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.server = server;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        if (output.includes('Ready to accept connections')) resolve();
      };
      server.stdout?.on('data', read);
      server.stderr?.on('data', read);
      server.once('error', reject);
      server.once('exit', () => reject(new Error(`redis-server did not start:\n${output}`)));
    });
    server.removeAllListeners('exit');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server || server.exitCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
