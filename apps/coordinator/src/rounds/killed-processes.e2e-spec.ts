/**
 * SIGKILL of coordinator, auditor and nodes at random points of rounds under way. Whatever was accepted ends, what was paid stays paid,
 * and every release is the one that an undisturbed process composes out of the same log.
 */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { canonicalBytes, parseCanonicalJson, sha256Hex } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { openBlobs, verifyJournal } from '#libs/journal';
import { checkEntryOrder } from '#libs/ledger';
import {
  isOver,
  isRoundEvent,
  logVerifierKey,
  type ReleaseHeader,
  type RoundState,
  releaseId,
} from '#libs/protocol';
import {
  AUDITOR,
  COORDINATOR,
  Federation,
  ServedProcess,
  seededRandom,
  streetFile,
} from '#libs/testing';
import type { Entry } from '#libs/tlog';
import { coordinatorPaths } from '../config.js';
import { Federation as CoordinatorFederation } from '../federation/federation.js';
import { composeRelease } from '../releases/compose-release.js';
import { RoundBook } from './round-book.js';
import { RoundFiles } from './round-files.js';
import { VectorStore } from './vector-store.js';

const KILLS = process.env.CONCORDAT_NIGHTLY === '1' ? 240 : 12;
/** How many questions are kept under way, and how long a victim lives at most once everything runs. */
const OPEN_ROUNDS = 3;
const LONGEST_LIFE_MS = 1_500;
/** A start, or the end of what is open, that takes longer than this on a busy machine hangs. */
const READY_MS = 120_000;
const PLACES = { 'alpha-police': [51.4545, -2.5879], 'beta-police': [51.5155, -0.0922] } as const;
const AGENCIES = Object.keys(PLACES);
/** Who is killed: the coordinator half of the time. */
const VICTIMS = [COORDINATOR, COORDINATOR, COORDINATOR, AUDITOR, ...AGENCIES];

let federation: Federation;
const running = new Map<string, ServedProcess>();
afterEach(async () => {
  for (const process of running.values()) await process.end('SIGKILL');
  await federation?.close();
});

const within = <T>(work: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes over ${READY_MS} ms`)), READY_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

async function start(id: string): Promise<void> {
  const folder = ['serve', '--dir', federation.folder(id)];
  const url = new URL(federation.url || 'http://127.0.0.1:0');
  const isCoordinator = id === COORDINATOR;
  const process = isCoordinator
    ? new ServedProcess('coordinator', [...folder, '--port', url.port || '0'])
    : new ServedProcess(id === AUDITOR ? 'auditor' : 'node', [
        ...folder,
        '--coordinator',
        federation.url,
      ]);
  running.set(id, process);
  const address = await within(process.ready, `the start of ${id}`);
  if (isCoordinator) federation.url = address;
}

/** Asks like an analyst whose connection may break at any time; returns the id of the round when it came to be known. */
async function submit(rho: string): Promise<string | undefined> {
  federation.nowMs = Date.now();
  const question = { categories: ['robbery'], periods: ['2024-01'], resolution: 6, rho } as const;
  const { payload, ...signature } = federation.taskFor(AGENCIES[0] as string, question).assertion;
  try {
    const { submitQuery } = await federation.graphql<{ submitQuery: { id: string } }>(
      `mutation ($query: QueryInput!, $assertion: AssertionInput!) {
        submitQuery(query: $query, assertion: $assertion) { id } }`,
      {
        query: { ...question, purpose: 'hotspot-policing' },
        assertion: { ...payload, ...signature },
      },
    );
    return submitQuery.id;
  } catch {
    return undefined;
  }
}

interface Seen {
  readonly phase: string;
  readonly release: string | null;
}
const look = (id: string): Promise<Seen | undefined> =>
  federation
    .graphql<{ round: Seen | null }>('query ($id: ID!) { round(id: $id) { phase release } }', {
      id,
    })
    .then(
      ({ round }) => round ?? undefined,
      () => undefined,
    );

/** What the whole log of the coordinator says of its rounds. */
async function roundsOf(entries: readonly Entry[]): Promise<RoundState[]> {
  const book = new RoundBook(async () => {
    throw new Error('this book is only read');
  });
  for (const [index, entry] of entries.entries()) {
    if (isRoundEvent(entry)) book.replay(BigInt(index), entry);
  }
  return book.all();
}

/** Composes every released round again, in a process that nobody disturbs, out of the log and the nodes' own answers. */
async function composeAgain(released: readonly RoundState[]): Promise<Map<string, string>> {
  const dir = await mkdtemp(join(tmpdir(), 'concordat-again-'));
  try {
    const uploads = join(dir, 'uploads');
    await mkdir(uploads);
    const paths = coordinatorPaths(federation.folder(COORDINATOR));
    const files = new RoundFiles(await openBlobs({ dir: paths.rounds }));
    const blobs = await openBlobs({ dir: join(dir, 'blobs') });
    const pinned = CoordinatorFederation.open(
      paths.manifest,
      paths.domains,
      federation.manifest.coordinator.publicKey,
    );
    const digests = new Map<string, string>();
    for (const state of released) {
      const contributions = new Map();
      for (const [agency, standing] of state.standings) {
        if (standing.status !== 'answered') continue;
        const { contribution, valueDigest } = standing;
        contributions.set(contribution, await files.contribution(contribution));
        const kept = await openBlobs({ dir: join(federation.folder(agency), 'blobs') });
        await copyFile(kept.path(valueDigest), join(uploads, valueDigest));
      }
      const { query } = await files.question(state.question);
      const header = await composeRelease({
        round: { ...state, query, contributions },
        federation: pinned,
        vectors: new VectorStore(uploads),
        blobs,
        onProgress: () => undefined,
        unmasked: undefined,
        receiptDigest: (receipt) => sha256Hex(canonicalBytes(receipt)),
      });
      digests.set(state.id, releaseId(header));
    }
    return digests;
  } finally {
    await rm(dir, { recursive: true });
  }
}

it(
  `ends every round with the release of an undisturbed process over ${KILLS} SIGKILLs`,
  async () => {
    federation = await Federation.open({
      agencies: AGENCIES.map((id) => {
        const [lat, lon] = PLACES[id as keyof typeof PLACES];
        const cell = cellAt(lat, lon, 9);
        const row = { month: '2024-01', type: 'Robbery', cell };
        return {
          id,
          domain: domainFromCells(`test/${id}`, disk(cell, 3)),
          files: { 'street.csv': streetFile([row, row, row]) },
        };
      }),
      limits: { rhoPerYear: '10000', queriesPerDay: 10_000 },
      roundDeadlineSeconds: 45,
      serve: false,
    });
    for (const id of [COORDINATOR, AUDITOR, ...AGENCIES]) await start(id);

    const words = new Uint32Array(1);
    const random = seededRandom('killed processes');
    const upTo = (bound: number): number => {
      random.fillWords(words);
      return Math.floor(((words[0] as number) / 2 ** 32) * bound);
    };
    let asked = 0;
    let isAsking = true;
    const open = new Set<string>();
    const known = new Set<string>();
    const seenReleased = new Map<string, string>();
    const asking = (async () => {
      while (isAsking) {
        for (const id of open) {
          const seen = await look(id);
          if (seen?.release) seenReleased.set(id, seen.release);
          if (seen && ['released', 'aborted', 'expired'].includes(seen.phase)) open.delete(id);
        }
        if (open.size < OPEN_ROUNDS) {
          asked += 1;
          // every third question was asked before, and costs nothing
          const id = await submit(`1/${8 + (asked % 3 === 0 ? upTo(asked) : asked)}`);
          if (id) known.add(id) && open.add(id);
        }
        await pause(50);
      }
    })();

    const killed = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = VICTIMS[upTo(VICTIMS.length)] as string;
      await pause(upTo(LONGEST_LIFE_MS));
      await running.get(victim)?.end('SIGKILL');
      killed.set(victim, (killed.get(victim) ?? 0) + 1);
      await start(victim);
      if (kill % 20 === 19)
        process.stderr.write(`${kill + 1} kills, ${known.size} rounds so far\n`);
    }
    isAsking = false;
    await asking;
    // rounds whose id never reached the analyst end by themselves too: by their deadline at the latest
    const settle = async (): Promise<void> => {
      for (;;) {
        const rounds = await roundsOf(await federation.entries(COORDINATOR));
        if (rounds.every(isOver) && [...known].every((id) => rounds.some((r) => r.id === id)))
          return;
        await pause(500);
      }
    };
    await within(settle(), 'the end of what is open');
    for (const process of running.values()) await process.end('SIGTERM');
    running.clear();

    // the coordinator's log: whole, and every round in it at its end
    const entries = await federation.entries(COORDINATOR);
    const keys = [logVerifierKey(federation.manifest, COORDINATOR)];
    const log = join(federation.folder(COORDINATOR), 'log');
    expect(await verifyJournal(log, { verifierKeys: keys })).toMatchObject({ ok: true });
    const rounds = await roundsOf(entries);
    expect(rounds.filter((state) => !isOver(state))).toEqual([]);
    expect([...known].filter((id) => !rounds.some((state) => state.id === id))).toEqual([]);
    const released = rounds.filter(({ phase }) => phase === 'released');
    const aborted = rounds.filter(({ phase }) => phase === 'aborted');
    expect(released.length + aborted.length).toBe(rounds.length);
    expect(new Set(aborted.map(({ code }) => code)).size).toBeLessThanOrEqual(1);
    expect(aborted.every(({ code }) => code === 'no-contribution')).toBe(true);

    // the same digest: as the analyst saw it, and as an undisturbed process composes it
    for (const [id, digest] of seenReleased) {
      expect(released.find((state) => state.id === id)?.release).toBe(digest);
    }
    const again = await composeAgain(released);
    for (const { id, release } of released) expect(again.get(id)).toBe(release);

    // no lost spend, no second answer
    const answers = new Map<string, Set<string>>();
    for (const { fingerprint, standings } of rounds) {
      for (const [agency, standing] of standings) {
        if (standing.status !== 'answered') continue;
        const key = `${agency} ${fingerprint}`;
        answers.set(key, (answers.get(key) ?? new Set()).add(standing.valueDigest));
      }
    }
    expect([...answers].filter(([, digests]) => digests.size !== 1)).toEqual([]);
    let spends = 0;
    let idle = 0;
    for (const agency of AGENCIES) {
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
      const unanswered = paid.filter((fingerprint) => !made.has(fingerprint));
      expect(unanswered.filter((fingerprint) => answers.has(`${agency} ${fingerprint}`))).toEqual(
        [],
      );
      spends += paid.length;
      idle += unanswered.length;
      for (const [key, digests] of answers) {
        const [of, fingerprint = ''] = key.split(' ');
        if (of === agency) expect([...digests]).toEqual([made.get(fingerprint)]);
      }
    }
    // two rounds of one question that the same agencies answered publish the same numbers
    const published = new Map<string, string>();
    const blobs = await openBlobs({ dir: coordinatorPaths(federation.folder(COORDINATOR)).blobs });
    for (const { release } of released) {
      const header = parseCanonicalJson(await blobs.get(release ?? '')) as ReleaseHeader;
      const who = header.coverage.map(({ status }) => status).join();
      const numbers = JSON.stringify([header.groups, header.classes]);
      const key = `${header.fingerprint} ${who}`;
      expect(published.get(key) ?? numbers).toBe(numbers);
      published.set(key, numbers);
    }
    expect(released.length).toBeGreaterThan(KILLS / 4);
    process.stderr.write(
      `${KILLS} kills (${[...killed].map(([id, times]) => `${id} ${times}`).join(', ')}), ${asked} questions, ` +
        `${rounds.length} rounds: ${released.length} released, ${aborted.length} aborted; ` +
        `${spends} spends, 0 lost, ${idle} whose round closed before their node was back, ${answers.size} answers, 0 second ones; ${again.size} releases composed again, all the same\n`,
    );
  },
  180_000 + KILLS * 30_000,
);
