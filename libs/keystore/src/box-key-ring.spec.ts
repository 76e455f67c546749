import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { utf8ToBytes } from '#libs/bytes';
import { SealedFolder } from '#libs/linkage-party';
import { createBoxKey } from './box-key.js';
import { BoxKeyRing } from './box-key-ring.js';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const DAY_MS = 86_400_000;
const message = utf8ToBytes('a message');

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-ring-'));
  path = join(dir, 'box.pem');
  createBoxKey(path);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const turned = (atMs = NOW_MS): BoxKeyRing => {
  const ring = BoxKeyRing.open(path);
  ring.prepareNext();
  ring.installNext(atMs);
  return ring;
};

describe('a ring of box keys', () => {
  it('opens what others made for the key before, and closes with the new one', () => {
    const other = createBoxKey(join(dir, 'other.pem'));
    const before = BoxKeyRing.open(path);
    const old = before.publicKey;
    const box = other.close(message, old);
    const ring = turned();
    for (const one of [ring, BoxKeyRing.open(path)]) {
      expect(one.publicKey).not.toBe(old);
      expect(one.open(box, other.publicKey)).toEqual(message);
      expect(one.named(old).publicKey).toBe(old);
      expect(other.open(one.close(message, other.publicKey), one.publicKey)).toEqual(message);
    }
    expect(() => ring.open(box, before.publicKey)).toThrow(
      expect.objectContaining({ code: 'bad-box' }),
    );
  });

  it('gives the same next key until it is installed', () => {
    const ring = BoxKeyRing.open(path);
    expect(ring.waitingNext()).toBeUndefined();
    const next = ring.prepareNext().publicKey;
    expect(BoxKeyRing.open(path).prepareNext().publicKey).toBe(next);
    ring.installNext(NOW_MS);
    expect(BoxKeyRing.open(path).publicKey).toBe(next);
    expect(readdirSync(dir).filter((name) => name.includes('next'))).toEqual([]);
  });

  it('forgets a key when its time is over, which then opens nothing', () => {
    const old = BoxKeyRing.open(path).publicKey;
    const ring = turned();
    ring.forget(NOW_MS + 33 * DAY_MS);
    expect(ring.hasFormer).toBe(true);
    ring.forget(NOW_MS + 33 * DAY_MS + 1000);
    expect(ring.hasFormer).toBe(false);
    expect(readdirSync(dir)).toEqual(['box.pem']);
    expect(() => ring.named(old)).toThrow(expect.objectContaining({ code: 'box-key-gone' }));
    expect(() => BoxKeyRing.open(path).named(old)).toThrow(
      expect.objectContaining({ code: 'box-key-gone' }),
    );
  });

  it('keeps the files of a sealed folder readable over two turns, once they are closed anew', async () => {
    const folder = (ring: BoxKeyRing) => new SealedFolder(join(dir, 'sealed'), ring).folder('deep');
    await folder(BoxKeyRing.open(path)).write('secret', message);
    writeFileSync(join(dir, 'sealed', 'foreign'), 'not a box');
    turned();
    const ring = turned(NOW_MS + DAY_MS);
    expect(await folder(ring).read('secret')).toEqual(message);
    await new SealedFolder(join(dir, 'sealed'), ring).reclose();
    ring.forget(NOW_MS + 90 * DAY_MS);
    expect(await folder(ring).read('secret')).toEqual(message);
    await expect(new SealedFolder(join(dir, 'sealed'), ring).read('foreign')).rejects.toMatchObject(
      { code: 'bad-box' },
    );
  });
});
