import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { timeLimit } from './time-limit.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Resolves when the time is up; nobody keeps the parts of the signal. */
const timeUp = (ms: number): Promise<unknown> => {
  const signal = AbortSignal.any([new AbortController().signal, timeLimit(ms)]);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason));
  });
};

it('comes to an end among other signals, whatever the garbage collector takes', async () => {
  const ends = Promise.all(Array.from({ length: 20 }, () => timeUp(300)));
  for (let i = 0; i < 5; i++) {
    await pause(20);
    collectGarbage();
  }
  for (const reason of await ends) expect(reason).toMatchObject({ name: 'TimeoutError' });
});
