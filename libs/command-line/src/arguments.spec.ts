import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import {
  folderArgument,
  httpAddress,
  keyArgument,
  nameArgument,
  portNumber,
  wholeNumber,
} from './index.js';

describe('a port', () => {
  it('is any whole number from 0 to 65535, in plain digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), (port) => {
        expect(portNumber(String(port))).toBe(port);
      }),
    );
  });

  it.each(['', ' ', 'abc', '-1', '65536', '70000', '1e3', '1e99', '0x50', '80.5', '٣', 'NaN'])(
    'is not %j',
    (text) => expect(() => portNumber(text)).toThrow(InvalidArgumentError),
  );
});

it('a whole number is within its bounds, and the error names them', () => {
  const hours = wholeNumber(1, 168);
  expect([hours('1'), hours('168')]).toEqual([1, 168]);
  for (const text of ['0', '169', '1e2', '9'.repeat(400)])
    expect(() => hours(text)).toThrow('give a whole number from 1 to 168');
});

it.each([
  [folderArgument, 'results', ['', ' ', '\t']],
  [nameArgument, 'my-force', ['', 'My Force', '-a', 'a\u0000', '../a', 'a'.repeat(65)]],
  [keyArgument, 'A'.repeat(43), ['', 'A'.repeat(42), 'A'.repeat(44), '='.repeat(43)]],
  [httpAddress, 'https://concordat.example', ['', 'nowhere', 'ftp://a', 'http://', 'http://a:1e9']],
] as const)('%p takes %j as it is, and refuses rubbish', (read, good, bad) => {
  expect(read(good)).toBe(good);
  for (const text of bad) expect(() => read(text)).toThrow(InvalidArgumentError);
});
