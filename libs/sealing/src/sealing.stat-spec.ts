/**
 * That one share alone tells nothing: over many rounds with the same answers, what the coordinator sees is tested against uniform, against what it
 * sees of other answers, and against the answers themselves; likewise what the auditor sees. Secrets are seeded. Each assertion
 * has a false-alarm probability of at most 1e-6.
 */

import { describe, expect, it } from '@jest/globals';
import { sha256Hex, utf8ToBytes } from '#libs/bytes';
import { noisyCountsFromWire } from '#libs/dp';
import { aesKeyStream } from '#libs/host';
import { chiSquarePValue, seededRandom } from '#libs/testing';
import { addMask, answerBlind, maskedToBytes, maskSeed, share } from './index.js';

const ALPHA = 1e-6;
const ROUNDS = 1_500;
const VALUES = 16;

const secretOf = (name: string): Uint8Array => {
  const words = new Uint32Array(8);
  seededRandom(name).fillWords(words);
  return new Uint8Array(words.buffer);
};
/** Answers as different as they get: empty, one hot cell, all large and negative. */
const answers = {
  empty: new Int32Array(VALUES),
  hot: Int32Array.from({ length: VALUES }, (_, i) => (i === 7 ? 2 ** 31 - 1 : 0)),
  negative: new Int32Array(VALUES).fill(-(2 ** 31)),
};
type Answer = keyof typeof answers;

const blobDigest = (secret: Uint8Array, answer: Answer): string =>
  sha256Hex(answerBlind(secret, '3'), new Uint8Array(answers[answer].buffer));

/** What the coordinator gets of one agency over all rounds, and what the auditor gets. */
function rounds(answer: Answer): { readonly masked: Uint8Array[]; readonly seeds: Uint8Array[] } {
  const secret = secretOf(`agency with an answer that is ${answer}`);
  const commitment = blobDigest(secret, answer);
  const seeds = Array.from({ length: ROUNDS }, (_, i) =>
    maskSeed(secret, `round ${i}`, commitment),
  );
  const values = noisyCountsFromWire(answers[answer]);
  return { seeds, masked: seeds.map((seed) => maskedToBytes(share(values, seed, aesKeyStream))) };
}
const seen = { empty: rounds('empty'), hot: rounds('hot'), negative: rounds('negative') };

/** The bytes at the positions that `take` picks, of all vectors, as numbers from -128 to 127. */
function bytesAt(vectors: readonly Uint8Array[], take: (at: number) => boolean): Int32Array {
  const bytes: number[] = [];
  for (const vector of vectors) {
    for (let at = 0; at < vector.length; at++) {
      if (take(at)) bytes.push((vector[at] as number) - 128);
    }
  }
  return Int32Array.from(bytes);
}

/** p-value of "every byte is as likely". */
const uniformP = (bytes: Int32Array): number =>
  chiSquarePValue(bytes, (byte) => (byte < 128 ? 1 / 256 : 0), 128);

/** p-value of "the two tell nothing of each other": their differences, byte by byte, are uniform. */
const unrelatedP = (a: Int32Array, b: Int32Array): number =>
  uniformP(a.map((byte, i) => ((byte - (b[i] as number)) & 255) - 128));

const LOW_BYTE = 0;
const HIGH_BYTE = 7;

describe.each(Object.keys(answers) as Answer[])('the shares of an answer that is %s', (answer) => {
  it.each([LOW_BYTE, 3, 4, HIGH_BYTE])(
    'look uniform to the coordinator, at every cell together, in byte %i of a value',
    (byte) => {
      expect(uniformP(bytesAt(seen[answer].masked, (at) => at % 8 === byte))).toBeGreaterThan(
        ALPHA,
      );
    },
  );

  it('look uniform to the coordinator at the one cell that is hot', () => {
    for (const byte of [LOW_BYTE, 3, HIGH_BYTE]) {
      const bytes = bytesAt(seen[answer].masked, (at) => at === 7 * 8 + byte);
      // two more assertions of the same kind: a third of the probability each
      expect(uniformP(bytes)).toBeGreaterThan(ALPHA / 3);
    }
  });

  it('do not follow each other from round to round', () => {
    const steps = seen[answer].masked.map((vector, round) => {
      const before = seen[answer].masked[round - 1] ?? vector;
      return vector.map((byte, at) => (byte - (before[at] ?? 0)) & 255);
    });
    expect(uniformP(bytesAt(steps.slice(1), (at) => at % 8 === 0))).toBeGreaterThan(ALPHA);
  });

  it('look uniform to the auditor', () => {
    expect(uniformP(bytesAt(seen[answer].seeds, () => true))).toBeGreaterThan(ALPHA);
  });
});

describe('two answers as different as they get', () => {
  const pairs: readonly (readonly [Answer, Answer])[] = [
    ['empty', 'hot'],
    ['empty', 'negative'],
    ['hot', 'negative'],
  ];

  it.each(pairs)('give the coordinator and the auditor the same view: %s and %s', (a, b) => {
    for (const byte of [LOW_BYTE, 3, HIGH_BYTE]) {
      const take = (at: number): boolean => at % 8 === byte;
      const p = unrelatedP(bytesAt(seen[a].masked, take), bytesAt(seen[b].masked, take));
      expect(p).toBeGreaterThan(ALPHA / 4);
    }
    const p = unrelatedP(
      bytesAt(seen[a].seeds, () => true),
      bytesAt(seen[b].seeds, () => true),
    );
    expect(p).toBeGreaterThan(ALPHA / 4);
  });

  it('would be told apart by these very tests if the mask were used twice, or were short', () => {
    const secret = secretOf('careless');
    const careless = Array.from({ length: ROUNDS }, (_, round) => {
      const [mask] = new BigUint64Array(maskSeed(secret, `round ${round}`, '').slice().buffer);
      // 16 bits of mask under a value of 32: the high bytes show the value
      const short = BigUint64Array.from(
        answers.hot,
        (value) => BigInt(value) + ((mask ?? 0n) & 0xffffn),
      );
      return maskedToBytes(short);
    });
    expect(uniformP(bytesAt(careless, (at) => at % 8 === 3))).toBeLessThan(ALPHA);
    const repeated = seen.hot.masked.map(() => seen.hot.masked[0] as Uint8Array);
    expect(uniformP(bytesAt(repeated, (at) => at % 8 === 0))).toBeLessThan(ALPHA);
  });
});

describe('the sum of masks of a set', () => {
  it('tells the coordinator of each contributor nothing but the sum: a masked vector less it is uniform still', () => {
    const rest = seen.hot.seeds.map((seed, round) => {
      const sum = new BigUint64Array(VALUES);
      const positions = Int32Array.from({ length: VALUES }, (_, i) => i);
      for (const other of [seen.empty.seeds[round], seen.negative.seeds[round]]) {
        addMask(sum, other as Uint8Array, 0, positions, aesKeyStream);
      }
      addMask(sum, seed, 0, positions, aesKeyStream);
      const own = new BigUint64Array((seen.hot.masked[round] as Uint8Array).slice().buffer);
      return maskedToBytes(own.map((value, i) => value - (sum[i] as bigint)));
    });
    expect(uniformP(bytesAt(rest, (at) => at % 8 === 3))).toBeGreaterThan(ALPHA);
  });

  it('is committed to without showing a vector that has few possible values', () => {
    // Every vector of two cells with counts below 32, against the commitment of one of them.
    const secret = secretOf('guessed');
    const vectorOf = (a: number, b: number): Uint8Array =>
      new Uint8Array(Int32Array.of(a, b).buffer);
    const commitment = sha256Hex(answerBlind(secret, '3'), vectorOf(5, 9));
    const guesses = Array.from({ length: 1024 }, (_, i) => vectorOf(i >> 5, i & 31));
    expect(guesses.map((guess) => sha256Hex(guess))).toContain(sha256Hex(vectorOf(5, 9)));
    expect(guesses.map((guess) => sha256Hex(guess))).not.toContain(commitment);
    expect(guesses.map((guess) => sha256Hex(utf8ToBytes('3'), guess))).not.toContain(commitment);
  });
});
