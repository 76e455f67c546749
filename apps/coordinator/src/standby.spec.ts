import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { ConcordatError } from '#libs/bytes';
import { createLogger, newToken, writeControl } from '#libs/nest-kit';
import { startUnlessServed, startWhenFree } from './standby.js';

const folder = mkdtempSync(join(tmpdir(), 'concordat-standby-'));
afterAll(() => rmSync(folder, { recursive: true }));
const logger = createLogger('coordinator', 'silent');
const control = join(folder, 'control.json');

/** A start that finds the log locked this often. */
const lockedFor = (times: number) => {
  let attempts = 0;
  return async (): Promise<string> => {
    if (attempts++ < times) throw new ConcordatError('log-locked', 'another process writes it');
    return `serves after ${attempts} attempts`;
  };
};
const otherFault = async (): Promise<string> => {
  throw new ConcordatError('log-corrupt', 'it is damaged');
};

it('starts when a command of the operator is done, and a standby when the other process is', async () => {
  expect(await startUnlessServed(lockedFor(2), logger, control)).toBe('serves after 3 attempts');
  expect(await startWhenFree(lockedFor(2), logger)).toBe('serves after 3 attempts');
});

it('is refused at once where another serves the folder, and for any other fault', async () => {
  const server = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    writeControl(control, { url: `http://127.0.0.1:${port}`, token: newToken() });
    const refused = startUnlessServed(lockedFor(1), logger, control);
    await expect(refused).rejects.toMatchObject({ code: 'log-locked' });
    expect(await startWhenFree(lockedFor(1), logger)).toBe('serves after 2 attempts');
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const failed = [
    startUnlessServed(otherFault, logger, control),
    startWhenFree(otherFault, logger),
  ];
  for (const one of failed) await expect(one).rejects.toMatchObject({ code: 'log-corrupt' });
});
