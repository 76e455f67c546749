import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  eraseFile,
  makeFolders,
  readPrivateFile,
  replaceFile,
  replaceFileSync,
  TEMPORARY,
  writePrivateFile,
} from './index.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-host-'));
  path = join(dir, 'file');
});
afterEach(() => rmSync(dir, { recursive: true }));

const modeOf = (file: string): number => statSync(file).mode & 0o777;

describe.each([
  ['replaceFile', replaceFile],
  [
    'replaceFileSync',
    async (...args: Parameters<typeof replaceFileSync>) => replaceFileSync(...args),
  ],
])('%s', (_name, replace) => {
  it('puts a new file in the place of the old one, with its own mode, and leaves nothing beside it', async () => {
    const linked = join(dir, 'linked');
    await replace(path, 'first', { mode: 0o644 });
    linkSync(path, linked);
    await replace(path, Uint8Array.of(1, 2, 3), { mode: 0o600, durable: false });
    expect(readFileSync(path)).toEqual(Buffer.of(1, 2, 3));
    expect(modeOf(path)).toBe(0o600);
    expect(readFileSync(linked, 'utf8')).toBe('first');
    expect(readdirSync(dir).sort()).toEqual(['file', 'linked']);
  });

  it('leaves what stood there when it fails', async () => {
    mkdirSync(path);
    writeFileSync(join(path, 'inside'), 'kept');
    await expect(replace(path, 'new')).rejects.toThrow();
    expect(readFileSync(join(path, 'inside'), 'utf8')).toBe('kept');
  });
});

it('replaces a file whose last writer was killed before it was whole', () => {
  writeFileSync(`${path}${TEMPORARY}`, 'half of someth', { mode: 0o644 });
  replaceFileSync(path, 'something', { mode: 0o600 });
  expect(readFileSync(path, 'utf8')).toBe('something');
  expect(modeOf(path)).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['file']);
});

it('makes the directories of a file that is replaced', async () => {
  await replaceFile(join(dir, 'a', 'b', 'file'), 'deep');
  expect(readFileSync(join(dir, 'a', 'b', 'file'), 'utf8')).toBe('deep');
});

it('lets many replace one file at a time: it is always one of theirs, whole', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
  await Promise.all(texts.map((text) => replaceFile(path, text)));
  expect(texts).toContain(readFileSync(path, 'utf8'));
  expect(readdirSync(dir)).toEqual(['file']);
});

describe('a private file', () => {
  it('is written once, for its owner alone', () => {
    writePrivateFile(path, Uint8Array.of(7));
    expect(modeOf(path)).toBe(0o600);
    expect(readPrivateFile(path)).toEqual(Buffer.of(7));
    expect(() => writePrivateFile(path, Uint8Array.of(8))).toThrow(
      expect.objectContaining({ code: 'key-exists' }),
    );
    expect(readPrivateFile(path)).toEqual(Buffer.of(7));
  });

  it.each([0o640, 0o604, 0o660])('is not read when its mode is %i', (mode) => {
    writePrivateFile(path, Uint8Array.of(7));
    chmodSync(path, mode);
    expect(() => readPrivateFile(path)).toThrow(expect.objectContaining({ code: 'key-exposed' }));
  });

  it('is said to be missing', () => {
    expect(() => readPrivateFile(path)).toThrow(expect.objectContaining({ code: 'key-missing' }));
  });

  it('is overwritten before it is removed; one that is gone already is no fault', () => {
    const linked = join(dir, 'linked');
    writePrivateFile(path, new Uint8Array(100).fill(0xa5));
    linkSync(path, linked);
    eraseFile(path);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(linked)).toEqual(Buffer.alloc(100));
    eraseFile(path);
  });
});

describe('folders', () => {
  it('are made with the parents they lack; those that are there are left as they are', () => {
    const deep = join(dir, 'a', 'b', 'c');
    expect(makeFolders(join(dir, 'a'))).toEqual([join(dir, 'a')]);
    expect(makeFolders(deep, { mode: 0o700 })).toEqual([join(dir, 'a', 'b'), deep]);
    expect(modeOf(deep)).toBe(0o700);
    expect(makeFolders(deep)).toEqual([]);
    expect(makeFolders(`${dir}/a//b/../b/c/`)).toEqual([]);
  });

  it('are followed through a link', () => {
    symlinkSync(join(dir), join(dir, 'link'));
    makeFolders(join(dir, 'link', 'inside'));
    expect(existsSync(join(dir, 'inside'))).toBe(true);
  });

  // Node's own `recursive` asks again for ever in the first two
  it.each([
    ['below /proc, which takes none', () => '/proc/concordat', 'ENOENT'],
    ['deeper there', () => '/proc/concordat/a/b', 'ENOENT'],
    ['below a link to nowhere', () => join(dir, 'nowhere', 'a'), 'EEXIST'],
    ['in the place of a file', () => path, 'EEXIST'],
    ['below a file', () => join(path, 'a', 'b'), 'ENOTDIR'],
  ])('are refused at once %s', (_what, place, code) => {
    symlinkSync(join(dir, 'missing'), join(dir, 'nowhere'));
    writeFileSync(path, 'a file');
    expect(() => makeFolders(place())).toThrow(expect.objectContaining({ code }));
  });
});
