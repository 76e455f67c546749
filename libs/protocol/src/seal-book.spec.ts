import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyToSealBook,
  emptySealBook,
  isUnmaskedFor,
  type SealBook,
  type SealEvent,
  type SealFault,
  sealFault,
} from './index.js';

const at = '2026-11-21T23:01:59.261Z';
const digest = (n: number): string => n.toString(16).padStart(64, '0');
const base = { at, actor: 'auditor' };
const FINGERPRINT = digest(1);

const seed = (round: string, agency: string, answer = 7, masked = 9): SealEvent => ({
  kind: 'seed.received',
  ...base,
  round,
  agency,
  fingerprint: FINGERPRINT,
  answer: digest(answer),
  masked: digest(masked),
  seed: digest(11),
  deadline: at,
});
const unmasked = (
  round: string,
  contributors: readonly string[],
  fingerprint = FINGERPRINT,
): SealEvent => ({
  kind: 'round.unmasked',
  ...base,
  round,
  fingerprint,
  contributors,
  unmasked: digest(13),
});
const destroyed = (round: string): SealEvent => ({
  kind: 'seeds.destroyed',
  ...base,
  round,
  seeds: 3,
});

/** The book after events that must all be allowed. */
function bookOf(...events: readonly SealEvent[]): SealBook {
  const book = emptySealBook();
  for (const event of events) {
    expect(sealFault(book, event)).toBeUndefined();
    applyToSealBook(book, event);
  }
  return book;
}
const seeds = (round: string, ...agencies: readonly string[]): SealEvent[] =>
  agencies.map((agency) => seed(round, agency));

describe('the book of an auditor', () => {
  const abc = seeds('r1', 'a', 'b', 'c', 'd');

  it.each<readonly [string, readonly SealEvent[], SealEvent, SealFault]>([
    ['two contributors', abc, unmasked('r1', ['a', 'b']), 'too-few-contributors'],
    ['one of them twice', abc, unmasked('r1', ['a', 'b', 'b']), 'wrong-contributors'],
    ['a contributor without a seed', abc, unmasked('r1', ['a', 'b', 'e']), 'seed-missing'],
    ['a round without seeds', abc, unmasked('r2', ['a', 'b', 'c']), 'seed-missing'],
    ['another question', abc, unmasked('r1', ['a', 'b', 'c'], digest(2)), 'wrong-fingerprint'],
    [
      'a second set of one round',
      [...abc, unmasked('r1', ['a', 'b', 'c'])],
      unmasked('r1', ['a', 'b', 'c', 'd']),
      'second-contributor-set',
    ],
    [
      'one more answer beside those of another sum',
      [...abc, unmasked('r1', ['a', 'b', 'c']), ...seeds('r2', 'a', 'b', 'c', 'd')],
      unmasked('r2', ['a', 'b', 'c', 'd']),
      'answer-unmasked-before',
    ],
    [
      'one answer less than in another sum',
      [...abc, unmasked('r1', ['a', 'b', 'c', 'd']), ...seeds('r2', 'a', 'b', 'c', 'd')],
      unmasked('r2', ['a', 'b', 'c']),
      'answer-unmasked-before',
    ],
    [
      'seeds that are gone',
      [...abc, destroyed('r1')],
      unmasked('r1', ['a', 'b', 'c']),
      'seeds-destroyed',
    ],
    ['a second seed of an agency', abc, seed('r1', 'a', 8), 'second-seed'],
    [
      'a seed after the sum',
      [...abc, unmasked('r1', ['a', 'b', 'c'])],
      seed('r1', 'e'),
      'seeds-destroyed',
    ],
    ['a seed after the end', [...abc, destroyed('r1')], seed('r1', 'e'), 'seeds-destroyed'],
    ['destruction twice', [...abc, destroyed('r1')], destroyed('r1'), 'seeds-destroyed'],
  ])('refuses %s', (_name, before, event, fault) => {
    expect(sealFault(bookOf(...before), event)).toBe(fault);
  });

  it('lets the same answers be summed again in another round, and other answers at any time', () => {
    const book = bookOf(
      ...abc,
      unmasked('r1', ['a', 'b', 'c']),
      ...seeds('r2', 'a', 'b', 'c'),
      unmasked('r2', ['c', 'b', 'a']),
      ...['a', 'b', 'c', 'd'].map((agency) => seed('r3', agency, 8)),
      unmasked('r3', ['a', 'b', 'c', 'd']),
    );
    expect(isUnmaskedFor(book.rounds.get('r2'), ['a', 'b', 'c'])).toBe(true);
    expect(isUnmaskedFor(book.rounds.get('r2'), ['a', 'b'])).toBe(false);
  });

  it('never lets two different sums share an answer, whatever is asked in whatever order', () => {
    const agency = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const round = fc.constantFrom('r1', 'r2', 'r3', 'r4');
    const event = fc.oneof(
      fc.tuple(round, agency, fc.integer({ min: 1, max: 2 })).map((args) => seed(...args)),
      fc
        .tuple(round, fc.uniqueArray(agency, { minLength: 1 }))
        .map(([id, agencies]) => unmasked(id, agencies)),
      round.map(destroyed),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const book = emptySealBook();
        const sums = new Map<string, Set<string>>();
        for (const next of events) {
          if (sealFault(book, next) !== undefined) continue;
          if (next.kind === 'round.unmasked') {
            const held = book.rounds.get(next.round)?.seeds;
            const answers = [...next.contributors].map((id) => `${id} ${held?.get(id)?.answer}`);
            expect(answers.length).toBeGreaterThanOrEqual(3);
            for (const answer of answers) {
              const known = sums.get(answer) ?? new Set(answers);
              expect(known).toEqual(new Set(answers));
              sums.set(answer, known);
            }
          }
          applyToSealBook(book, next);
        }
      }),
      { numRuns: 500 },
    );
  });
});
