/**
 * Linkage: curve work per core against @noble/curves in the same run, labels for 200,000 people, accuracy on Febrl 1 held
 * out by halves, the overlap estimate on invented populations, and the noise of an intersection at epsilon 1.
 */

import { readFileSync } from 'node:fs';
import { ristretto255_oprf as noble } from '@noble/curves/ed25519.js';
import { parse } from 'csv-parse/sync';
import { rational } from '#libs/dp';
import { osRandom } from '#libs/host';
import {
  type BatchResponse,
  blindBatch,
  componentOf,
  countShared,
  dealKey,
  drawDummyCounts,
  evaluateElements,
  finishBatch,
  finishKey,
  type HolderPair,
  type KeyDealing,
  KeyHolder,
  type KeyShare,
  learnKeys,
  linkRows,
  planCountNoise,
  publicKeysOf,
  releaseCounts,
  standardise,
  unblindBatch,
} from '#libs/linkage';
import type { Emit } from './line.js';
import { benchEstimate } from './overlap-estimate.js';

const PAIR: HolderPair = [1, 2];
const random = osRandom();
const inputs = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    Buffer.from(`mk/v1 a person of usual length, number ${i}`),
  );

/** Core-seconds of the fastest of three runs: processor time, so that a busy machine gives the same figure. */
const seconds = (work: () => void): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
};

const makeShares = (): [KeyShare, KeyShare] => {
  const context = { project: 'bench', epoch: '1', holders: ['a', 'b', 'c'] as const };
  const dealings = ([1, 2, 3] as const).map((index) => dealKey(context, index, random));
  const each = <T>(pick: (dealing: KeyDealing) => T) => dealings.map(pick) as [T, T, T];
  const finish = (index: 1 | 2) =>
    finishKey(
      context,
      index,
      each((d) => d.commitment),
      each((d) => d.opening),
      each((d) => d.subshares[index - 1] as Uint8Array),
    );
  return [finish(1), finish(2)];
};

function benchCurve(emit: Emit): void {
  const [one, two] = makeShares();
  const some = inputs(2048);
  const batch = blindBatch(some, random);
  const first = evaluateElements(one, PAIR, batch.elements);
  const second = evaluateElements(two, PAIR, batch.elements);
  const few = inputs(128);
  const secret = one.secret;
  const theirs = few.map((input) => noble.oprf.blind(input));
  const evaluated = theirs.map(({ blinded }) => noble.oprf.blindEvaluate(secret, blinded));

  const client = some.length / seconds(() => unblindBatch(blindBatch(some, random), first, second));
  const nobleClient =
    few.length /
    seconds(() => {
      few.forEach((input, i) => {
        noble.oprf.blind(input);
        const { blind } = theirs[i] as (typeof theirs)[0];
        noble.oprf.finalize(input, blind, evaluated[i] as Uint8Array);
      });
    });
  emit({
    name: 'oprf-client',
    figure: Math.round(client),
    unit: 'labels per core-second',
    peer: 'noble',
    ratio: client / nobleClient,
  });

  const holder = some.length / seconds(() => evaluateElements(one, PAIR, batch.elements));
  const nobleHolder =
    few.length /
    seconds(() => {
      for (const { blinded } of theirs) noble.oprf.blindEvaluate(secret, blinded);
    });
  emit({
    name: 'oprf-key-holder',
    figure: Math.round(holder),
    unit: 'elements per core-second',
    peer: 'noble',
    ratio: holder / nobleHolder,
  });

  const request = { project: 'bench', epoch: '1', node: 'n', pair: PAIR, elements: batch.elements };
  const grants = [{ node: 'n', people: 100_000, keys: 1 }];
  const answer = (share: KeyShare) => {
    const decision = new KeyHolder(share, grants).evaluate({ ...request, sequence: 1 }, random);
    if (!decision.ok) throw new Error(decision.code);
    return decision.response;
  };
  const answers = [answer(one), answer(two)] as const;
  const proving = some.length / seconds(() => answer(one));
  emit({
    name: 'oprf-key-holder-with-proof',
    figure: Math.round(proving),
    unit: 'elements per core-second',
  });
  const checking =
    some.length /
    seconds(() => {
      blindBatch(some, random);
      finishBatch(batch, PAIR, [answers[0], answers[1]], publicKeysOf(one));
    });
  emit({
    name: 'oprf-client-checking-both-proofs',
    figure: Math.round(checking),
    unit: 'labels per core-second',
    peer: 'noble without proofs',
    ratio: checking / nobleClient,
  });

  // The whole of a client's work on 20,480 different inputs in batches as a node sends them, once; what holders do is left out.
  let spent = 0;
  const holders = [new KeyHolder(one, grants), new KeyHolder(two, grants)] as const;
  const many = inputs(10 * some.length);
  for (let from = 0, sequence = 1; from < many.length; from += some.length, sequence++) {
    const start = process.cpuUsage();
    const mine = blindBatch(many.slice(from, from + some.length), random);
    const blinding = process.cpuUsage(start);
    const [a, b] = holders.map((holder) => {
      const asked = { ...request, elements: mine.elements, sequence };
      const decision = holder.evaluate(asked, random);
      if (!decision.ok) throw new Error(decision.code);
      return decision.response;
    }) as [BatchResponse, BatchResponse];
    const middle = process.cpuUsage();
    finishBatch(mine, PAIR, [a, b], publicKeysOf(one));
    const finishing = process.cpuUsage(middle);
    for (const { user, system } of [blinding, finishing]) spent += (user + system) / 1e6;
  }
  emit({
    name: 'client-200k-people-4-keys',
    figure: Math.round((spent * 800_000) / many.length / 6) / 10,
    unit: `core-minutes with proofs checked, from ${many.length} of 800000 labels`,
  });
}

function benchFebrl(emit: Emit): void {
  const rows: Record<string, string>[] = parse(
    readFileSync('libs/linkage/vectors/febrl-dataset1.csv'),
    {
      columns: true,
      trim: true,
    },
  );
  const records = rows.map((row) => ({
    entity: (row.rec_id ?? '').split('-')[1] ?? '',
    original: (row.rec_id ?? '').endsWith('-org'),
    person: standardise({
      forename: row.given_name ?? '',
      surname: row.surname ?? '',
      dateOfBirth: row.date_of_birth ?? '',
      houseNumber: row.street_number ?? '',
      street: row.address_1 ?? '',
      locality: row.address_2 ?? '',
      town: row.suburb ?? '',
      region: row.state ?? '',
      postcode: row.postcode ?? '',
    }),
  }));
  let [pairs, right, truth] = [0, 0, 0];
  for (const odd of [0, 1]) {
    const train = records.filter(({ entity }) => Number(entity) % 2 === odd);
    const test = records.filter(({ entity }) => Number(entity) % 2 !== odd);
    const file = {
      people: train.map(({ person }) => person),
      entities: train.map(({ entity }) => entity),
    };
    const keys = learnKeys([file], { maxKeys: 20 }).map(({ key }) => key);
    const sides = [true, false].map((original) =>
      test.filter((record) => record.original === original),
    );
    const labels = sides.map((side) =>
      keys.map((key) =>
        side.map(({ person }) => {
          const parts = key.components.map((name) => componentOf(name, person));
          return parts.includes('') ? null : parts.join('|');
        }),
      ),
    );
    const linked = linkRows(keys, labels[0] ?? [], labels[1] ?? []);
    pairs += linked.length;
    right += linked.filter(
      (p) => sides[0]?.[p.left]?.entity === sides[1]?.[p.right]?.entity,
    ).length;
    truth += sides[1]?.length ?? 0;
  }
  emit({
    name: 'febrl1-held-out-precision',
    figure: right / pairs,
    unit: 'of pairs, no id number, <= 20 keys',
  });
  emit({
    name: 'febrl1-held-out-recall',
    figure: right / truth,
    unit: 'of people, no id number, <= 20 keys',
  });
}

function benchNoise(emit: Emit): void {
  const plan = planCountNoise(rational(1n), 1);
  const draws = 4000;
  for (const people of [10_000, 100_000]) {
    const keyId = 'k';
    const left = { keyId, labels: BigUint64Array.from({ length: people }, (_, i) => BigInt(i)) };
    const right = {
      keyId,
      labels: BigUint64Array.from({ length: people }, (_, i) => BigInt(i) * 2n),
    };
    const shared = countShared(left, right);
    let squares = 0;
    for (let run = 0; run < draws; run++) {
      const [dummies] = drawDummyCounts(plan, 1, random);
      const [released] = releaseCounts([shared + (dummies as number)], plan, random);
      squares += ((released as number) - shared) ** 2;
    }
    emit({
      name: `intersection-rmse-epsilon-1-${people}`,
      figure: Math.sqrt(squares / draws),
      unit: 'people',
    });
  }
}

export async function run(emit: Emit): Promise<void> {
  benchCurve(emit);
  benchFebrl(emit);
  benchEstimate(emit);
  benchNoise(emit);
}
