/** A letter to somebody who is away: whoever waits for the answer is told so in time, whatever the garbage collector takes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, it } from '@jest/globals';
import { createBoxKey } from '#libs/keystore';
import type { LinkageMail } from '#libs/protocol';
import { startCorrespondence } from './index.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const dir = mkdtempSync(join(tmpdir(), 'concordat-letters-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('is given up after its time', async () => {
  const box = createBoxKey(join(dir, 'me.pem'));
  const away = createBoxKey(join(dir, 'away.pem')).publicKey;
  let sent = 0;
  const letters = startCorrespondence({
    me: 'me',
    box,
    boxKeyOf: () => away,
    post: {
      send: async () => {
        sent += 1;
      },
      receive: (_after, signal) =>
        new Promise<LinkageMail>((resolve) => {
          signal.addEventListener('abort', () => resolve({ items: [] }));
        }),
    },
    answer: async () => ({ kind: 'done' }),
    newId: () => 'a'.repeat(32),
    log: { warn: () => undefined },
    resendMs: 50,
  });
  const asked = letters.ask(
    'away',
    { kind: 'ask-keys', project: 'p', epoch: 'e' },
    { timeoutMs: 400 },
  );
  const over = expect(asked).rejects.toMatchObject({ code: 'no-answer' });
  for (let i = 0; i < 5; i++) {
    await pause(20);
    collectGarbage();
  }
  await over;
  expect(sent).toBeGreaterThan(1);
  await letters.stop();
});
