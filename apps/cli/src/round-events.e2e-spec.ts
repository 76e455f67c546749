import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { roundSteps } from './round-events.js';

const steps = async (url: string, signal: AbortSignal): Promise<void> => {
  for await (const _step of roundSteps(url, 'a-round', signal));
};

describe('waiting for a round', () => {
  it.each(['says nothing', 'is gone'])(
    'ends when told to, while the coordinator %s',
    async (state) => {
      const stop = new AbortController();
      const server = createServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
        if (state === 'is gone') {
          // the next attempt finds nobody; patience would be two minutes
          response.socket?.destroy();
          server.close();
        }
        setTimeout(() => stop.abort(new Error('told to stop')), 300);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      try {
        await expect(steps(`http://127.0.0.1:${port}`, stop.signal)).rejects.toThrow(
          /told to stop|aborted/,
        );
      } finally {
        server.closeAllConnections();
        server.close();
      }
    },
  );
});
