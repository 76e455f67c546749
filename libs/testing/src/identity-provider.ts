/** A real OpenID provider in a process of its own (`tools/identity-provider.mjs`), and a browser that signs in there. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '#libs/host';

const MAX_REDIRECTS = 10;

export class TestIdentityProvider {
  private constructor(
    /** Issuer. */
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** `accounts` are names with the groups that their ID tokens carry. */
  static async start(
    accounts: Readonly<Record<string, readonly string[]>>,
    port = 0,
  ): Promise<TestIdentityProvider> {
    const script = join(packageRoot(import.meta.url), 'tools', 'identity-provider.mjs');
    const args = Object.entries(accounts).map(([name, groups]) => `${name}=${groups.join()}`);
    const child = fork(script, [String(port), ...args], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('message', (message: { url: string }) => resolve(message.url));
      child.once('exit', (code) => reject(new Error(`the provider ended with ${code}`)));
    });
    return new TestIdentityProvider(url, child);
  }

  /**
   * Opens an address of the provider as `account` does in a browser, and follows it until it leads to another host. Returns that address,
   * which was not opened.
   */
  async signIn(address: URL, account: string): Promise<URL> {
    const cookies = new Map<string, string>();
    let next = new URL(address);
    next.searchParams.set('login_hint', account);
    for (let i = 0; i < MAX_REDIRECTS; i++) {
      const response = await fetch(next, {
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) throw new Error(`the provider answered ${response.status}`);
      next = new URL(location, next);
      if (next.origin !== new URL(this.url).origin) return next;
    }
    throw new Error('the provider sends in circles');
  }

  /** Stops it, once; again changes nothing. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}
