import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range out of which Linux gives ports to whoever asks for any: nobody takes one of these between two binds of a test. */
const FIRST = 15_000;
const LAST = 32_000;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** A loopback port for a process that is told its port before it binds it, or binds it again after a kill. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
}
