import { describe, expect, it } from '@jest/globals';
import { toBase64url } from '#libs/bytes';
import { keyFingerprint } from '#libs/protocol';
import { type EntryOf, formatVerifierKey } from '#libs/tlog';
import { keyFaults } from './key-faults.js';

const raw = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
const keys = raw.map((publicKey) =>
  formatVerifierKey({ name: 'concordat/small/alpha', publicKey }),
);
const [first = '', second = '', third = ''] = keys.map((key) =>
  key.split('+').slice(0, 2).join('+'),
);
const rotation = (index: bigint, to: number): { index: bigint; entry: EntryOf<'key.rotated'> } => ({
  index,
  entry: {
    kind: 'key.rotated',
    at: '2026-03-01T09:00:00.000Z',
    actor: 'alpha',
    agency: 'alpha',
    use: 'sign',
    oldKeyFingerprint: keyFingerprint(toBase64url(raw[to - 1] ?? new Uint8Array(32))),
    newKeyFingerprint: keyFingerprint(toBase64url(raw[to] ?? new Uint8Array(32))),
  },
});
const rotations = [rotation(4n, 1), rotation(9n, 2)];
const faults = (...signed: readonly [bigint, string][]): string[] =>
  keyFaults(
    signed.map(([size, key], i) => ({
      at: i === signed.length - 1 ? 'checkpoint' : `history ${i}`,
      size,
      key,
    })),
    keys,
    rotations,
  ).map(({ at, kind }) => `${kind} at ${at}`);

describe('a log whose key changed', () => {
  it('is in order when each key signs trees that hold the entry which names it', () => {
    expect(faults([0n, first], [4n, first], [5n, second], [9n, second], [12n, third])).toEqual([]);
    // in the moment of the change the old key may still sign the entry itself
    expect(faults([5n, first], [5n, second], [10n, third])).toEqual([]);
  });

  it('is not when a key signs before the log names it', () => {
    expect(faults([4n, second], [9n, second])).toEqual(['key-not-rotated at history 0']);
    expect(faults([5n, second], [9n, third])).toEqual(['key-not-rotated at checkpoint']);
  });

  it('is not when a key signs after another took its place', () => {
    expect(faults([5n, second], [6n, first], [7n, second])).toEqual([
      'key-superseded at history 1',
    ]);
    expect(faults([12n, third], [13n, second])).toEqual(['key-superseded at checkpoint']);
  });
});
