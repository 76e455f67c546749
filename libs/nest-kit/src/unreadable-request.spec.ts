/** Requests that nobody can read, as bytes on a real socket: each answer is a problem document with a code of its own. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Body, Controller, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Problem } from '#libs/protocol';
import { createHttpApp, createLogger, listen } from './index.js';

@Controller('echo')
class Echo {
  @Post()
  echo(@Body() body: unknown): unknown {
    return body;
  }
}
class EchoModule {}

let app: NestFastifyApplication;
let port: number;
beforeAll(async () => {
  const logger = createLogger('test', 'silent');
  app = await createHttpApp({ module: EchoModule, controllers: [Echo] }, logger);
  port = Number(new URL(await listen(app, '127.0.0.1', 0)).port);
});
afterAll(() => app.close());

const send = (request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    // a server that ends the connection while it is still written to resets it
    socket.on('error', (error) => (answer === '' ? reject(error) : undefined));
    socket.on('close', () => resolve(answer));
  });

const head = 'Host: test\r\nConnection: close\r\n';
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${head}${more}\r\n`;
const announce = (type: string, length: number): string =>
  `POST /echo HTTP/1.1\r\n${head}Content-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
const post = (type: string, body: string): string => announce(type, body.length) + body;

it.each([
  ['malformed-url', 400, get('/%zz')],
  ['malformed-url', 400, get('/%E0%A4%A')],
  ['not-found', 404, get('/nowhere')],
  ['not-found', 404, get('/echo')],
  ['malformed-json', 400, post('application/json', '{"a":')],
  ['malformed-json', 400, post('application/json', '')],
  ['malformed-json', 400, post('application/json', '{"__proto__":{}}')],
  // refused by its length, before a byte of it is read
  ['request-too-large', 413, announce('application/json', 4 * 2 ** 20 + 1)],
  ['unsupported-media-type', 415, post('application/xml', '<a/>')],
  ['unsupported-media-type', 415, post(';;;', 'a')],
  ['headers-too-large', 431, get('/', `X: ${'a'.repeat(20_000)}\r\n`)],
  ['malformed-request', 400, get('/a b')],
  ['malformed-request', 400, 'BREW / HTTP/1.1\r\n\r\n'],
  ['malformed-request', 400, '\u0016\u0003\u0001 not HTTP\r\n\r\n'],
  ['malformed-request', 400, `POST /echo HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`],
])('%s, %i (%#)', async (code, status, request) => {
  const answer = await send(request);
  const [headers = '', body = ''] = answer.split('\r\n\r\n');
  expect(headers).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(headers).toMatch(/^content-type: application\/problem\+json\r?$/im);
  expect(Problem.parse(JSON.parse(body))).toMatchObject({ code, status });
  // nothing of the request comes back
  expect(body).not.toMatch(/nowhere|%zz|__proto__|BREW/);
});

it('still serves', async () => {
  expect(await send(post('application/json', '{"a":1}'))).toMatch(
    /^HTTP\/1.1 201 [\s\S]*\{"a":1\}$/,
  );
});

it('answers what arrives while it stops, whatever it is, and then listens no more', async () => {
  const logger = createLogger('test', 'silent');
  const stopping = await createHttpApp({ module: EchoModule, controllers: [Echo] }, logger);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = (): void => undefined;
  const closing = new Promise<void>((resolve) => {
    begun = resolve;
  });
  stopping
    .getHttpAdapter()
    .getInstance()
    .addHook('preClose', async () => {
      begun();
      await held;
    });
  const url = await listen(stopping, '127.0.0.1', 0);
  const closed = stopping.close();
  await closing;
  for (const [path, method] of [
    ['/echo', 'POST'],
    ['/nowhere', 'GET'],
  ]) {
    const answer = await fetch(new URL(String(path), url), { method: String(method) });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(Problem.parse(await answer.json())).toMatchObject({ status: 503, code: 'stopping' });
  }
  release();
  await closed;
  await expect(fetch(new URL('/echo', url))).rejects.toThrow();
});
