/** What an auditor finds wrong in the order of a log, and that it accuses no honest one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Entry, EntryOf } from '#libs/tlog';
import { checkEntryOrder, reserve } from './index.js';
import { activated, ask, granted, hex, release, withLog } from './small-ledger.fixture-spec.js';

describe('order rules', () => {
  const clean = () => {
    const built = withLog();
    for (let n = 0; n < 5; n++) {
      const entry = granted(built.ledger, ask(n));
      built.append(release(entry, built.append(entry)));
    }
    return built.log;
  };
  const faultsOf = (log: readonly Entry[]) =>
    checkEntryOrder(log).faults.map(({ at, kind }) => `${at} ${kind}`);
  const change = (log: Entry[], at: number, members: object): Entry[] =>
    log.map((entry, i) => (i === at ? ({ ...entry, ...members } as Entry) : entry));

  it('finds nothing in an honest log', () => expect(faultsOf(clean())).toEqual([]));

  it('names a release without an earlier reserve', () => {
    const log = clean();
    const [reserved, released] = [log[1] as Entry, log[2] as Entry];
    expect(faultsOf([log[0] as Entry, released, reserved])).toEqual(['1 release-without-reserve']);
    expect(faultsOf(change(log, 2, { reservation: '2' }))).toEqual(['2 release-without-reserve']);
    expect(faultsOf(change(log, 2, { reservation: '99' }))).toEqual(['2 release-without-reserve']);
  });

  it.each(['fingerprint', 'versionDigest', 'policyDigest'])(
    'names a release of another %s',
    (f) => {
      expect(faultsOf(change(clean(), 4, { [f]: hex(77) }))).toEqual([
        '4 release-differs-from-reserve',
      ]);
    },
  );

  it('names second answers and reservations used twice', () => {
    const log = clean();
    expect(faultsOf([...log, log[2] as Entry])).toEqual([
      '11 second-answer',
      '11 reservation-used-twice',
    ]);
    expect(faultsOf([...log, log[1] as Entry])).toEqual(['11 reserve-repeated']);
  });

  it('names spends over the limit, under no policy, another policy or another limit', () => {
    const log = clean();
    expect(faultsOf(change(log, 0, { limits: activated('3/8').limits }))).toEqual([
      ...[1, 3, 5].map((at) => `${at} reserve-limit-differs`),
      ...[7, 9].flatMap((at) => [`${at} reserve-limit-differs`, `${at} over-limit`]),
    ]);
    expect(faultsOf(log.slice(1)).filter((f) => f.endsWith('reserve-without-policy'))).toHaveLength(
      5,
    );
    expect(faultsOf(change(log, 3, { policyDigest: hex(8) }))).toContain(
      '3 reserve-under-other-policy',
    );
    expect(faultsOf(change(log, 3, { dataset: 'people' }))).toContain(
      '3 reserve-of-unknown-dataset',
    );
    expect(faultsOf(change(log, 3, { rho: '2/16' }))).toContain('3 rho-not-canonical');
    const one = { rhoPerYear: '100', queriesPerDay: 4 };
    expect(faultsOf(change(log, 0, { limits: activated('2', one).limits }))).toEqual([
      '9 analyst-over-limit',
    ]);
  });

  /** An honest log of random spends, some of them released, some never. */
  const honest = fc
    .array(
      fc.record({
        rho: fc.constantFrom('1/8', '1/7', '2/3', '1'),
        years: fc.constantFrom(['2023'], ['2024'], ['2023', '2024']),
        analyst: fc.constantFrom('analyst-1', 'analyst-2'),
        isReleased: fc.boolean(),
      }),
      { minLength: 3, maxLength: 25 },
    )
    .map((asked) => {
      const { log, ledger, append } = withLog(
        activated('3', { rhoPerYear: '4', queriesPerDay: 9 }),
      );
      asked.forEach(({ isReleased, ...change }, n) => {
        const result = reserve(ledger, ask(n, change));
        if (!result.ok) return;
        const at = append(result.entry);
        if (isReleased) append(release(result.entry, at));
      });
      return log;
    })
    .filter((log) => log.some(({ kind }) => kind === 'release.made'));

  it('accuse no honest log, at any prefix', () => {
    fc.assert(
      fc.property(honest, (log) => {
        for (let size = 0; size <= log.length; size++) {
          expect(checkEntryOrder(log.slice(0, size)).faults).toEqual([]);
        }
      }),
    );
  });

  it('name every release that is moved, repeated or changed, and every spend that is gone, repeated or dearer than allowed', () => {
    const reservedBefore = (log: readonly Entry[], at: number): number =>
      Number((log[at] as EntryOf<'release.made'>).reservation);
    fc.assert(
      fc.property(honest, fc.nat(), fc.nat(), (log, pick, kind) => {
        const places = log.flatMap((entry, at) => (entry.kind === 'release.made' ? [at] : []));
        const at = places[pick % places.length] as number;
        const paid = reservedBefore(log, at);
        const entry = log[at] as EntryOf<'release.made'>;
        const spend = log[paid] as EntryOf<'budget.reserved'>;
        const put = (place: number, changed: Entry): Entry[] => log.with(place, changed);
        const spoilt: Entry[][] = [
          // the release before what paid for it, or without it
          [...log.slice(0, paid), entry, ...log.slice(paid, at), ...log.slice(at + 1)],
          log.toSpliced(paid, 1),
          // one answer twice, one spend twice
          [...log, entry],
          [...log, spend],
          // another price, dataset, policy or year's worth than was paid
          put(at, { ...entry, rho: '1/9' }),
          put(at, { ...entry, dataset: 'people' }),
          put(at, { ...entry, grant: 'another' }),
          put(at, { ...entry, versionDigest: hex(99) }),
          put(paid, { ...spend, rho: '31/10' }),
          put(paid, { ...spend, limit: '4' }),
          put(paid, { ...spend, policyDigest: hex(98) }),
          log.slice(1),
        ];
        expect(checkEntryOrder(spoilt[kind % spoilt.length] as Entry[]).faults).not.toEqual([]);
      }),
      { numRuns: 600 },
    );
  });
});
