import { afterEach, expect, it } from '@jest/globals';
import { readJournal, verifyJournal } from '#libs/journal';
import { loadSigningKey } from '#libs/keystore';
import { checkEntryOrder } from '#libs/ledger';
import { logOrigin } from '#libs/protocol';
import { seededRandom } from '#libs/testing';
import { decodeEntry, type Entry, formatVerifierKey } from '#libs/tlog';
import { nodePaths } from './config.js';
import { AGENCY, makeSmallNode, type SmallNode } from './small-node.fixture-spec.js';
import { startNode, startTaskSource, type TaskSource } from './task-source.fixture-spec.js';

const KILLS = process.env.CONCORDAT_NIGHTLY === '1' ? 200 : 12;
/** Three kills in four fall into the work, within this time after the start, the fourth into the start itself. */
const LONGEST_LIFE_MS = 1_500;
const OPEN_TASKS = 3;

let small: SmallNode | undefined;
let source: TaskSource | undefined;

afterEach(async () => {
  await source?.close();
  small?.remove();
});

/** A start, or finishing the open tasks, that takes longer than this on a busy machine hangs. */
const READY_MS = 240_000;

const within = <T>(ms: number, work: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes over ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it(
  `loses no spend and gives no second answer over ${KILLS} SIGKILLs under load`,
  async () => {
    const tasks = await startTaskSource();
    source = tasks;
    const folder = await makeSmallNode({
      rhoPerYear: '1000',
      queriesPerDay: 10_000,
      coordinatorUrl: tasks.url,
    });
    small = folder;
    tasks.key = folder.coordinator;
    const words = new Uint32Array(1);
    const random = seededRandom('killed node');
    const upTo = (bound: number): number => {
      random.fillWords(words);
      return Math.floor(((words[0] as number) / 2 ** 32) * bound);
    };

    // every third task asks an earlier question again, in a round of its own
    let asked = 0;
    const settled = () =>
      new Set(tasks.sent.filter(({ kind }) => kind !== 'hold').map(({ round }) => round)).size;
    let offering = true;
    tasks.offer = () => {
      const wanted = offering ? OPEN_TASKS - (asked - settled()) : 0;
      return Array.from({ length: Math.max(0, wanted) }, () => {
        asked += 1;
        const question = asked % 3 === 0 ? 8 + upTo(asked) : 8 + asked;
        return folder.task({ rho: `1/${question}` });
      });
    };
    let startMs = 1_000;
    for (let kill = 0; kill < KILLS; kill++) {
      const started = performance.now();
      const { child, ready, ended } = startNode(folder.dir);
      if (kill % 4 === 3) await pause(upTo(startMs));
      else {
        await within(READY_MS, ready, `start ${kill}`);
        startMs = performance.now() - started;
        await pause(upTo(LONGEST_LIFE_MS));
      }
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      if (kill % 20 === 19) process.stderr.write(`${kill + 1} kills, ${asked} tasks so far\n`);
    }

    // a last start has to open the log and finish what is open
    offering = false;
    const { child, ready, ended } = startNode(folder.dir);
    await within(READY_MS, ready, 'the last start');
    const finish = async (): Promise<void> => {
      while (settled() < asked) await pause(100);
    };
    await within(READY_MS, finish(), 'finishing what is open');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);

    const answers = new Map<string, Set<string>>();
    for (const { kind, fingerprint = '', says = '' } of tasks.sent) {
      expect(kind).toBe('contribution');
      answers.set(fingerprint, (answers.get(fingerprint) ?? new Set()).add(says));
    }
    expect(answers.size).toBeGreaterThan(KILLS / 2);
    expect([...answers.values()].filter(({ size }) => size !== 1)).toEqual([]);

    const paths = nodePaths(folder.dir);
    const entries: Entry[] = [];
    for await (const { bytes } of readJournal(paths.log)) entries.push(decodeEntry(bytes));
    expect(checkEntryOrder(entries).faults).toEqual([]);
    const logged = new Map(
      entries.flatMap((entry) =>
        entry.kind === 'release.made' ? [[entry.fingerprint, entry.valueDigest]] : [],
      ),
    );
    for (const [fingerprint, digests] of answers)
      expect([...digests]).toEqual([logged.get(fingerprint)]);
    const spends = entries.filter(({ kind }) => kind === 'budget.reserved');
    expect(spends).toHaveLength(logged.size);
    const name = logOrigin('small', AGENCY);
    const publicKey = loadSigningKey(paths.signingKey).publicKeyBytes;
    const verifierKeys = [formatVerifierKey({ name, publicKey })];
    expect(await verifyJournal(paths.log, { verifierKeys })).toMatchObject({
      ok: true,
      faults: [],
    });
    const starts = entries.filter(({ kind }) => kind === 'started').length;
    process.stderr.write(
      `${KILLS} kills, ${starts} starts that reached the log, ${asked} tasks, ${logged.size} answers, ${entries.length} entries\n`,
    );
  },
  120_000 + KILLS * 30_000,
);
