import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { problem } from '#libs/protocol';
import { askRunning, isServed } from './ask-running.js';
import { newToken, writeControl } from './control-file.js';

const token = newToken();
let dir: string;
let server: Server;
let answer: RequestListener;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-ask-'));
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  writeControl(join(dir, 'control.json'), { url: `http://127.0.0.1:${port}/`, token });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

const ask = (control = 'control.json', timeoutMs = 60_000) =>
  askRunning({
    process: 'node',
    control: join(dir, control),
    path: '/v1/requests/7/deny',
    body: { by: 'a person' },
    timeoutMs,
  });
const answerWith =
  (status: number, body: string): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(body);

it('posts the body with the token of the folder', async () => {
  answer = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    const body = JSON.parse(Buffer.concat(chunks).toString());
    response.end(JSON.stringify({ method, url, authorization: headers.authorization, body }));
  };
  expect(await ask()).toEqual({
    method: 'POST',
    url: '/v1/requests/7/deny',
    authorization: `Bearer ${token}`,
    body: { by: 'a person' },
  });
});

it('finds nobody without a control file, behind a closed port, and where a process dies over it', async () => {
  answer = (_request, response) => response.destroy();
  expect(await ask('other.json')).toBeUndefined();
  expect(await ask()).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect(await ask()).toBeUndefined();
});

it('throws what the process refuses with', async () => {
  answer = answerWith(409, JSON.stringify(problem(409, 'request-decided', 'it is decided')));
  await expect(ask()).rejects.toMatchObject({ code: 'request-decided', message: 'it is decided' });
});

it.each([
  [200, 'not JSON'],
  [200, '"done"'],
  [502, '<html></html>'],
  [307, ''],
])('takes no answer of status %i that says %j', async (status, body) => {
  answer = answerWith(status, body);
  await expect(ask()).rejects.toMatchObject({ code: `http-${status}` });
});

it('says that a process which runs does not answer, before its headers and after', async () => {
  answer = () => {};
  await expect(ask('control.json', 50)).rejects.toMatchObject({ code: 'node-unresponsive' });
  answer = (_request, response) => void response.writeHead(200).write('{');
  await expect(ask('control.json', 500)).rejects.toMatchObject({ code: 'node-unresponsive' });
});

it('knows whether anybody serves: whatever answers does, as long as it listens', async () => {
  const control = join(dir, 'control.json');
  answer = answerWith(503, '');
  expect(await isServed(control)).toBe(true);
  expect(await isServed(join(dir, 'other.json'))).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await isServed(control)).toBe(false);
});
