import { describe, expect, it } from '@jest/globals';
import {
  bytesToHex,
  canonicalBytes,
  parseCanonicalJson,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import { seededRandom } from '#libs/testing';
import { blindBatch, finishBatch } from './blinding.js';
import { KeyHolder, quotaOf } from './key-holder.js';
import { dealKey, finishKey, type KeyDealing } from './key-making.js';
import {
  decodeShare,
  destroyShare,
  encodeShare,
  type HolderPair,
  type KeyContext,
  type KeyShare,
  publicKeysOf,
} from './key-share.js';
import { evaluate } from './oprf.js';
import { addScalars, multiplyBase, randomScalar } from './ristretto.js';

const context: KeyContext = {
  project: 'asb-and-care',
  epoch: '2026-q4',
  holders: ['avon', 'bristol', 'auditor'],
};

const makeKey = (name: string, ctx = context) => {
  const random = seededRandom(name);
  const dealings = ([1, 2, 3] as const).map((index) => dealKey(ctx, index, random)) as unknown as [
    KeyDealing,
    KeyDealing,
    KeyDealing,
  ];
  const each = <T>(pick: (dealing: KeyDealing) => T) => dealings.map(pick) as unknown as [T, T, T];
  const finish = (index: 1 | 2 | 3, change: Partial<KeyDealing>[] = []) => {
    const used = dealings.map((dealing, i) => ({ ...dealing, ...change[i] }));
    const list = <T>(pick: (dealing: KeyDealing) => T) => used.map(pick) as unknown as [T, T, T];
    return finishKey(
      ctx,
      index,
      list((d) => d.commitment),
      list((d) => d.opening),
      list((d) => d.subshares[index - 1] as Uint8Array),
    );
  };
  return { dealings, each, finish, shares: [finish(1), finish(2), finish(3)] as const };
};

const PAIRS: HolderPair[] = [
  [1, 2],
  [1, 3],
  [2, 3],
];

describe('a 2-of-3 key', () => {
  const { dealings, finish, shares } = makeKey('key');
  // No process ever adds these; the test does to have something to compare with.
  const secret = dealings
    .map(({ subshares: [one, two] }) => {
      // f(0) = 2 f(1) - f(2)
      const minusTwo = subtract(new Uint8Array(32), two);
      return addScalars(addScalars(one, one), minusTwo);
    })
    .reduce(addScalars);

  it('is the same key for all three holders and for every pair', () => {
    for (const share of shares) {
      expect(bytesToHex(share.publicKey)).toBe(bytesToHex(multiplyBase(secret)));
    }
    const inputs = ['ada', 'grace'].map(utf8ToBytes);
    for (const pair of PAIRS) {
      const random = seededRandom(`pair ${pair}`);
      const batch = blindBatch(inputs, random);
      const responses = pair.map((index) => {
        const holder = new KeyHolder(shares[index - 1] as KeyShare, [
          { node: 'n', people: 2, keys: 1 },
        ]);
        const decision = holder.evaluate(
          { ...context, node: 'n', sequence: 1, pair, elements: batch.elements },
          random,
        );
        if (!decision.ok) throw new Error(decision.code);
        return decision.response;
      });
      const [first, second] = responses;
      if (!first || !second) throw new Error('two answers');
      const outputs = finishBatch(batch, pair, [first, second], publicKeysOf(shares[0]));
      expect(outputs.map(bytesToHex)).toEqual(
        inputs.map((input) => bytesToHex(evaluate(secret, input))),
      );
      expect(() => finishBatch(batch, pair, [second, first], publicKeysOf(shares[0]))).toThrow(
        expect.objectContaining({ code: 'bad-pair' }),
      );
      const forged = { ...second, evaluated: first.evaluated };
      expect(() => finishBatch(batch, pair, [first, forged], publicKeysOf(shares[0]))).toThrow(
        expect.objectContaining({ code: 'bad-proof' }),
      );
    }
  });

  it('names the holder whose part is wrong', () => {
    const other = makeKey('another');
    const refused = (n: number) =>
      expect.objectContaining({
        code: 'bad-dealing',
        message: expect.stringContaining(`holder ${n}`),
      });
    const [d1, d2, d3] = dealings;
    const wrongOpening = { opening: other.dealings[1]?.opening as KeyDealing['opening'] };
    expect(() => finish(1, [{}, wrongOpening])).toThrow(refused(2));
    expect(() =>
      finish(1, [{}, { subshares: other.dealings[1]?.subshares as KeyDealing['subshares'] }]),
    ).toThrow(refused(2));
    for (const scalar of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      expect(() => finish(1, [{}, { subshares: [scalar, scalar, scalar] }])).toThrow(refused(2));
    }
    // A rogue key: an opening copied from another holder fails its proof of knowledge.
    expect(() => finish(1, [{}, {}, { opening: d1.opening, commitment: d1.commitment }])).toThrow(
      refused(3),
    );
    const elsewhere = makeKey('key', { ...context, epoch: '2027-q1' });
    const stale = elsewhere.dealings[1] as KeyDealing;
    expect(() => finish(1, [{}, stale])).toThrow(refused(2));
    expect([d2.index, d3.index]).toEqual([2, 3]);
  });

  it('stores a share and refuses one that was touched', () => {
    const bytes = encodeShare(shares[1]);
    expect(decodeShare(bytes)).toEqual(shares[1]);
    const document = parseCanonicalJson(bytes) as Record<string, unknown>;
    const refused = expect.objectContaining({ code: 'malformed-share' });
    for (const change of [
      { secret: toBase64url(randomScalar(seededRandom('x'))) },
      { publicKey: toBase64url(multiplyBase(randomScalar(seededRandom('y')))) },
      { index: 1 },
      { index: 4 },
      { format: 'concordat/linkage-share/v2' },
      { extra: 1 },
    ]) {
      expect(() => decodeShare(canonicalBytes({ ...document, ...change }))).toThrow(refused);
    }
    expect(() => decodeShare(utf8ToBytes('{}'))).toThrow(refused);
  });

  it('ends: the secret is overwritten, the end is an entry, nothing is evaluated any more', () => {
    const share = decodeShare(encodeShare(shares[2]));
    const holder = new KeyHolder(share, [{ node: 'n', people: 10, keys: 1 }]);
    expect(destroyShare(share, '2026-12-31T00:00:00Z')).toEqual({
      kind: 'linkage-share-destroyed',
      project: 'asb-and-care',
      epoch: '2026-q4',
      holder: 'auditor',
      publicKey: toBase64url(shares[2].publicKey),
      endedAt: '2026-12-31T00:00:00Z',
    });
    expect(share.secret.every((byte) => byte === 0)).toBe(true);
    const random = seededRandom('end');
    const { elements } = blindBatch([utf8ToBytes('ada')], random);
    const decision = holder.evaluate(
      { ...context, node: 'n', sequence: 1, pair: [1, 3], elements },
      random,
    );
    expect(decision).toMatchObject({ ok: false, code: 'share-destroyed' });
  });

  it('computes quotas exactly', () => {
    expect(quotaOf({ people: 100, keys: 12 })).toBe(1260);
    expect(quotaOf({ people: 1, keys: 1 })).toBe(1);
    for (const people of [0, -1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => quotaOf({ people, keys: 1 })).toThrow(
        expect.objectContaining({ code: 'bad-quota' }),
      );
    }
  });
});

function subtract(a: Uint8Array, b: Uint8Array): Uint8Array {
  // a - b mod L through bigint: independent of the library's own subtraction.
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const read = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(Uint8Array.from(bytes).reverse())}`);
  let value = (((read(a) - read(b)) % L) + L) % L;
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(value & 255n);
    value >>= 8n;
    return byte;
  });
}
