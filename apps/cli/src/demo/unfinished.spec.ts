import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { beginFolders, finishFolders } from './unfinished.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-unfinished-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const make = (name: string): void => {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, 'signing.pem'), 'a key');
};

it('removes what an interrupted run was making, also when other folders are made now', () => {
  beginFolders(dir, ['analyst', 'coordinator', 'one-force']);
  make('analyst');
  make('one-force');
  make('of-somebody-else');
  beginFolders(dir, ['analyst', 'coordinator', 'another-force']);
  expect(readdirSync(dir).sort()).toEqual(['of-somebody-else', 'unfinished.json']);
});

it('removes nothing once all are made', () => {
  beginFolders(dir, ['analyst']);
  make('analyst');
  finishFolders(dir);
  expect(readdirSync(dir)).toEqual(['analyst']);
});

it('touches no folder that it was not making, and writes nothing then', () => {
  make('coordinator');
  expect(() => beginFolders(dir, ['analyst', 'coordinator'])).toThrow(
    expect.objectContaining({ code: 'dir-not-empty' }),
  );
  expect(readdirSync(dir)).toEqual(['coordinator']);
  expect(existsSync(join(dir, 'coordinator', 'signing.pem'))).toBe(true);
});

it('believes no marker that names a place outside', () => {
  writeFileSync(join(dir, 'unfinished.json'), '["../elsewhere"]');
  expect(() => beginFolders(dir, ['analyst'])).toThrow(
    expect.objectContaining({ code: 'dir-not-empty' }),
  );
});
