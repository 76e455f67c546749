import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatRational, parseRational } from '#libs/dp';
import { CATEGORIES, canonicaliseQuery, fingerprint } from '#libs/query';
import { type Entry, encodeEntry } from '#libs/tlog';
import {
  abandon,
  analystUse,
  answerFor,
  checkEntryOrder,
  emptyLedger,
  ledgerView,
  preview,
  type ReserveRequest,
  remaining,
  reserve,
  spent,
  spentTable,
} from './index.js';
import { activated, ask, granted, hex, release, withLog } from './small-ledger.fixture-spec.js';

describe('reserve', () => {
  it('64 clients race for the budget: exactly the affordable number is granted, at every prefix spent <= limit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(['2', '1/8', 16], ['1', '1/7', 7], ['10/3', '3/7', 7], ['1/2', '2/3', 0]),
        fc.infiniteStream(fc.nat({ max: 1_000_000 })),
        ([limit, rho, affordable], random) => {
          const { log, ledger, append } = withLog(activated(limit as string));
          // each client takes two steps, ask and append, and any other client may run between them
          const clients = Array.from({ length: 64 }, (_, n) => {
            let entry: Entry | undefined;
            const request = ask(100 + n, { rho: rho as string, analyst: `analyst-${n % 5}` });
            const first = () => {
              const result = reserve(ledger, request);
              entry = result.ok ? result.entry : undefined;
            };
            return [first, () => entry && append(entry)];
          });
          while (clients.length > 0) {
            const at = (random.next().value ?? 0) % clients.length;
            clients[at]?.shift()?.();
            if (clients[at]?.length === 0) clients.splice(at, 1);
          }
          expect(log.length - 1).toBe(affordable);
          for (let size = 0; size <= log.length; size++) {
            expect(checkEntryOrder(log.slice(0, size)).faults).toEqual([]);
          }
          expect(ledger.pending.size).toBe(0);
          const replayed = checkEntryOrder(log).ledger;
          expect(spentTable(replayed)).toEqual(spentTable(ledger));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives one of many clients with the same question a reservation', () => {
    const { ledger, append } = withLog();
    const entry = granted(ledger, ask(7));
    expect(reserve(ledger, ask(7))).toEqual({ ok: false, code: 'already-reserved' });
    const index = append(entry);
    expect(reserve(ledger, ask(7))).toEqual({ ok: false, code: 'already-reserved', index, entry });
    const released = append(release(entry, index));
    expect(reserve(ledger, ask(7))).toEqual({
      ok: false,
      code: 'already-answered',
      index: released,
    });
    expect(answerFor(ledger, hex(7), hex(2))?.index).toBe(released);
    expect(answerFor(ledger, hex(7), hex(9))).toBeUndefined();
    expect(formatRational(spent(ledger, 'incidents', '2024'))).toBe('1/8');
    granted(ledger, ask(7, { versionDigest: hex(9) }));
  });

  it('never refunds a spend that may be logged, and gives back one that is not', () => {
    const { ledger, append } = withLog();
    const lost = granted(ledger, ask(7));
    expect(spentTable(ledger)).toEqual({ incidents: { 2024: '1/8' } });
    abandon(ledger, lost);
    abandon(ledger, lost);
    expect(spentTable(ledger)).toEqual({});
    expect(analystUse(ledger, 'analyst-1', lost.at).queriesToday).toBe(0);
    const kept = granted(ledger, ask(8));
    append(kept);
    abandon(ledger, kept);
    expect(spentTable(ledger)).toEqual({ incidents: { 2024: '1/8' } });
  });

  it('charges every accounting year the query touches, and stops at the tightest', () => {
    const { ledger } = withLog(activated('1/4'));
    granted(ledger, ask(1, { years: ['2023', '2024'] }));
    granted(ledger, ask(2, { years: ['2024'] }));
    expect(reserve(ledger, ask(3, { years: ['2023', '2024'] }))).toMatchObject({
      code: 'rho-per-year',
    });
    granted(ledger, ask(4, { years: ['2023'] }));
    expect(spentTable(ledger)).toEqual({ incidents: { 2023: '1/4', 2024: '1/4' } });
  });

  it('holds each analyst to the fairness limits, per civil day and year in London', () => {
    const { ledger } = withLog(activated('100', { rhoPerYear: '3/8', queriesPerDay: 2 }));
    const before = '2026-06-30T22:59:59.999Z'; // 23:59 in London
    const after = '2026-06-30T23:00:00.000Z'; // the next day in London
    granted(ledger, ask(1, { at: before }));
    granted(ledger, ask(2, { at: before }));
    expect(reserve(ledger, ask(3, { at: before }))).toMatchObject({ code: 'queries-per-day' });
    granted(ledger, ask(3, { at: after }));
    expect(reserve(ledger, ask(4, { at: after }))).toMatchObject({ code: 'analyst-rho-per-year' });
    granted(ledger, ask(4, { at: after, analyst: 'analyst-2' }));
    granted(ledger, ask(5, { at: '2027-01-01T00:00:00.000Z' }));
    expect(ledgerView(ledger, { analyst: 'analyst-1', at: after })).toEqual({
      spent: { incidents: { 2024: '5/8' } },
      analysts: { 'analyst-1': { rhoThisYear: '3/8', queriesToday: 1 } },
    });
  });

  it.each([
    ['bad-request', { rho: '-1/8' }],
    ['bad-request', { rho: '0' }],
    ['bad-request', { rho: '-0' }],
    ['bad-request', { rho: 'NaN' }],
    ['bad-request', { rho: 0.125 as unknown as string }],
    ['bad-request', { rho: '2/16' }],
    ['bad-request', { rho: undefined as unknown as string }],
    ['bad-request', { years: [] }],
    ['bad-request', { years: ['2024', '2023'] }],
    ['bad-request', { years: ['2024', '2024'] }],
    ['bad-request', { at: 'now' }],
    ['bad-request', { count: 3 } as Partial<ReserveRequest>],
    ['unknown-dataset', { dataset: 'people' }],
    ['unknown-dataset', { dataset: '__proto__' }],
    ['policy-digest', { policyDigest: hex(5) }],
  ] as const)('refuses with %s: %j', (code, change) => {
    const { ledger } = withLog();
    expect(reserve(ledger, ask(1, change as Partial<ReserveRequest>))).toMatchObject({
      ok: false,
      code,
    });
    expect(spentTable(ledger)).toEqual({});
  });

  it('spends nothing without an active policy', () => {
    expect(reserve(emptyLedger(), ask(1))).toMatchObject({ code: 'no-active-policy' });
    expect(reserve(emptyLedger(), null as unknown as ReserveRequest)).toMatchObject({ ok: false });
    expect(remaining(emptyLedger(), 'incidents', '2024')).toBeUndefined();
  });
});

describe('entries', () => {
  it('hold the largest query there is', () => {
    const month = (i: number) =>
      `${2000 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}`;
    const query = canonicaliseQuery({
      version: 1,
      measure: 'incidents',
      categories: CATEGORIES,
      periods: Array.from({ length: 120 }, (_, i) => `${month(2 * i)}/${month(2 * i + 1)}`),
      resolution: 9,
      grid: 'ew-2026-1',
      gridHash: hex(1),
      agencies: Array.from({ length: 400 }, (_, i) => `${'a'.repeat(60)}${1000 + i}`),
      rho: '999999/1000000',
      purpose: 'p'.repeat(64),
    });
    const { at, actor, recipient, purpose, analyst } = ask(1);
    const received: Entry = {
      kind: 'query.received',
      verb: 'consultation',
      ...{ at, actor, recipient, purpose, analyst },
      fingerprint: fingerprint(query),
      round: 'r1',
      query: JSON.stringify(query),
    };
    expect(encodeEntry(received).length).toBeGreaterThan(28_000);
  });
});

describe('preview', () => {
  it('tells cost and how many like it remain', () => {
    const { ledger } = withLog();
    for (let n = 0; n < 4; n++) granted(ledger, ask(n));
    const asked = { dataset: 'incidents', years: ['2024'], rho: '1/8' };
    expect(preview(ledger, asked)).toEqual({
      affordable: true,
      cost: '1/8',
      remaining: '3/2',
      likeItAfter: 11n,
      sentence: 'this query costs 1/8; 11 like it remain this year',
    });
    expect(preview(ledger, { ...asked, rho: '7/4' })).toMatchObject({
      affordable: false,
      likeItAfter: 0n,
    });
    expect(preview(ledger, { ...asked, dataset: 'people' })).toMatchObject({ affordable: false });
  });

  it('agrees with what reserve grants', () => {
    const rho = fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
      .map(([a, b]) => formatRational(parseRationalOf(a, b)));
    fc.assert(
      fc.property(rho, rho, (limit, cost) => {
        const { ledger } = withLog(activated(limit));
        const asked = { dataset: 'incidents', years: ['2024'], rho: cost };
        const before = preview(ledger, asked);
        let count = 0n;
        while (reserve(ledger, ask(Number(count), { rho: cost })).ok) count += 1n;
        expect(count).toBe(before.affordable ? before.likeItAfter + 1n : 0n);
      }),
    );
  });
});

const parseRationalOf = (a: number, b: number) => {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y));
  const [num, den] = [a / gcd(a, b), b / gcd(a, b)];
  return parseRational(den === 1 ? `${num}` : `${num}/${den}`);
};
