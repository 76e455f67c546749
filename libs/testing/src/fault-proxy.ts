/**
 * An HTTP/1.1 relay over real sockets that treats requests badly. Bytes are relayed as they came, so that signatures stay what they
 * are; each request goes over a connection of its own to the target.
 */
import { setMaxListeners } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What happens to one request. */
export type NetworkFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks before the request reaches the target. */
  | { readonly kind: 'drop-request' }
  /** The target has answered, and the connection breaks before the answer is delivered. */
  | { readonly kind: 'drop-response' }
  /** The target receives the same bytes twice; the first answer is delivered. */
  | { readonly kind: 'duplicate' }
  /** The target receives half of the request, then the end of the stream; so does the client. */
  | { readonly kind: 'half-close' }
  /** Both sides receive bytes that are no HTTP. */
  | { readonly kind: 'garbage' }
  /** The body goes at `bytesPerSecond`, and the connection breaks after `bytes` of it. */
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number; readonly bytes: number };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly bodyBytes: number;
}

interface Message {
  readonly head: string;
  readonly bytes: Buffer;
  readonly headBytes: number;
}

const GARBAGE = Buffer.from('\0\xff\x16\x03\x01 this is no HTTP \r\n\r\n\xfe', 'latin1');

/** The first whole message of a stream, or undefined while more must come. */
function firstMessage(bytes: Buffer, isResponse: boolean): Message | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.subarray(0, end).toString('latin1');
  const headBytes = end + 4;
  const isBodiless = isResponse && /^HTTP\/1\.1 (?:1\d\d|204|304) /.test(head);
  if (!isBodiless && /^transfer-encoding: *chunked/im.test(head)) {
    const last = bytes.indexOf('0\r\n\r\n', headBytes);
    return last < 0 ? undefined : { head, headBytes, bytes: bytes.subarray(0, last + 5) };
  }
  const length = isBodiless ? 0 : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (bytes.length < headBytes + length) return undefined;
  return { head, headBytes, bytes: bytes.subarray(0, headBytes + length) };
}

export class FaultProxy {
  /** How often each fault was done. */
  readonly done = new Map<NetworkFault['kind'], number>();
  private readonly sockets = new Set<Socket>();
  private readonly closing = new AbortController();
  private target: URL;

  private constructor(
    private readonly server: Server,
    readonly url: string,
    target: string,
    private readonly choose: (request: SeenRequest) => NetworkFault,
  ) {
    this.target = new URL(target);
    // every request that is delayed listens
    setMaxListeners(0, this.closing.signal);
  }

  /** Listens on a free loopback port. `choose` says what happens to each request. */
  static async open(
    target: string,
    choose: (request: SeenRequest) => NetworkFault,
  ): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const proxy = new FaultProxy(server, `http://127.0.0.1:${port}`, target, choose);
    server.on('connection', (client) => {
      void proxy.serve(client).catch(() => client.destroy());
    });
    return proxy;
  }

  /** Ends every connection and refuses new ones. */
  async close(): Promise<void> {
    this.closing.abort();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private keep(socket: Socket): Socket {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
    return socket;
  }

  private async serve(client: Socket): Promise<void> {
    this.keep(client);
    let buffered = Buffer.alloc(0);
    for await (const chunk of client) {
      buffered = Buffer.concat([buffered, chunk as Buffer]);
      for (;;) {
        const request = firstMessage(buffered, false);
        if (!request) break;
        buffered = buffered.subarray(request.bytes.length);
        await this.relay(client, request);
        if (client.destroyed) return;
      }
    }
  }

  private async relay(client: Socket, request: Message): Promise<void> {
    const [method = '', path = ''] = request.head.split(' ', 2);
    const bodyBytes = request.bytes.length - request.headBytes;
    const fault = this.choose({ method, path, bodyBytes });
    this.done.set(fault.kind, (this.done.get(fault.kind) ?? 0) + 1);
    switch (fault.kind) {
      case 'none':
        client.write(await this.forward(client, request.bytes));
        return;
      case 'delay':
        await pause(fault.ms, undefined, { signal: this.closing.signal, ref: false });
        client.write(await this.forward(client, request.bytes));
        return;
      case 'drop-request':
        client.destroy();
        return;
      case 'drop-response':
        await this.forward(client, request.bytes);
        client.destroy();
        return;
      case 'duplicate': {
        const [first] = await Promise.all([
          this.forward(client, request.bytes),
          this.forward(client, request.bytes),
        ]);
        client.write(first);
        return;
      }
      case 'half-close': {
        const upstream = this.dial();
        upstream.end(request.bytes.subarray(0, request.headBytes + Math.floor(bodyBytes / 2)));
        upstream.resume();
        client.end();
        return;
      }
      case 'garbage': {
        const upstream = this.dial();
        upstream.end(GARBAGE);
        upstream.resume();
        client.end(GARBAGE);
        return;
      }
      case 'trickle': {
        const upstream = this.dial();
        upstream.write(request.bytes.subarray(0, request.headBytes));
        for (let sent = 0; sent < Math.min(fault.bytes, bodyBytes); sent++) {
          const at = request.headBytes + sent;
          upstream.write(request.bytes.subarray(at, at + 1));
          await pause(1000 / fault.bytesPerSecond);
        }
        upstream.destroy();
        client.destroy();
      }
    }
  }

  private dial(): Socket {
    return this.keep(connect(Number(this.target.port), this.target.hostname));
  }

  /** The whole answer of the target. Rejects when either side goes away before. */
  private forward(client: Socket, bytes: Buffer): Promise<Buffer> {
    const upstream = this.dial();
    const gone = (): void => {
      upstream.destroy();
    };
    client.once('close', gone);
    return new Promise<Buffer>((resolve, reject) => {
      let answer = Buffer.alloc(0);
      upstream.on('data', (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        const whole = firstMessage(answer, true);
        if (!whole) return;
        resolve(whole.bytes);
        upstream.destroy();
      });
      upstream.on('close', () => reject(new Error('the target ended the connection')));
      upstream.write(bytes);
    }).finally(() => client.off('close', gone));
  }
}
