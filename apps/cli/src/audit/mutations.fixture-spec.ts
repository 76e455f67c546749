/** Ways to change the evidence in the folder of a stopped process, each drawn at random from a seed. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { sha256Hex } from '#libs/bytes';
import { encodeEntry, formatEntryBundle, parseEntryBundle } from '#libs/tlog';

const FRAME_HEADER_BYTES = 8;

/** Numbers of a seeded xorshift generator, so that a change that went unnoticed can be made again. */
export class Dice {
  constructor(public state: number) {}

  below(bound: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % bound;
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Drops, repeats or exchanges items of a list. */
  reordered<T>(items: readonly T[]): T[] {
    const list = [...items];
    const [a, b] = [this.below(list.length), this.below(list.length)];
    const kind = this.below(3);
    if (kind === 0) list.splice(a, 1);
    else if (kind === 1) list.splice(b, 0, list[a] as T);
    else [list[a], list[b]] = [list[b] as T, list[a] as T];
    return list;
  }
}

/** Files of a folder that are evidence; settings, keys, records and the lock are not. */
const EVIDENCE =
  /^(?:log\/(?:entries\.rec|checkpoints\.rec|checkpoint|tail|tile\/.*)|(?:blobs|rounds|uploads)\/.*|witnessed\/.*\.checkpoint|manifest\.json|policy\.yaml|federation\.yaml|policy\.signature\.json)$/;

/** The folder of a process, and as it was before. */
export class EvidenceFolder {
  constructor(
    readonly id: string,
    readonly dir: string,
    private readonly olderDir: string,
  ) {}

  /** Names of the files that are evidence, sorted. */
  files(): string[] {
    return readdirSync(this.dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => EVIDENCE.test(name) && statSync(join(this.dir, name)).isFile())
      .sort();
  }

  read(name: string): Buffer {
    return readFileSync(join(this.dir, name));
  }

  readOlder(name: string): Buffer {
    return readFileSync(join(this.olderDir, name));
  }
}

/** New bytes of files below a folder; undefined: the file is gone. */
export type Change = Readonly<Record<string, Uint8Array | undefined>>;
export interface Mutation {
  readonly name: string;
  /** Whether a lone folder can show it. */
  readonly isLone: boolean;
  /** Makes a change, or undefined where it changes nothing. */
  readonly make: (
    folder: EvidenceFolder,
    files: readonly string[],
    dice: Dice,
  ) => Change | undefined;
}

/** Blobs and files of rounds that the log names; the public table of residents lies beside them, and no entry names it. */
export const namedBlobs = (folder: EvidenceFolder, files: readonly string[]): string[] =>
  files.filter(
    (name) =>
      /^(?:blobs|rounds)\//.test(name) && !folder.read(name).toString().startsWith('cell,quintile'),
  );

/** An entry that the process could have written. */
export const another = (id: string, dice: Dice): Uint8Array =>
  encodeEntry({
    kind: 'started',
    at: '2024-09-02T09:00:00.000Z',
    actor: id,
    process: 'cli',
    version: `0.${dice.below(1000)}.0`,
  });

/** A random file, the few that the log itself consists of as often as all tiles and blobs together. */
function anyFile(files: readonly string[], dice: Dice): string {
  const own = files.filter((name) => /\.rec$|checkpoint$|\.(?:json|yaml)$/.test(name));
  return dice.oneOf(dice.below(2) === 0 ? own : files);
}

const edit =
  (change: (bytes: Buffer, at: number, dice: Dice) => Uint8Array): Mutation['make'] =>
  (folder, files, dice) => {
    const name = anyFile(files, dice);
    const bytes = folder.read(name);
    if (bytes.length === 0) return undefined;
    const changed = change(Buffer.from(bytes), dice.below(bytes.length), dice);
    return bytes.equals(changed) ? undefined : { [name]: changed };
  };

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

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a bit flipped',
    isLone: true,
    make: edit((bytes, at, dice) => {
      bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8));
      return bytes;
    }),
  },
  {
    name: 'bytes deleted',
    isLone: true,
    make: edit((bytes, at, dice) =>
      Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(40))]),
    ),
  },
  {
    name: 'bytes inserted',
    isLone: true,
    make: edit((bytes, at, dice) =>
      Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(Array.from({ length: 1 + dice.below(9) }, () => dice.below(256))),
        bytes.subarray(at),
      ]),
    ),
  },
  {
    name: 'two bytes exchanged',
    isLone: true,
    make: edit((bytes, at, dice) => {
      const other = dice.below(bytes.length);
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
    make(folder, files, dice) {
      const { length: width } = framesOf(folder.read('log/entries.rec'));
      // partial tiles of narrower trees need not stand; what a witness held, and an upload, is missed only by others
      const needed = files.filter(
        (name) =>
          (!/^(?:blobs|rounds)\//.test(name) || namedBlobs(folder, [name]).length > 0) &&
          !/^(?:uploads|witnessed)\//.test(name) &&
          (!name.includes('.p/') || name.endsWith(`.p/${width}`)),
      );
      return { [dice.oneOf(needed)]: undefined };
    },
  },
  {
    name: 'records reordered',
    isLone: true,
    make(folder, _, dice) {
      const name = dice.oneOf(['log/entries.rec', 'log/checkpoints.rec']);
      const records = folder.read(name);
      const changed = Buffer.concat(dice.reordered(framesOf(records)));
      return changed.equals(records) ? undefined : { [name]: changed };
    },
  },
  {
    name: 'entries of a bundle reordered',
    isLone: true,
    make(folder, files, dice) {
      const name = dice.oneOf(files.filter((file) => file.startsWith('log/tile/entries/')));
      const bundle = folder.read(name);
      const entries = dice.reordered(parseEntryBundle(bundle));
      if (entries.length === 0) return undefined;
      const changed = formatEntryBundle(entries);
      return bundle.equals(changed) ? undefined : { [name]: changed };
    },
  },
  {
    name: 'hashes of a tile reordered',
    isLone: true,
    make(folder, files, dice) {
      const name = dice.oneOf(files.filter((file) => file.startsWith('log/tile/0/')));
      const tile = folder.read(name);
      const hashes = Array.from({ length: tile.length / 32 }, (_, i) =>
        tile.subarray(32 * i, 32 * i + 32),
      );
      const changed = Buffer.concat(dice.reordered(hashes));
      return changed.equals(tile) ? undefined : { [name]: changed };
    },
  },
  {
    name: 'a blob changed and named anew',
    isLone: true,
    make(folder, files, dice) {
      const blobs = namedBlobs(folder, files);
      if (blobs.length === 0) return undefined;
      const name = dice.oneOf(blobs);
      const bytes = folder.read(name);
      bytes[dice.below(bytes.length)] = dice.below(256);
      const hash = sha256Hex(bytes);
      if (name.endsWith(hash)) return undefined;
      const [kind] = name.split('/');
      return { [name]: undefined, [`${kind}/${hash.slice(0, 2)}/${hash}`]: bytes };
    },
  },
  {
    name: 'an older checkpoint published',
    isLone: true,
    make(folder, _, dice) {
      const frame = dice
        .oneOf(framesOf(folder.read('log/checkpoints.rec')))
        .subarray(FRAME_HEADER_BYTES);
      const note = frame.subarray(frame.indexOf(0x0a) + 1);
      return folder.read('log/checkpoint').equals(note) ? undefined : { 'log/checkpoint': note };
    },
  },
  {
    name: 'a record appended, whole',
    isLone: true,
    make(folder, _, dice) {
      const name = 'log/entries.rec';
      const payloads = Array.from({ length: 1 + dice.below(3) }, () => another(folder.id, dice));
      const frames = payloads.map((payload, i) => frame(payload, i === 0));
      return { [name]: Buffer.concat([folder.read(name), ...frames]) };
    },
  },
  {
    name: 'checkpoints taken back',
    isLone: true,
    make(folder, _, dice) {
      const frames = framesOf(folder.read('log/checkpoints.rec'));
      const kept = frames.slice(0, 1 + dice.below(frames.length - 1));
      const last = (kept.at(-1) as Buffer).subarray(FRAME_HEADER_BYTES);
      const note = last.subarray(last.indexOf(0x0a) + 1);
      const sizeOf = (text: Buffer): string | undefined => text.toString('utf8').split('\n')[1];
      // the same tree with fewer cosignatures is an honest state: nobody is shown another log
      if (sizeOf(note) === sizeOf(folder.read('log/checkpoint'))) return undefined;
      return { 'log/checkpoints.rec': Buffer.concat(kept), 'log/checkpoint': note };
    },
  },
  {
    name: 'a witnessed note gone or set back',
    isLone: false,
    make(folder, files, dice) {
      const notes = files.filter((file) => file.startsWith('witnessed/'));
      if (notes.length === 0) return undefined;
      const name = dice.oneOf(notes);
      const before = folder.readOlder(name);
      if (dice.below(2) === 0 || before.equals(folder.read(name))) return { [name]: undefined };
      return { [name]: before };
    },
  },
];
