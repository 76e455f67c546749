import { expect, it } from '@jest/globals';
import { takesBrotli } from './stored-body.js';

it.each([
  ['br', true],
  ['gzip, deflate, br', true],
  ['gzip, BR;q=0.5', true],
  ['br; q=1.0', true],
  ['br;q=0', false],
  ['gzip, br; q=0.000', false],
  ['', false],
  ['brotli', false],
  ['gzip;q=0, identity', false],
])('Accept-Encoding %j takes brotli: %p', (encodings, takes) => {
  expect(takesBrotli(encodings)).toBe(takes);
});
