/**
 * SIGKILL of coordinator, auditor, nodes, worker and Redis at random points of rounds under way. Whatever was accepted ends, what was
 * paid stays paid, and every release is the one that an undisturbed process composes out of the same log.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { verifyJournal } from '#libs/journal';
import { checkEntryOrder } from '#libs/ledger';
import { isOver, logVerifierKey, type RoundState } from '#libs/protocol';
import { AUDITOR, COORDINATOR, seededRandom } from '#libs/testing';
import { composeAgain, contributionsOf, headerOf, roundsOf } from './compose-again.fixture-spec.js';
import {
  AGENCIES,
  KilledFederation,
  REDIS,
  WORKER,
  within,
} from './killed-federation.fixture-spec.js';

const NIGHTLY = process.env.CONCORDAT_NIGHTLY === '1';
const KILLS = NIGHTLY ? 60 : 6;
/** How many questions are kept under way, and how long a victim lives at most once everything runs. */
const OPEN_ROUNDS = 3;
const LONGEST_LIFE_MS = 1_500;
/** What the design allows a node from its start until it goes on. */
const GOES_ON_MS = 10_000;
/** Who is killed: the coordinator more often than others. */
const VICTIMS = [COORDINATOR, COORDINATOR, COORDINATOR, AUDITOR, ...AGENCIES];

interface Mode {
  readonly name: string;
  readonly isSealed: boolean;
  readonly onRedis: boolean;
}
const MODES: readonly Mode[] = [
  { name: 'open rounds, jobs in the coordinator', isSealed: false, onRedis: false },
  { name: 'sealed rounds, jobs in a worker', isSealed: true, onRedis: true },
];
const NIGHTLY_MODES: readonly Mode[] = [
  { name: 'sealed rounds, jobs in the coordinator', isSealed: true, onRedis: false },
  { name: 'open rounds, jobs in a worker', isSealed: false, onRedis: true },
];
/** A node that is dead at the deadline is missing; below three answers nothing is unmasked. */
const ABORTS = { open: ['no-contribution'], sealed: ['no-contribution', 'too-few-contributors'] };

let killed: KilledFederation | undefined;
afterEach(() => killed?.close());

interface Asked {
  /** Rounds whose id the analyst heard. */
  readonly known: ReadonlySet<string>;
  /** Releases as the analyst saw them. */
  readonly seen: ReadonlyMap<string, string>;
  readonly questions: number;
}

/** Keeps questions under way while `disturb` runs, every third of them asked before. */
async function askDuring(
  of: KilledFederation,
  upTo: (bound: number) => number,
  disturb: () => Promise<void>,
): Promise<Asked> {
  let questions = 0;
  let isAsking = true;
  const open = new Set<string>();
  const known = new Set<string>();
  const seen = new Map<string, string>();
  const asking = (async () => {
    while (isAsking) {
      for (const id of open) {
        const round = await of.look(id);
        if (round?.release) seen.set(id, round.release);
        if (round && ['released', 'aborted', 'expired'].includes(round.phase)) open.delete(id);
      }
      if (open.size < OPEN_ROUNDS) {
        questions += 1;
        const id = await of.submit(`1/${8 + (questions % 3 === 0 ? upTo(questions) : questions)}`);
        if (id) known.add(id) && open.add(id);
      }
      await pause(50);
    }
  })();
  try {
    await disturb();
  } finally {
    isAsking = false;
    await asking;
  }
  return { known, seen, questions };
}

/** Answers that the coordinator accepted: digests by agency and fingerprint. */
async function answersOf(
  { federation }: KilledFederation,
  rounds: readonly RoundState[],
): Promise<Map<string, Set<string>>> {
  const answers = new Map<string, Set<string>>();
  for (const round of rounds) {
    for (const [agency, { receipt }] of await contributionsOf(federation, round)) {
      const key = `${agency} ${round.fingerprint}`;
      answers.set(key, (answers.get(key) ?? new Set()).add(receipt.payload.valueDigest));
    }
  }
  return answers;
}

/** No lost spend and no second answer in the log of a node; returns how often it paid, and how often for a round that closed meanwhile. */
async function expectHonestNode(
  { federation }: KilledFederation,
  agency: string,
  answers: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<{ readonly paid: number; readonly idle: number }> {
  const own = await federation.entries(agency);
  expect(checkEntryOrder(own).faults).toEqual([]);
  const made = new Map(
    own.flatMap((entry) =>
      entry.kind === 'release.made' ? [[entry.fingerprint, entry.valueDigest]] : [],
    ),
  );
  expect(own.filter(({ kind }) => kind === 'release.made')).toHaveLength(made.size);
  // a question is paid for once; where the round closed before the killed node was back, it is paid and not answered
  const paid = own.flatMap((entry) =>
    entry.kind === 'budget.reserved' ? [entry.fingerprint] : [],
  );
  expect(new Set(paid).size).toBe(paid.length);
  expect([...made.keys()].filter((fingerprint) => !paid.includes(fingerprint))).toEqual([]);
  for (const [key, digests] of answers) {
    const [of, fingerprint = ''] = key.split(' ');
    if (of === agency) expect([...digests]).toEqual([made.get(fingerprint)]);
  }
  return { paid: paid.length, idle: paid.length - made.size };
}

it.each([...MODES, ...(NIGHTLY ? NIGHTLY_MODES : [])])(
  `ends every round with the release of an undisturbed process over ${KILLS} SIGKILLs: $name`,
  async ({ name, isSealed, onRedis }) => {
    const current = await KilledFederation.open({ isSealed, onRedis, roundDeadlineSeconds: 45 });
    killed = current;
    const { federation } = current;
    const words = new Uint32Array(1);
    const random = seededRandom(`killed processes, ${name}`);
    const upTo = (bound: number): number => {
      random.fillWords(words);
      return Math.floor(((words[0] as number) / 2 ** 32) * bound);
    };
    const victims = [...VICTIMS, ...(onRedis ? [WORKER, WORKER, WORKER, REDIS, REDIS] : [])];
    const { known, seen, questions } = await askDuring(current, upTo, async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        await pause(upTo(LONGEST_LIFE_MS));
        await current.kill(victims[upTo(victims.length)] as string);
        if (kill % 20 === 19) process.stderr.write(`${kill + 1} kills\n`);
      }
    });
    // rounds whose id never reached the analyst end by themselves too: by their deadline at the latest
    const settle = async (): Promise<void> => {
      for (;;) {
        const rounds = roundsOf(await federation.entries(COORDINATOR));
        if (rounds.every(isOver) && [...known].every((id) => rounds.some((r) => r.id === id)))
          return;
        await pause(500);
      }
    };
    await within(settle(), 'the end of what is open');
    await current.stop();

    // the coordinator's log: whole, and every round in it at its end
    const keys = [logVerifierKey(federation.manifest, COORDINATOR)];
    const log = join(federation.folder(COORDINATOR), 'log');
    expect(await verifyJournal(log, { verifierKeys: keys })).toMatchObject({ ok: true });
    const rounds = roundsOf(await federation.entries(COORDINATOR));
    expect(rounds.filter((state) => !isOver(state))).toEqual([]);
    expect([...known].filter((id) => !rounds.some((state) => state.id === id))).toEqual([]);
    const released = rounds.filter(({ phase }) => phase === 'released');
    const aborted = rounds.filter(({ phase }) => phase === 'aborted');
    expect(released.length + aborted.length).toBe(rounds.length);
    const allowed: readonly string[] = ABORTS[isSealed ? 'sealed' : 'open'];
    expect(aborted.filter(({ code }) => !allowed.includes(code ?? ''))).toEqual([]);
    expect(released.length).toBeGreaterThan(KILLS / 10);

    // the same digest: as the analyst saw it, and as an undisturbed process composes it
    for (const [id, digest] of seen) {
      expect(released.find((state) => state.id === id)?.release).toBe(digest);
    }
    const again = await composeAgain(federation, released);
    for (const { id, release } of released) expect(again.get(id)).toBe(release);

    // no lost spend, no second answer, no second sum of masks
    const answers = await answersOf(current, rounds);
    expect([...answers].filter(([, digests]) => digests.size !== 1)).toEqual([]);
    let spends = 0;
    let idle = 0;
    for (const agency of AGENCIES) {
      const node = await expectHonestNode(current, agency, answers);
      spends += node.paid;
      idle += node.idle;
    }
    const unmasked = (await federation.entries(AUDITOR)).flatMap((entry) =>
      entry.kind === 'round.unmasked' ? [entry.round] : [],
    );
    expect(new Set(unmasked).size).toBe(unmasked.length);
    for (const { id } of isSealed ? released : []) expect(unmasked).toContain(id);
    for (const id of [COORDINATOR, AUDITOR, ...AGENCIES])
      expect((await federation.audit(id)).faults).toEqual([]);

    // two rounds of one question that the same agencies answered publish the same numbers
    const published = new Map<string, string>();
    for (const { release } of released) {
      const header = await headerOf(federation, release ?? '');
      const who = header.coverage.map(({ status }) => status).join();
      const numbers = JSON.stringify([header.groups, header.classes]);
      const key = `${header.fingerprint} ${who}`;
      expect(published.get(key) ?? numbers).toBe(numbers);
      published.set(key, numbers);
    }

    const times = [...current.goneOn].map(([id, ms]) => {
      const sorted = [...ms].sort((a, b) => a - b);
      return `${id} ${ms.length} (went on after ${sorted[sorted.length >> 1]} ms, at most ${sorted.at(-1)})`;
    });
    const late = [...current.goneOn.values()].flat().filter((ms) => ms > GOES_ON_MS).length;
    process.stderr.write(
      `${name}: ${KILLS} kills: ${times.join(', ')}; ${late} of them over ${GOES_ON_MS} ms; ${questions} questions, ` +
        `${rounds.length} rounds: ${released.length} released, ${aborted.length} aborted; ` +
        `${spends} spends, 0 lost, ${idle} whose round closed before their node was back, ${answers.size} answers, 0 second ones; ` +
        `${unmasked.length} sums of masks, 0 second ones; ${again.size} releases composed again, all the same\n`,
    );
  },
  240_000 + KILLS * 30_000,
);
