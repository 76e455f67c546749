/** A coordinator that goes away in the middle of an answer, or answers what is no JSON, over a real socket. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';
import { bodyOf, graphql, jsonOf, reach } from './graphql-client.js';
import { fetchBlob } from './release-files.js';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/whole') return response.end('<p>no JSON</p>');
    response.writeHead(200, { 'content-length': '1000' });
    // the first bytes have left before the connection ends
    return response.write('{"data":', () => setImmediate(() => response.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it.each([
  ['a body', async () => bodyOf(await reach(new URL('/half', url)))],
  ['JSON', async () => jsonOf(await reach(new URL('/half', url)))],
  ['GraphQL', () => graphql(url, '{ releases { id } }', {}, z.unknown())],
  ['a blob', () => fetchBlob(url, 'a'.repeat(64))],
])('%s that breaks off is of a coordinator out of reach', async (_, ask) => {
  await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
});

it('a whole answer that is no JSON is of somebody else', async () => {
  expect(await jsonOf(await reach(new URL('/whole', url)))).toBeUndefined();
});
