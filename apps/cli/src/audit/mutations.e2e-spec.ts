/**
 * Folders of a stopped federation, changed at random: every change is found by `auditFolder`, and nothing is found in folders that
 * were left alone. What a lone folder cannot show (it was set back whole, or went on another way under its own key) is found with
 * what the other processes of the federation hold.
 */
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { openJournal, readJournal } from '#libs/journal';
import { loadSigningKey } from '#libs/keystore';
import { logOrigin } from '#libs/protocol';
import {
  AUDITOR,
  COORDINATOR,
  eventually,
  Federation,
  RunningProgram,
  streetFile,
} from '#libs/testing';
import { auditFolder } from './audit-folder.js';
import {
  another,
  type Change,
  Dice,
  EvidenceFolder,
  MUTATIONS,
  namedBlobs,
} from './mutations.fixture-spec.js';
import { notesIn } from './witnessed.js';

const CHANGES = process.env.CONCORDAT_NIGHTLY === '1' ? 10_000 : 300;
const SEED = Number(process.env.CONCORDAT_SEED ?? 20240902);
const QUORUM = 2;
const AGENCIES = ['alpha-police', 'beta-police'];
const PROCESSES = [COORDINATOR, AUDITOR, ...AGENCIES];

let federation: Federation;
const dice = new Dice(SEED);
const folder = (id: string): string => federation.folder(id);
/** The folder of a process as it was when the federation was stopped for the first time. */
const older = (id: string): string => join(federation.dir, 'older', id);
const evidenceOf = (id: string): EvidenceFolder => new EvidenceFolder(id, folder(id), older(id));
/** What the other processes hold of any log, at the end. */
const elsewhere = new Map<string, readonly string[]>();

function untilWitnessed(): Promise<void> {
  return eventually(async () => {
    const reply = await fetch(new URL('/v1/checkpoints', federation.url));
    const { checkpoints } = (await reply.json()) as { checkpoints: { note: string }[] };
    const cosigned = checkpoints.filter(({ note }) => note.split('\n— ').length - 2 >= QUORUM);
    expect(cosigned).toHaveLength(PROCESSES.length);
  });
}

const stopAll = async (): Promise<void> => {
  for (const id of [...AGENCIES, AUDITOR, COORDINATOR]) await federation.stop(id);
};

beforeAll(async () => {
  const cells = [cellAt(51.4545, -2.5879, 9), cellAt(53.8, -1.55, 9)];
  federation = await Federation.open({
    quorum: QUORUM,
    agencies: AGENCIES.map((id, i) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(cells[i] as bigint, 3)),
      files: {
        'a.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: cells[i] as bigint }]),
      },
    })),
  });
  const question = { periods: ['2024-01'], resolution: 7 };
  await federation.ask({ ...question, categories: ['robbery'] });
  await untilWitnessed();
  await stopAll();
  for (const id of PROCESSES) cpSync(folder(id), older(id), { recursive: true });

  // a second policy, so that the log names more than one
  const [id = ''] = AGENCIES;
  const policy = join(folder(id), 'policy.yaml');
  writeFileSync(policy, `# reviewed\n${readFileSync(policy, 'utf8').replace('50', '49')}`);
  const signing = new RunningProgram(['node', 'sign-policy', '--dir', folder(id)]);
  expect(await signing.ended).toMatchObject({ code: 0 });
  await federation.start();
  await federation.ask({ ...question, categories: ['burglary'] });
  await untilWitnessed();
  await stopAll();
  for (const process of PROCESSES) {
    const others = PROCESSES.filter((other) => other !== process);
    elsewhere.set(
      process,
      others.flatMap((other) => notesIn(folder(other))),
    );
  }
});
afterAll(() => federation?.close());

/** Whether an audit of a process's folder with a change made to it tells of it; puts back what was there. */
async function isNoticed(id: string, change: Change, isLone: boolean): Promise<boolean> {
  const before = new Map<string, Buffer | undefined>();
  try {
    for (const [name, bytes] of Object.entries(change)) {
      const path = join(folder(id), name);
      before.set(path, statSync(path, { throwIfNoEntry: false }) ? readFileSync(path) : undefined);
      await mkdir(dirname(path), { recursive: true });
      if (bytes) writeFileSync(path, bytes);
      else rmSync(path);
    }
    const options = isLone ? {} : { elsewhere: elsewhere.get(id) ?? [] };
    return !(await auditFolder(folder(id), options)).ok;
  } finally {
    for (const [path, bytes] of before) {
      if (bytes) writeFileSync(path, bytes);
      else rmSync(path, { force: true });
    }
  }
}

async function expectClean(): Promise<void> {
  for (const id of PROCESSES) {
    const alone = await auditFolder(folder(id));
    const among = await auditFolder(folder(id), { elsewhere: elsewhere.get(id) ?? [] });
    expect({ id, alone: alone.faults, among: among.faults }).toEqual({ id, alone: [], among: [] });
  }
}

const scratch = (): string => join(federation.dir, 'scratch');

/** Writes a log under the process's own key: over what lies in `dir`, or afresh. */
async function writeOn(id: string, dir: string, entries: readonly Uint8Array[]): Promise<void> {
  const key = loadSigningKey(join(folder(id), 'keys', 'signing.pem'));
  const origin = logOrigin('concordat-test', id);
  const signer = {
    name: origin,
    publicKey: key.publicKeyBytes,
    sign: (message: Uint8Array) => key.sign(message),
  };
  const journal = await openJournal({ dir, origin, signer, clock: () => 0 });
  for (let from = 0; from < entries.length; ) {
    const to = from + 1 + dice.below(entries.length - from);
    await journal.appendAll(entries.slice(from, to));
    await journal.checkpoint();
    from = to;
  }
  await journal.close();
}

describe(`of ${CHANGES} random changes of the folders of a federation`, () => {
  it('misses every blob of a folder that is gone', async () => {
    for (const id of PROCESSES) {
      const evidence = evidenceOf(id);
      for (const name of namedBlobs(evidence, evidence.files())) {
        const told = { id, name, isNoticed: await isNoticed(id, { [name]: undefined }, true) };
        expect(told).toEqual({ ...told, isNoticed: true });
      }
    }
  });

  it('none goes unnoticed, and no clean folder is accused between them', async () => {
    await expectClean();
    const done = new Map<string, number>();
    const unnoticed: string[] = [];
    for (let n = 0; n < CHANGES; ) {
      const id = PROCESSES[n % PROCESSES.length] as string;
      const mutation = dice.oneOf(MUTATIONS);
      const at = dice.state;
      const evidence = evidenceOf(id);
      const change = mutation.make(evidence, evidence.files(), dice);
      if (!change) {
        n += dice.below(2);
        continue;
      }
      n += 1;
      done.set(mutation.name, (done.get(mutation.name) ?? 0) + 1);
      if (!(await isNoticed(id, change, mutation.isLone))) {
        unnoticed.push(`${mutation.name}: ${Object.keys(change)} of ${id}, state ${at}`);
        process.stderr.write(`unnoticed: ${unnoticed.at(-1)}\n`);
      }
      if (n % 500 === 0) {
        await expectClean();
        process.stderr.write(`${n} changes\n`);
      }
    }
    expect(unnoticed).toEqual([]);
    await expectClean();
    process.stderr.write(`${JSON.stringify(Object.fromEntries(done))}\n`);
  }, 14_400_000);

  it('nor is a log whose bytes all fit each other, but not what was signed', async () => {
    for (let n = 0; n < CHANGES / 50; n++) {
      const id = PROCESSES[n % PROCESSES.length] as string;
      const entries: Uint8Array[] = [];
      for await (const { bytes } of readJournal(join(folder(id), 'log'))) entries.push(bytes);
      const changed = dice.reordered(entries);
      if (dice.below(2) === 0) changed[dice.below(changed.length)] = another(id, dice);
      if (Buffer.concat(changed).equals(Buffer.concat(entries))) continue;
      rmSync(scratch(), { recursive: true, force: true });
      cpSync(folder(id), scratch(), { recursive: true });
      rmSync(join(scratch(), 'log', 'tile'), { recursive: true });
      await writeOn(id, join(federation.dir, 'rewritten'), changed);
      for (const name of ['entries.rec', 'tile']) {
        cpSync(join(federation.dir, 'rewritten', name), join(scratch(), 'log', name), {
          recursive: true,
        });
      }
      rmSync(join(federation.dir, 'rewritten'), { recursive: true });
      const { ok } = await auditFolder(scratch());
      expect({ id, isNoticed: !ok }).toEqual({ id, isNoticed: true });
    }
  }, 3_600_000);

  it('nor is a fork under the own key: afresh by the missing cosignatures, from an old copy by what others hold', async () => {
    for (let n = 0; n < CHANGES / 50; n++) {
      const id = PROCESSES[n % PROCESSES.length] as string;
      const isAfresh = dice.below(2) === 0;
      rmSync(scratch(), { recursive: true, force: true });
      cpSync(isAfresh ? folder(id) : older(id), scratch(), { recursive: true });
      const log = join(scratch(), 'log');
      const entries: Uint8Array[] = [];
      if (isAfresh) {
        for await (const { bytes } of readJournal(log)) entries.push(bytes);
        rmSync(log, { recursive: true });
      }
      const more = Array.from({ length: 1 + dice.below(30) }, () => another(id, dice));
      await writeOn(id, log, [...entries, ...more]);
      const alone = await auditFolder(scratch());
      const among = await auditFolder(scratch(), { elsewhere: elsewhere.get(id) ?? [] });
      const strict = await auditFolder(scratch(), { strict: true });
      expect({ id, isAfresh, alone: alone.ok, among: among.ok, strict: strict.ok }).toEqual({
        id,
        isAfresh,
        alone: !isAfresh,
        among: false,
        strict: false,
      });
    }
  }, 3_600_000);

  it('nor is a folder set back whole, by what others hold', async () => {
    for (const id of PROCESSES) {
      const alone = await auditFolder(older(id));
      const { faults } = await auditFolder(older(id), { elsewhere: elsewhere.get(id) ?? [] });
      expect({ id, alone: alone.faults }).toEqual({ id, alone: [] });
      expect(faults.map(({ kind }) => kind)).toContain('known-ahead');
    }
  });
});
