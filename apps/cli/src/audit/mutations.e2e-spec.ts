/**
 * Folders of a stopped federation, changed at random: every change is found by `auditFolder`, and nothing is found in folders that
 * were left alone. What a lone folder cannot show (it was set back whole, or went on another way under its own key) is found with
 * what the other processes of the federation hold.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '#libs/bytes';
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
import { encodeEntry, formatEntryBundle, parseEntryBundle } from '#libs/tlog';
import { auditFolder } from './audit-folder.js';
import { notesIn } from './witnessed.js';

const CHANGES = process.env.CONCORDAT_NIGHTLY === '1' ? 10_000 : 300;
const SEED = Number(process.env.CONCORDAT_SEED ?? 20240902);
const QUORUM = 2;
const AGENCIES = ['alpha-police', 'beta-police'];
const PROCESSES = [COORDINATOR, AUDITOR, ...AGENCIES];
const FRAME_HEADER_BYTES = 8;

let federation: Federation;
const folder = (id: string): string => federation.folder(id);
/** The folder of a process as it was when the federation was stopped for the first time. */
const older = (id: string): string => join(federation.dir, 'older', id);
/** What the other processes hold of any log, at the end. */
const elsewhere = new Map<string, readonly string[]>();

let state = SEED;
/** Numbers of a seeded xorshift generator, so that a change that went unnoticed can be made again. */
function below(bound: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % bound;
}
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T;

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

/** Files of a folder that are evidence; settings, keys, records and the lock are not. */
const EVIDENCE =
  /^(?:log\/(?:entries\.rec|checkpoints\.rec|checkpoint|tail|tile\/.*)|(?:blobs|rounds|uploads)\/.*|witnessed\/.*\.checkpoint|manifest\.json|policy\.yaml|federation\.yaml|policy\.signature\.json)$/;
const filesOf = (id: string): string[] =>
  readdirSync(folder(id), { recursive: true, encoding: 'utf8' })
    .filter((name) => EVIDENCE.test(name) && statSync(join(folder(id), name)).isFile())
    .sort();

/** New bytes of files below a folder; undefined: the file is gone. */
type Change = Readonly<Record<string, Uint8Array | undefined>>;
interface Mutation {
  readonly name: string;
  /** Whether a lone folder can show it. */
  readonly isLone: boolean;
  /** Makes a change, or undefined where it changes nothing. */
  readonly make: (id: string, files: readonly string[]) => Change | undefined;
}

/** Blobs and files of rounds that the log names; the public table of residents lies beside them, and no entry names it. */
const namedBlobs = (id: string, files: readonly string[]): string[] =>
  files.filter(
    (name) =>
      /^(?:blobs|rounds)\//.test(name) && !read(id, name).toString().startsWith('cell,quintile'),
  );

const read = (id: string, name: string): Buffer => readFileSync(join(folder(id), name));

/** A random file, the few that the log itself consists of as often as all tiles and blobs together. */
function anyFile(files: readonly string[]): string {
  const own = files.filter((name) => /\.rec$|checkpoint$|\.(?:json|yaml)$/.test(name));
  return oneOf(below(2) === 0 ? own : files);
}

const edit =
  (change: (bytes: Buffer, at: number) => Uint8Array) =>
  (id: string, files: readonly string[]): Change | undefined => {
    const name = anyFile(files);
    const bytes = read(id, name);
    if (bytes.length === 0) return undefined;
    const changed = change(Buffer.from(bytes), below(bytes.length));
    return bytes.equals(changed) ? undefined : { [name]: changed };
  };

/** Drops, repeats or exchanges items of a list. */
function reordered<T>(items: readonly T[]): T[] {
  const list = [...items];
  const [a, b] = [below(list.length), below(list.length)];
  const kind = below(3);
  if (kind === 0) list.splice(a, 1);
  else if (kind === 1) list.splice(b, 0, list[a] as T);
  else [list[a], list[b]] = [list[b] as T, list[a] as T];
  return list;
}

/** A frame of a record file as libs/journal writes it. */
function frame(payload: Uint8Array, isFirstOfBatch: boolean): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(((isFirstOfBatch ? 0x8000_0000 : 0) | payload.length) >>> 0, 0);
  header.writeUInt32BE(crc32(payload, crc32(header.subarray(0, 4))), 4);
  return Buffer.concat([header, payload]);
}

/** Frames of a record file, whole, so that every checksum still fits. */
function framesOf(records: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < records.length; ) {
    const end = at + FRAME_HEADER_BYTES + (records.readUInt32BE(at) & 0x7fff_ffff);
    frames.push(records.subarray(at, end));
    at = end;
  }
  return frames;
}

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a bit flipped',
    isLone: true,
    make: edit((bytes, at) => {
      bytes[at] = (bytes[at] as number) ^ (1 << below(8));
      return bytes;
    }),
  },
  {
    name: 'bytes deleted',
    isLone: true,
    make: edit((bytes, at) =>
      Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(40))]),
    ),
  },
  {
    name: 'bytes inserted',
    isLone: true,
    make: edit((bytes, at) =>
      Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(Array.from({ length: 1 + below(9) }, () => below(256))),
        bytes.subarray(at),
      ]),
    ),
  },
  {
    name: 'two bytes exchanged',
    isLone: true,
    make: edit((bytes, at) => {
      const other = below(bytes.length);
      const kept = bytes[at] as number;
      bytes[at] = bytes[other] as number;
      bytes[other] = kept;
      return bytes;
    }),
  },
  { name: 'truncated', isLone: true, make: edit((bytes, at) => bytes.subarray(0, at)) },
  {
    name: 'removed',
    isLone: true,
    make(id, files) {
      const { length: width } = framesOf(read(id, 'log/entries.rec'));
      // partial tiles of narrower trees need not stand; what a witness held, and an upload, is missed only by others
      const needed = files.filter(
        (name) =>
          (!/^(?:blobs|rounds)\//.test(name) || namedBlobs(id, [name]).length > 0) &&
          !/^(?:uploads|witnessed)\//.test(name) &&
          (!name.includes('.p/') || name.endsWith(`.p/${width}`)),
      );
      return { [oneOf(needed)]: undefined };
    },
  },
  {
    name: 'records reordered',
    isLone: true,
    make(id) {
      const name = oneOf(['log/entries.rec', 'log/checkpoints.rec']);
      const records = read(id, name);
      const changed = Buffer.concat(reordered(framesOf(records)));
      return changed.equals(records) ? undefined : { [name]: changed };
    },
  },
  {
    name: 'entries of a bundle reordered',
    isLone: true,
    make(id, files) {
      const name = oneOf(files.filter((file) => file.startsWith('log/tile/entries/')));
      const bundle = read(id, name);
      const entries = reordered(parseEntryBundle(bundle));
      if (entries.length === 0) return undefined;
      const changed = formatEntryBundle(entries);
      return bundle.equals(changed) ? undefined : { [name]: changed };
    },
  },
  {
    name: 'hashes of a tile reordered',
    isLone: true,
    make(id, files) {
      const name = oneOf(files.filter((file) => file.startsWith('log/tile/0/')));
      const tile = read(id, name);
      const hashes = Array.from({ length: tile.length / 32 }, (_, i) =>
        tile.subarray(32 * i, 32 * i + 32),
      );
      const changed = Buffer.concat(reordered(hashes));
      return changed.equals(tile) ? undefined : { [name]: changed };
    },
  },
  {
    name: 'a blob changed and named anew',
    isLone: true,
    make(id, files) {
      const blobs = namedBlobs(id, files);
      if (blobs.length === 0) return undefined;
      const name = oneOf(blobs);
      const bytes = read(id, name);
      bytes[below(bytes.length)] = below(256);
      const hash = sha256Hex(bytes);
      if (name.endsWith(hash)) return undefined;
      const [folder] = name.split('/');
      return { [name]: undefined, [`${folder}/${hash.slice(0, 2)}/${hash}`]: bytes };
    },
  },
  {
    name: 'an older checkpoint published',
    isLone: true,
    make(id) {
      const frame = oneOf(framesOf(read(id, 'log/checkpoints.rec'))).subarray(FRAME_HEADER_BYTES);
      const note = frame.subarray(frame.indexOf(0x0a) + 1);
      return read(id, 'log/checkpoint').equals(note) ? undefined : { 'log/checkpoint': note };
    },
  },
  {
    name: 'a record appended, whole',
    isLone: true,
    make(id) {
      const name = 'log/entries.rec';
      const payloads = Array.from({ length: 1 + below(3) }, () => another(id));
      const frames = payloads.map((payload, i) => frame(payload, i === 0));
      return { [name]: Buffer.concat([read(id, name), ...frames]) };
    },
  },
  {
    name: 'checkpoints taken back',
    isLone: true,
    make(id) {
      const frames = framesOf(read(id, 'log/checkpoints.rec'));
      const kept = frames.slice(0, 1 + below(frames.length - 1));
      const last = (kept.at(-1) as Buffer).subarray(FRAME_HEADER_BYTES);
      const note = last.subarray(last.indexOf(0x0a) + 1);
      const sizeOf = (text: Buffer): string | undefined => text.toString('utf8').split('\n')[1];
      // the same tree with fewer cosignatures is an honest state: nobody is shown another log
      if (sizeOf(note) === sizeOf(read(id, 'log/checkpoint'))) return undefined;
      return { 'log/checkpoints.rec': Buffer.concat(kept), 'log/checkpoint': note };
    },
  },
  {
    name: 'a witnessed note gone or set back',
    isLone: false,
    make(id, files) {
      const notes = files.filter((file) => file.startsWith('witnessed/'));
      if (notes.length === 0) return undefined;
      const name = oneOf(notes);
      const before = readFileSync(join(older(id), name));
      if (below(2) === 0 || before.equals(read(id, name))) return { [name]: undefined };
      return { [name]: before };
    },
  },
];

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
    const to = from + 1 + below(entries.length - from);
    await journal.appendAll(entries.slice(from, to));
    await journal.checkpoint();
    from = to;
  }
  await journal.close();
}

const another = (id: string): Uint8Array =>
  encodeEntry({
    kind: 'started',
    at: '2024-09-02T09:00:00.000Z',
    actor: id,
    process: 'cli',
    version: `0.${below(1000)}.0`,
  });

describe(`of ${CHANGES} random changes of the folders of a federation`, () => {
  it('misses every blob of a folder that is gone', async () => {
    for (const id of PROCESSES) {
      for (const name of namedBlobs(id, filesOf(id))) {
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
      const mutation = MUTATIONS[below(MUTATIONS.length)] as Mutation;
      const at = state;
      const change = mutation.make(id, filesOf(id));
      if (!change) {
        n += below(2);
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
      const changed = reordered(entries);
      if (below(2) === 0) changed[below(changed.length)] = another(id);
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
      const isAfresh = below(2) === 0;
      rmSync(scratch(), { recursive: true, force: true });
      cpSync(isAfresh ? folder(id) : older(id), scratch(), { recursive: true });
      const log = join(scratch(), 'log');
      const entries: Uint8Array[] = [];
      if (isAfresh) {
        for await (const { bytes } of readJournal(log)) entries.push(bytes);
        rmSync(log, { recursive: true });
      }
      const more = Array.from({ length: 1 + below(30) }, () => another(id));
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
