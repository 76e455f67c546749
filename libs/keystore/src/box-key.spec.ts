import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromHex, toBase64url, utf8ToBytes } from '#libs/bytes';
import { type BoxKey, createBoxKey, createSigningKey, loadBoxKey } from './index.js';

let dir: string;
let alice: BoxKey;
let bob: BoxKey;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-box-'));
  alice = createBoxKey(join(dir, 'alice.pem'));
  bob = createBoxKey(join(dir, 'bob.pem'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const message = utf8ToBytes('thirty-two bytes of a mask seed!');

/** PKCS #8 of an X25519 key (RFC 8410 section 7) around its 32 raw bytes. */
const pemOf = (secret: string): string => {
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b656e04220420', 'hex'),
    fromHex(secret),
  ]);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
};
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text, { mode: 0o600 });
  return join(dir, name);
};

describe('a box key', () => {
  it('opens what was closed for it, after a restart too, and nothing else', () => {
    const box = alice.close(message, bob.publicKey);
    expect(box).toHaveLength(message.length + 40);
    expect(loadBoxKey(join(dir, 'bob.pem')).open(box, alice.publicKey)).toEqual(message);
    const eve = createBoxKey(join(dir, 'eve.pem'));
    expect(() => eve.open(box, alice.publicKey)).toThrow(
      expect.objectContaining({ code: 'bad-box' }),
    );
    expect(() => bob.open(box, eve.publicKey)).toThrow(
      expect.objectContaining({ code: 'bad-box' }),
    );
    for (let at = 0; at < box.length; at += 5) {
      const altered = box.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => bob.open(altered, alice.publicKey)).toThrow(
        expect.objectContaining({ code: 'bad-box' }),
      );
      expect(() => bob.open(box.subarray(0, at), alice.publicKey)).toThrow(
        expect.objectContaining({ code: 'bad-box' }),
      );
    }
  });

  it('never closes the same message the same way', () => {
    const once = alice.close(message, bob.publicKey);
    expect(alice.close(message, bob.publicKey)).not.toEqual(once);
  });

  it('opens the vector of the NaCl distribution (tests/box.c)', () => {
    const alicesk = '77076d0a7318a57d3c16c17251b26645df4c1f92e09b2a57d6a1a2b0a1a2a5f0';
    const bobsk = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb';
    const alicepk = fromHex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    const nonce = fromHex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37');
    const cipher = fromHex(
      'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
    );
    expect(alicesk).toHaveLength(64);
    const receiver = loadBoxKey(fileOf('nacl-bob.pem', pemOf(bobsk)));
    expect(toBase64url(alicepk)).toHaveLength(43);
    const opened = receiver.open(new Uint8Array([...nonce, ...cipher]), toBase64url(alicepk));
    expect(Buffer.from(opened).toString('hex')).toMatch(/^be075fc53c81f2d5cf141316ebeb0c7b/);
    expect(opened).toHaveLength(131);
  });

  it('refuses keys of small order and of another length (RFC 7748 section 6.1)', () => {
    for (const hex of [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `ee${'ff'.repeat(30)}7f`,
      '00'.repeat(31),
      '',
    ]) {
      const key = toBase64url(fromHex(hex));
      expect(() => alice.close(message, key)).toThrow(
        expect.objectContaining({ code: 'bad-box-key' }),
      );
      expect(() => alice.open(new Uint8Array(100), key)).toThrow(
        expect.objectContaining({ code: 'bad-box-key' }),
      );
    }
    expect(() => alice.close(message, 'not base64url!')).toThrow(
      expect.objectContaining({ code: 'bad-box-key' }),
    );
  });

  it('lies in a file of its owner alone, which is never overwritten', () => {
    const path = join(dir, 'alice.pem');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => createBoxKey(path)).toThrow(expect.objectContaining({ code: 'key-exists' }));
    chmodSync(path, 0o640);
    expect(() => loadBoxKey(path)).toThrow(expect.objectContaining({ code: 'key-exposed' }));
    chmodSync(path, 0o600);
    expect(loadBoxKey(path).publicKey).toBe(alice.publicKey);
  });

  it('says what to do where there is none, or another kind of key', () => {
    expect(() => loadBoxKey(join(dir, 'none.pem'))).toThrow(
      expect.objectContaining({ code: 'box-key-missing' }),
    );
    expect(() => loadBoxKey(fileOf('text.pem', 'no key'))).toThrow(
      expect.objectContaining({ code: 'key-malformed' }),
    );
    createSigningKey(join(dir, 'signing.pem'));
    expect(() => loadBoxKey(join(dir, 'signing.pem'))).toThrow(
      expect.objectContaining({ code: 'key-malformed' }),
    );
  });
});
