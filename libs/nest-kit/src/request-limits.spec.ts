import { describe, expect, it } from '@jest/globals';
import { networkOf, RequestLimit, TooManyRequests } from './request-limits.js';

describe('a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('a limit', () => {
  it('lets so many through for each key and tells the next one when to come back', async () => {
    const limit = new RequestLimit(3);
    for (let i = 0; i < 3; i++) await limit.take('a');
    const refused = await limit.take('a').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TooManyRequests);
    const { retryAfterSeconds } = refused as TooManyRequests;
    expect(retryAfterSeconds).toBeGreaterThan(0);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    await limit.take('b');
  });
});
