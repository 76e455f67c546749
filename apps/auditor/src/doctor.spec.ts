import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openJournal } from '#libs/journal';
import {
  createBoxKey,
  createSigningKey,
  loadSigningKey,
  noteSigner,
  type SigningKey,
} from '#libs/keystore';
import { foundManifest, logOrigin, type Manifest, seal } from '#libs/protocol';
import { encodeEntry } from '#libs/tlog';
import { auditorPaths } from './config.js';
import { examineAuditor } from './doctor.js';
import { initAuditor } from './init.js';

const ID = 'auditor';

let base: string;
let dir: string;
let coordinator: SigningKey;
let manifest: Manifest;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'concordat-auditor-'));
  dir = join(base, ID);
  coordinator = createSigningKey(join(base, 'coordinator.pem'));
  const keys = await initAuditor(dir, {
    version: 1,
    id: ID,
    coordinator: { url: 'http://127.0.0.1:9/', publicKey: coordinator.publicKey },
    listen: { host: '127.0.0.1', port: 0 },
  });
  const boxKey = createBoxKey(join(base, 'box.pem')).publicKey;
  manifest = foundManifest({
    federation: 'small',
    grid: { name: 'ew-2026-1', hash: '1'.repeat(64) },
    coordinator: { id: 'coordinator', publicKey: coordinator.publicKey, boxKey },
    auditor: { id: ID, ...keys },
    agencies: [
      {
        id: 'alpha-police',
        name: 'Alpha Police',
        kind: 'police',
        publicKey: createSigningKey(join(base, 'alpha.pem')).publicKey,
        boxKey: createBoxKey(join(base, 'alpha-box.pem')).publicKey,
        domain: '2'.repeat(64),
        categories: ['robbery'],
      },
    ],
    analysts: [],
    witnesses: [],
    quorum: 0,
  });
  putManifest(manifest, coordinator);
  const origin = logOrigin('small', ID);
  const journal = await openJournal({
    dir: auditorPaths(dir).log,
    origin,
    signer: noteSigner(origin, loadSigningKey(auditorPaths(dir).signingKey)),
    clock: Date.now,
  });
  const at = new Date().toISOString();
  for (let i = 0; i < 3; i++)
    await journal.append(
      encodeEntry({ kind: 'started', at, actor: ID, process: 'auditor', version: '0.1.0' }),
    );
  await journal.checkpoint();
  await journal.close();
});
afterEach(() => rmSync(base, { recursive: true }));

function putManifest(changed: Manifest, signer: SigningKey): void {
  writeFileSync(auditorPaths(dir).manifest, JSON.stringify(seal('manifest', changed, signer)));
}

interface Options {
  readonly full?: boolean;
  readonly nowMs?: () => number;
}
const examine = (options: Options = {}) =>
  examineAuditor(dir, { nowMs: Date.now, full: false, ...options });
async function failed(options: Options = {}): Promise<string[]> {
  const { ok, findings } = await examine(options);
  const bad = findings.filter(({ status }) => status === 'fail');
  expect(ok).toBe(bad.length === 0);
  for (const { todo } of bad) expect(todo).toMatch(/\w/);
  return bad.map(({ check }) => check);
}

describe("the doctor of an auditor's folder", () => {
  it('finds a sound folder sound, in one document', async () => {
    expect(await failed({ full: true })).toEqual([]);
    const report = await examine();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({ process: 'auditor', dir, ok: true });
    expect(report.findings.map(({ check }) => check)).toEqual([
      'config',
      'keys',
      'manifest',
      'disk',
      'fsync',
      'log',
      'clock',
    ]);
  });

  it.each(['signingKey', 'boxKey'] as const)('finds a %s that others may read', async (key) => {
    chmodSync(auditorPaths(dir)[key], 0o644);
    const { findings } = await examine();
    const finding = findings.find(({ check }) => check === 'keys');
    expect(finding).toMatchObject({ status: 'fail', todo: expect.stringMatching(/chmod 600/) });
    expect(await failed()).toContain('keys');
  });

  it('finds a manifest that another key signed', async () => {
    putManifest(manifest, createSigningKey(join(base, 'stranger.pem')));
    expect(await failed()).toEqual(['manifest', 'log']);
  });

  it('finds a manifest that names another signing key', async () => {
    const { publicKey } = createSigningKey(join(base, 'other.pem'));
    putManifest({ ...manifest, auditor: { ...manifest.auditor, publicKey } }, coordinator);
    expect(await failed()).toEqual(['manifest', 'log']);
  });

  it('finds a manifest that names another box key', async () => {
    const { publicKey: boxKey } = createBoxKey(join(base, 'other-box.pem'));
    putManifest({ ...manifest, auditor: { ...manifest.auditor, boxKey } }, coordinator);
    expect(await failed()).toEqual(['manifest']);
  });

  it('finds a manifest that is missing', async () => {
    rmSync(auditorPaths(dir).manifest);
    expect(await failed()).toEqual(['manifest', 'log']);
  });

  it.each(['entries.rec', 'checkpoint'])('finds a byte changed in %s', async (file) => {
    const path = join(auditorPaths(dir).log, file);
    const bytes = readFileSync(path);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await failed()).toContain('log');
    expect(await failed({ full: true })).toContain('log');
  });

  it('finds a clock behind the log', async () => {
    expect(await failed({ nowMs: () => Date.now() - 86_400_000 })).toEqual(['clock']);
  });

  it('finds settings it does not know', async () => {
    const path = auditorPaths(dir).config;
    writeFileSync(path, `${readFileSync(path, 'utf8')}noise: off\n`);
    expect(await failed()).toContain('config');
  });
});
