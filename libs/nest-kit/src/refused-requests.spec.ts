import { describe, expect, it } from '@jest/globals';
import { type RefusalCounts, RefusedRequests } from './refused-requests.js';

const WINDOW_MS = 40;
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('refused requests', () => {
  it('are written at once after a quiet time, then counted, one entry a window', async () => {
    const written: RefusalCounts[] = [];
    const refused = new RefusedRequests(async (counts) => written.push(counts), WINDOW_MS);
    refused.note('stale');
    await until(() => written.length === 1);
    for (let i = 0; i < 10_000; i++) refused.note(i % 4 === 0 ? 'unknown-key' : 'bad-signature');
    await until(() => written.length === 2);
    refused.note('stale');
    await refused.stop();
    expect(written).toEqual([
      { stale: 1 },
      { 'bad-signature': 7500, 'unknown-key': 2500 },
      { stale: 1 },
    ]);
  });

  it('are kept while they cannot be written', async () => {
    const written: RefusalCounts[] = [];
    let isFull = true;
    const refused = new RefusedRequests(async (counts) => {
      if (isFull) throw new Error('no space left');
      written.push(counts);
    }, WINDOW_MS);
    refused.note('stale');
    await refused.stop();
    isFull = false;
    refused.note('stale');
    await refused.stop();
    expect(written).toEqual([{ stale: 2 }]);
  });
});
