/** What each party's full view gives an attacker with a dictionary that holds every person. See docs/privacy/linkage.md. */
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { bytesToHex, fromHex, utf8ToBytes } from '#libs/bytes';
import { seededRandom } from '#libs/testing';
import { blindBatch, finishBatch } from './blinding.js';
import { countMatchKey } from './count-keys.js';
import { countShared } from './join.js';
import { type BatchRequest, KeyHolder } from './key-holder.js';
import { dealKey, finishKey, type KeyDealing } from './key-making.js';
import {
  evaluationKey,
  type HolderIndex,
  type HolderPair,
  type KeyShare,
  publicKeysOf,
} from './key-share.js';
import { type LabelScope, makeLabels } from './label.js';
import { matchKeyInput } from './match-key.js';
import { evaluate, hashToGroup } from './oprf.js';
import { addScalars, multiplyElement } from './ristretto.js';
import { standardise } from './standardise.js';

const CONTEXT = {
  project: 'p',
  epoch: 'e1',
  holders: ['a', 'b', 'auditor'] as [string, string, string],
};
const PAIR: HolderPair = [1, 2];
const KEY = countMatchKey('FSDL');

/** 40 people of node A and a dictionary that holds them all among 400. */
const inputOf = (n: number): Uint8Array =>
  matchKeyInput(
    KEY,
    standardise({
      forename: `name${String.fromCharCode(97 + (n % 26))}`,
      surname: `surname${String.fromCharCode(97 + ((n / 26) % 26), 97 + (n % 17))}`,
      dateOfBirth: `${1 + (n % 28)}/${1 + (n % 12)}/${1950 + (n % 50)}`,
      postcode: `BS${1 + (n % 9)} ${n % 10}${'ABDE'.charAt(n % 4)}B`,
    }),
    CONTEXT,
  ) as Uint8Array;
const DICTIONARY = Array.from({ length: 400 }, (_, n) => inputOf(n));
const PEOPLE = DICTIONARY.filter((_, n) => n % 10 === 3);

const makeShares = (seed: string, epoch = 'e1'): KeyShare[] => {
  const random = seededRandom(seed);
  const context = { ...CONTEXT, epoch };
  const dealings = ([1, 2, 3] as const).map((index) => dealKey(context, index, random));
  const each = <T>(pick: (dealing: KeyDealing) => T) => dealings.map(pick) as [T, T, T];
  return ([1, 2, 3] as const).map((index) =>
    finishKey(
      context,
      index,
      each((d) => d.commitment),
      each((d) => d.opening),
      each((d) => d.subshares[index - 1] as Uint8Array),
    ),
  );
};

const shares = makeShares('attack') as [KeyShare, KeyShare, KeyShare];
const random = seededRandom('attack run');
const grants = [{ node: 'a', people: PEOPLE.length, keys: 1 }];
const request = (elements: readonly Uint8Array[], sequence: number): BatchRequest => ({
  ...CONTEXT,
  node: 'a',
  sequence,
  pair: PAIR,
  elements,
});
const batch = blindBatch(PEOPLE, random);
const holders = [new KeyHolder(shares[0], grants), new KeyHolder(shares[1], grants)] as const;
const answers = holders.map((holder) => holder.evaluate(request(batch.elements, 1), random));
const [one, two] = answers.map((decision) => {
  if (!decision.ok) throw new Error(decision.code);
  return decision.response;
});
if (!one || !two) throw new Error('both holders answer');
const outputs = finishBatch(batch, PAIR, [one, two], publicKeysOf(shares[0]));
const scope: LabelScope = { seed: new Uint8Array(32).fill(7), queryId: 'q1', keyId: KEY.id };
const labels = new Set(makeLabels(outputs, scope));

/** Share of the people whose pseudonym the attacker computes from the dictionary. */
const recovered = (seen: ReadonlySet<string>, guess: (input: Uint8Array) => string[]): number =>
  DICTIONARY.filter((input) => guess(input).some((text) => seen.has(text))).length / PEOPLE.length;

const hexSet = (list: readonly Uint8Array[]) => new Set(list.map(bytesToHex));
const sha = (input: Uint8Array) => createHash('sha256').update(input).digest('hex');
const hmac = (input: Uint8Array) =>
  createHmac('sha256', 'shared secret').update(input).digest('hex');

describe('the attack works on what this is not', () => {
  it('recovers everyone from SHA-256 pseudonyms', () => {
    expect(recovered(new Set(PEOPLE.map(sha)), (input) => [sha(input)])).toBe(1);
  });

  it('recovers everyone from HMAC pseudonyms when one agency leaks the secret', () => {
    expect(recovered(new Set(PEOPLE.map(hmac)), (input) => [hmac(input)])).toBe(1);
  });
});

describe('one party alone recovers nobody', () => {
  it.each([0, 1, 2])('key-holder %i with its share and every batch it saw', (index) => {
    const share = shares[index] as KeyShare;
    const scalars = [share.secret];
    for (const pair of [
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const) {
      if ((pair as readonly number[]).includes(share.index))
        scalars.push(evaluationKey(share, pair));
    }
    const seen = new Set([
      ...hexSet(batch.elements),
      ...hexSet(one.evaluated),
      ...hexSet(two.evaluated),
    ]);
    const guess = (input: Uint8Array) => {
      const element = hashToGroup(input);
      return [element, ...scalars.map((scalar) => multiplyElement(scalar, element))].map(
        bytesToHex,
      );
    };
    expect(recovered(seen, guess)).toBe(0);
  });

  it('a key-holder that also got hold of the labels', () => {
    for (const share of shares) {
      const guess = (input: Uint8Array) => [...makeLabels([evaluate(share.secret, input)], scope)];
      expect(DICTIONARY.filter((input) => guess(input).some((label) => labels.has(label)))).toEqual(
        [],
      );
    }
  });

  it('the counter with the labels, and even with the relabelling seed', () => {
    const guess = (input: Uint8Array) =>
      [input, fromHex(sha(input)), fromHex(hmac(input))].flatMap((text) => [
        ...makeLabels([text], scope),
      ]);
    expect(DICTIONARY.filter((input) => guess(input).some((label) => labels.has(label)))).toEqual(
      [],
    );
  });

  it('the other node: the same person is blinded differently every time', () => {
    const again = blindBatch(PEOPLE, random);
    const both = new Set([...hexSet(batch.elements), ...hexSet(again.elements)]);
    expect(both.size).toBe(2 * PEOPLE.length);
  });
});

describe('coalitions', () => {
  it('counter and one node guess no more than the node has quota left: 5 %, chance hits', () => {
    const grant = [{ node: 'b', people: 40, keys: 1 }];
    const pair = [new KeyHolder(shares[0], grant), new KeyHolder(shares[1], grant)] as const;
    const ask = (inputs: Uint8Array[], sequence: number) => {
      const guesses = blindBatch(inputs, random);
      const got = pair.map((holder) =>
        holder.evaluate({ ...request(guesses.elements, sequence), node: 'b' }, random),
      );
      const [first, second] = got;
      if (!first?.ok || !second?.ok) return null;
      return finishBatch(guesses, PAIR, [first.response, second.response], publicKeysOf(shares[0]));
    };
    const strangers = Array.from({ length: 40 }, (_, n) => inputOf(1000 + n));
    expect(ask(strangers, 1)).toHaveLength(40);
    expect(ask(DICTIONARY.slice(0, 3), 2)).toBeNull();
    const guessed = ask(DICTIONARY.slice(2, 4), 3) ?? [];
    const hits = [...makeLabels(guessed, scope)].filter((label) => labels.has(label));
    // Two guesses are allowed, one of them is a person of node A (number 3): what luck gives, 1 of 40.
    expect(hits).toHaveLength(1);
    expect(ask(DICTIONARY.slice(4, 5), 4)).toBeNull();
  });

  it('each holder counts what it evaluates itself: over three a node has half as much again, with a share of its own twice the quota', () => {
    /** How many inputs a node has evaluated in full, by whoever of the holders takes them. */
    const mostOf = (own: number | null): number => {
      const grant = [{ node: 'b', people: 20, keys: 1 }];
      const asked = shares.map((share) => new KeyHolder(share, grant));
      const left = shares.map(({ index }) => (index - 1 === own ? Number.POSITIVE_INFINITY : 21));
      let done = 0;
      for (let sequence = 1; ; sequence++) {
        // always the two with most quota left
        const [i, j] = [0, 1, 2]
          .sort((a, b) => (left[b] as number) - (left[a] as number))
          .slice(0, 2)
          .sort() as [number, number];
        const pair = [i + 1, j + 1] as unknown as HolderPair;
        const guess = blindBatch([inputOf(2000 + sequence)], random);
        const answered = [i, j].map((at) => {
          if (at === own) return true;
          left[at] = (left[at] as number) - 1;
          const body = { ...request(guess.elements, sequence), node: 'b', pair };
          return (asked[at] as KeyHolder).evaluate(body, random).ok;
        });
        if (answered.includes(false)) return done;
        done++;
      }
    };
    // 21 elements at each holder, two of whom every input needs
    expect(mostOf(null)).toBe(31);
    expect(mostOf(1)).toBe(42);
  });

  it('two key-holders with the labels recover everyone: the stated limit', () => {
    const secret = addScalars(evaluationKey(shares[0], PAIR), evaluationKey(shares[1], PAIR));
    const found = DICTIONARY.filter((input) =>
      [...makeLabels([evaluate(secret, input)], scope)].some((label) => labels.has(label)),
    );
    expect(found).toHaveLength(PEOPLE.length);
  });
});

describe('what labels tell', () => {
  it('has no frequencies: a value that ten people share is one label', () => {
    const common = Array.from({ length: 10 }, () => outputs[0] as Uint8Array);
    const set = makeLabels([...common, ...outputs.slice(1)], scope);
    expect(set).toHaveLength(PEOPLE.length);
    expect(countShared({ keyId: KEY.id, labels: set }, { keyId: KEY.id, labels: set })).toBe(
      PEOPLE.length,
    );
  });

  it('has no order: any order of the records gives the same bytes', () => {
    expect(makeLabels([...outputs].reverse(), scope)).toEqual(makeLabels(outputs, scope));
  });

  it('cannot be compared between queries, key types or seeds', () => {
    for (const other of [{ queryId: 'q2' }, { keyId: 'date' }, { seed: new Uint8Array(32) }]) {
      const set = makeLabels(outputs, { ...scope, ...other });
      expect([...set].filter((label) => labels.has(label))).toEqual([]);
    }
  });

  it('lets no word of a record out: elements, answers, labels and log entries hold no canary', () => {
    const sent = [
      ...batch.elements,
      ...one.evaluated,
      one.proof,
      ...[...labels].map((label) => utf8ToBytes(label.toString(16))),
      utf8ToBytes(JSON.stringify(answers.map(({ entry }) => entry))),
    ];
    const text = sent.map((bytes) => Buffer.from(bytes).toString('latin1')).join('\n');
    for (const person of PEOPLE) {
      // The last component of the key is the postcode in the clear.
      const canary = Buffer.from(person).toString('latin1').slice(-6);
      expect(canary).toMatch(/^bs[0-9]{2}[a-z]{2}$/);
      expect(text).not.toContain(canary);
    }
  });
});

describe('a key-holder refuses with a code and an entry, and spends no quota', () => {
  const fresh = () => new KeyHolder(shares[0], [{ node: 'a', people: 100, keys: 1 }]);
  const good = batch.elements.slice(0, 3);
  const identity = new Uint8Array(32);
  const smallOrder = fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const notCanonical = fromHex(`ed${'ff'.repeat(30)}7f`);

  it.each<[string, Partial<BatchRequest>]>([
    ['other-epoch', { epoch: 'e2' }],
    ['other-epoch', { project: 'other' }],
    ['unknown-node', { node: 'nobody' }],
    ['bad-pair', { pair: [2, 3] }],
    ['bad-pair', { pair: [2, 1] as unknown as HolderPair }],
    ['bad-batch', { elements: [] }],
    ['bad-batch', { elements: new Array(4097).fill(good[0]) }],
    ['bad-batch', { sequence: 1.5 }],
    ['replayed-batch', { sequence: 0 }],
    ['identity-element', { elements: [good[0] as Uint8Array, identity] }],
    ['malformed-element', { elements: [good[0] as Uint8Array, smallOrder] }],
    ['malformed-element', { elements: [notCanonical] }],
    ['malformed-element', { elements: [new Uint8Array(31)] }],
  ])('%s %#', (code, change) => {
    const holder = fresh();
    const decision = holder.evaluate({ ...request(good, 1), ...change }, random);
    expect(decision).toMatchObject({ ok: false, code });
    expect(decision.entry).toMatchObject({ kind: 'linkage-batch-refused', code, used: 0 });
    expect(holder.evaluate(request(good, 1), random)).toMatchObject({
      ok: true,
      entry: { used: 3 },
    });
  });

  it('replays: the same number, the same elements under a new number, and both after a restart from the log', () => {
    const holder = fresh();
    const first = holder.evaluate(request(good, 5), random);
    const restarted = fresh();
    restarted.replay(first.entry);
    for (const h of [holder, restarted]) {
      for (const sequence of [4, 5, 6]) {
        expect(h.evaluate(request(good, sequence), random)).toMatchObject({
          code: 'replayed-batch',
        });
      }
      expect(h.evaluate(request(batch.elements.slice(3, 5), 7), random)).toMatchObject({
        ok: true,
        entry: { used: 5, quota: 105 },
      });
    }
  });

  it('quota: exactly used up is answered, one more is not', () => {
    const holder = new KeyHolder(shares[0], [{ node: 'a', people: 20, keys: 1 }]);
    expect(holder.evaluate(request(batch.elements.slice(0, 20), 1), random).ok).toBe(true);
    const tooMany = holder.evaluate(request(batch.elements.slice(20, 22), 2), random);
    expect(tooMany).toMatchObject({
      ok: false,
      code: 'quota-exhausted',
      entry: { used: 20, quota: 21 },
    });
    expect(holder.evaluate(request(batch.elements.slice(20, 21), 2), random).ok).toBe(true);
  });

  it('labels of another epoch do not meet', () => {
    const next = makeShares('next epoch', 'e2') as [KeyShare, KeyShare, KeyShare];
    const answersNext = ([1, 2] as HolderIndex[]).map((index) =>
      new KeyHolder(next[index - 1] as KeyShare, grants).evaluate(
        { ...request(batch.elements, 1), epoch: 'e2' },
        random,
      ),
    );
    const [first, second] = answersNext;
    if (!first?.ok || !second?.ok) throw new Error('both answer');
    expect(() => finishBatch(batch, PAIR, [first.response, two], publicKeysOf(shares[0]))).toThrow(
      expect.objectContaining({ code: 'bad-proof' }),
    );
    const others = finishBatch(
      batch,
      PAIR,
      [first.response, second.response],
      publicKeysOf(next[0]),
    );
    expect([...makeLabels(others, scope)].filter((label) => labels.has(label))).toEqual([]);
  });
});
