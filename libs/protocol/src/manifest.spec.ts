import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createBoxKey, createSigningKey, verifySignature } from '#libs/keystore';
import { type Manifest, openSignedManifest, seal } from './index.js';

const dir = mkdtempSync(join(tmpdir(), 'concordat-manifest-'));
afterAll(() => rmSync(dir, { recursive: true }));
const key = createSigningKey(join(dir, 'signing.pem'));
const boxKey = createBoxKey(join(dir, 'box.pem')).publicKey;
const keys = { publicKey: key.publicKey, boxKey };
const manifest: Manifest = {
  version: 1,
  federation: 'small',
  serial: 1,
  previous: null,
  change: { kind: 'founded' },
  formerKeys: [],
  grid: { name: 'ew-2026-1', hash: '1'.repeat(64) },
  coordinator: { id: 'coordinator', ...keys },
  auditor: { id: 'auditor', ...keys },
  agencies: [
    {
      id: 'first',
      name: 'First',
      kind: 'police',
      ...keys,
      domain: '2'.repeat(64),
      categories: ['robbery'],
    },
  ],
  analysts: [],
  witnesses: [],
  quorum: 0,
};
const open = (signed: unknown): Manifest =>
  openSignedManifest(signed, key.publicKey, verifySignature);
/** The same without the member, as versions before box keys wrote it. */
const without = ({ boxKey: _, ...rest }: { boxKey: string; [name: string]: unknown }) => rest;

describe('a signed manifest', () => {
  it('opens with the key that signed it', () => {
    expect(open(seal('manifest', manifest, key))).toEqual(manifest);
  });

  it('is refused as outdated when it is of a version without box keys', () => {
    const old = {
      ...manifest,
      coordinator: without(manifest.coordinator),
      auditor: without(manifest.auditor),
      agencies: manifest.agencies.map(without),
    };
    expect(() => open(seal('manifest', old, key))).toThrow(
      expect.objectContaining({ code: 'manifest-outdated' }),
    );
  });

  it('is refused as malformed when it is anything else', () => {
    const agencies = manifest.agencies.map(without);
    for (const bad of [
      seal('manifest', { ...manifest, agencies }, key),
      seal('manifest', { ...manifest, auditor: { ...manifest.auditor, boxKey: 'short' } }, key),
      seal('manifest', { ...manifest, coordinator: null }, key),
      null,
      'manifest',
      {},
      { payload: null },
    ]) {
      expect(() => open(bad)).toThrow(expect.objectContaining({ code: 'malformed-message' }));
    }
  });
});
