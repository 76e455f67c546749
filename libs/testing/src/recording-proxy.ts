/** A TCP relay that keeps every byte that goes from the client to the server, and reads them as HTTP/1.1 requests. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: string;
  readonly body: Buffer;
}

export class RecordingProxy {
  private readonly sent: Buffer[][] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** Listens on a free loopback port and relays to `target`. */
  static async open(target: string): Promise<RecordingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const proxy = new RecordingProxy(server, `http://127.0.0.1:${port}`);
    const { hostname, port: targetPort } = new URL(target);
    server.on('connection', (client) => {
      const upstream = connect(Number(targetPort), hostname);
      const chunks: Buffer[] = [];
      proxy.sent.push(chunks);
      client.on('data', (chunk: Buffer) => chunks.push(chunk));
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        proxy.sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => proxy.sockets.delete(from));
      }
    });
    return proxy;
  }

  /** Every byte sent so far, connection after connection. */
  bytes(): Buffer {
    return Buffer.concat(this.sent.flat());
  }

  /** The same as requests. Throws on anything but requests with a content-length or without a body. */
  requests(): RecordedRequest[] {
    return this.sent.flatMap((chunks) => {
      const requests: RecordedRequest[] = [];
      let rest = Buffer.concat(chunks);
      while (rest.length > 0) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) throw new Error('bytes that are no HTTP request');
        const headers = rest.subarray(0, end).toString('latin1');
        const [method = '', path = ''] = headers.split(' ', 2);
        if (/^transfer-encoding:/im.test(headers)) throw new Error('a body of unstated length');
        const length = Number(/^content-length: *(\d+)$/im.exec(headers)?.[1] ?? 0);
        const body = rest.subarray(end + 4, end + 4 + length);
        if (body.length < length) throw new Error('a body that is cut off');
        requests.push({ method, path, headers, body });
        rest = rest.subarray(end + 4 + length);
      }
      return requests;
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
