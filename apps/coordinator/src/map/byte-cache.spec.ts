import { describe, expect, it } from '@jest/globals';
import { ByteCache } from './byte-cache.js';

const cacheOf = () => new ByteCache<string>(10, (text) => text.length);

describe('byte cache', () => {
  it('computes once for callers that come together and later', async () => {
    const cache = cacheOf();
    let computed = 0;
    const compute = async () => `value ${++computed}`;
    const values = [cache.get('a', compute), cache.get('a', compute)];
    expect(await Promise.all(values)).toEqual(['value 1', 'value 1']);
    expect(await cache.get('a', compute)).toBe('value 1');
  });

  it('drops the least recently used beyond its size', async () => {
    const cache = cacheOf();
    const computed: string[] = [];
    const ask = (key: string) =>
      cache.get(key, async () => {
        computed.push(key);
        return 'xxxx';
      });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(key);
    expect(computed).toEqual(['a', 'b', 'c', 'b']);
  });

  it('keeps one value that is larger than its size, and forgets failures', async () => {
    const cache = cacheOf();
    const fail = () => Promise.reject(new Error('not now'));
    await expect(cache.get('a', fail)).rejects.toThrow('not now');
    expect(await cache.get('a', async () => 'x'.repeat(99))).toHaveLength(99);
    expect(await cache.get('a', fail)).toHaveLength(99);
  });
});
