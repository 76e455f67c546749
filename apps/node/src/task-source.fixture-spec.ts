/** A task source over HTTP for a node in its own process: it hands out signed tasks and keeps all that it is sent. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { contentDigest, type MessageSigner, type SignedTask, signResponse } from '#libs/protocol';
import { nodePaths } from './config.js';

export interface Sent {
  readonly round: string;
  readonly kind: 'contribution' | 'refusal' | 'hold' | 'accept';
  /** Of the payload: the vector's digest of a contribution, the code of a refusal. */
  readonly says: string | undefined;
  readonly fingerprint: string | undefined;
}

export interface TaskSource {
  readonly url: string;
  readonly sent: Sent[];
  /** Called before every poll is answered; what it returns stands in the inbox until its round is settled. */
  offer: () => readonly SignedTask[];
  /** The coordinator's, with which answers are signed. To be set before a node dials. */
  key: MessageSigner | undefined;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const POLL_MS = 50;

export async function startTaskSource(): Promise<TaskSource> {
  const open = new Map<string, { sequence: number; task: SignedTask }>();
  let sequence = 0;
  const source: TaskSource = {
    url: '',
    sent: [],
    offer: () => [],
    key: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const body = await bodyOf(request).catch(() => Buffer.alloc(0));
    const answer = (status: number, text = ''): void => {
      const digest = contentDigest(Buffer.from(text));
      const requestSignature = String(request.headers.signature);
      const signed =
        source.key &&
        signResponse(
          { status, contentDigest: digest, requestSignature },
          'coordinator',
          Math.floor(Date.now() / 1000),
          source.key,
        );
      response.writeHead(status, { ...signed });
      response.end(text);
    };
    if (pathname === '/v1/inbox') {
      for (const task of source.offer()) {
        sequence += 1;
        open.set(task.payload.round, { sequence, task });
      }
      const after = Number(searchParams.get('after'));
      const items = [...open.values()].filter((item) => item.sequence > after);
      if (items.length === 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      answer(200, JSON.stringify({ items }));
      return;
    }
    const [, round = '', kind = ''] = /^\/v1\/rounds\/([^/]+)\/([a-z]+)$/.exec(pathname) ?? [];
    if (kind) {
      const { payload } = JSON.parse(body.toString('utf8'));
      source.sent.push({
        round,
        kind: kind as Sent['kind'],
        says: payload.receipt?.payload.valueDigest ?? payload.code,
        fingerprint: payload.receipt?.payload.fingerprint ?? payload.fingerprint,
      });
      if (kind === 'contribution' || kind === 'refusal') open.delete(round);
    }
    if (request.method === 'GET' && pathname.startsWith('/v1/vectors/')) {
      answer(200, JSON.stringify({ offset: 0, complete: true }));
      return;
    }
    answer(204);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(source, { url: `http://127.0.0.1:${port}` });
}

const MAIN = fileURLToPath(new URL('../../../dist/apps/node/src/main.js', import.meta.url));

export interface NodeProcess {
  readonly child: ChildProcess;
  /** Resolves with its address when it is ready; rejects when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<NodeJS.Signals | number | null>;
  /** The end of what it logged. */
  words(): string;
}

/** The built node as an agency runs it. */
export function startNode(dir: string, env: Readonly<Record<string, string>> = {}): NodeProcess {
  const child = fork(MAIN, ['serve', '--dir', dir], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-8000);
  });
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) => {
    // its words are read to the end
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  const ready = new Promise<string>((resolve, reject) => {
    child.on('message', (message: { type: string; url?: string }) => {
      if (message.type === 'ready') resolve(String(message.url));
    });
    void ended.then((how) => reject(new Error(`the node ended (${how}): ${words}`)));
  });
  ready.catch(() => undefined);
  return { child, ready, ended, words: () => words };
}

/** What a running node answers to its operator, with how long it took. */
export const operatorOf =
  (dir: string, url: string) =>
  async (
    path: string,
    body?: object,
  ): Promise<{
    readonly status: number;
    readonly answer: {
      readonly code?: string;
      readonly requests?: readonly { readonly id: string }[];
    };
    readonly tookMs: number;
  }> => {
    const { token } = JSON.parse(readFileSync(nodePaths(dir).control, 'utf8'));
    const started = performance.now();
    const response = await fetch(new URL(path, url), {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = (await response.json()) as {
      code?: string;
      requests?: { id: string }[];
    };
    return { status: response.status, answer, tookMs: performance.now() - started };
  };
