import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells, formatDomainFile } from '#libs/grid';
import { createBoxKey, createSigningKey, loadSigningKey, type SigningKey } from '#libs/keystore';
import { createLogger } from '#libs/nest-kit';
import { foundManifest, type Manifest, seal } from '#libs/protocol';
import { TestIdentityProvider } from '#libs/testing';
import { coordinatorPaths } from './config.js';
import { examineCoordinator } from './doctor.js';
import { discoverProvider } from './federation/identity-provider.js';
import { initCoordinator } from './init.js';
import { openCoordinator } from './open-coordinator.js';

const ID = 'coordinator';
const domain = domainFromCells('test/alpha', disk(cellAt(51.4545, -2.5879, 9), 2));

let base: string;
let dir: string;
let coordinator: SigningKey;
let manifest: Manifest;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'concordat-coordinator-'));
  dir = join(base, ID);
  const keys = await initCoordinator(dir, {
    version: 1,
    id: ID,
    listen: { host: '127.0.0.1', port: 0 },
    roundDeadlineSeconds: 30,
  });
  coordinator = loadSigningKey(coordinatorPaths(dir).signingKey);
  writeFileSync(domainPath(), gzipSync(formatDomainFile(domain)));
  const boxKey = createBoxKey(join(base, 'box.pem')).publicKey;
  manifest = foundManifest({
    federation: 'small',
    grid: { name: 'ew-2026-1', hash: '1'.repeat(64) },
    coordinator: { id: ID, ...keys },
    auditor: {
      id: 'auditor',
      publicKey: createSigningKey(join(base, 'auditor.pem')).publicKey,
      boxKey,
    },
    agencies: [
      {
        id: 'alpha-police',
        name: 'Alpha Police',
        kind: 'police',
        publicKey: createSigningKey(join(base, 'alpha.pem')).publicKey,
        boxKey: createBoxKey(join(base, 'alpha-box.pem')).publicKey,
        domain: domain.hash,
        categories: ['robbery'],
      },
    ],
    analysts: [],
    witnesses: [],
    quorum: 0,
  });
  putManifest(manifest, coordinator);
  const opened = await openCoordinator(dir, {
    nowMs: Date.now,
    logger: createLogger('test', 'silent'),
  });
  await opened.journal.checkpoint();
  await opened.close();
});
afterEach(() => rmSync(base, { recursive: true }));

const domainPath = (): string => join(coordinatorPaths(dir).domains, `${domain.hash}.txt.gz`);
function putManifest(changed: Manifest, signer: SigningKey): void {
  writeFileSync(coordinatorPaths(dir).manifest, JSON.stringify(seal('manifest', changed, signer)));
}

interface Options {
  readonly full?: boolean;
  readonly nowMs?: () => number;
  readonly redisUrl?: string;
}
const examine = (options: Options = {}) =>
  examineCoordinator(dir, { nowMs: Date.now, full: false, redisUrl: undefined, ...options });
async function failed(options: Options = {}): Promise<string[]> {
  const { ok, findings } = await examine(options);
  const bad = findings.filter(({ status }) => status === 'fail');
  expect(ok).toBe(bad.length === 0);
  for (const { todo } of bad) expect(todo).toMatch(/\w/);
  return bad.map(({ check }) => check);
}

describe("the doctor of a coordinator's folder", () => {
  it('finds a sound folder sound, in one document', async () => {
    expect(await failed({ full: true })).toEqual([]);
    const report = await examine();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({ process: 'coordinator', dir, ok: true });
    expect(report.findings.map(({ check }) => check)).toEqual([
      'config',
      'keys',
      'manifest',
      'disk',
      'fsync',
      'log',
      'clock',
      'jobs',
      'limits',
      'sign-in',
    ]);
  });

  it.each(['signingKey', 'boxKey'] as const)('finds a %s that others may read', async (key) => {
    chmodSync(coordinatorPaths(dir)[key], 0o644);
    const { findings } = await examine();
    const finding = findings.find(({ check }) => check === 'keys');
    expect(finding).toMatchObject({ status: 'fail', todo: expect.stringMatching(/chmod 600/) });
    expect(await failed()).toContain('keys');
  });

  it('finds a manifest that another key signed', async () => {
    putManifest(manifest, createSigningKey(join(base, 'stranger.pem')));
    expect(await failed()).toEqual(['manifest', 'log', 'limits', 'sign-in']);
  });

  it('finds a manifest that names another signing key', async () => {
    const { publicKey } = createSigningKey(join(base, 'other.pem'));
    putManifest({ ...manifest, coordinator: { ...manifest.coordinator, publicKey } }, coordinator);
    expect(await failed()).toEqual(['manifest', 'log']);
  });

  it('finds a manifest that names another box key', async () => {
    const { publicKey: boxKey } = createBoxKey(join(base, 'other-box.pem'));
    putManifest({ ...manifest, coordinator: { ...manifest.coordinator, boxKey } }, coordinator);
    expect(await failed()).toEqual(['manifest']);
  });

  it('finds a manifest that is missing', async () => {
    rmSync(coordinatorPaths(dir).manifest);
    expect(await failed()).toEqual(['manifest', 'log', 'limits', 'sign-in']);
  });

  it('finds a domain that is missing, and one that was changed', async () => {
    const whole = readFileSync(domainPath());
    rmSync(domainPath());
    expect(await failed()).toEqual(['manifest']);
    const other = domainFromCells('test/alpha', disk(cellAt(51.5155, -0.0922, 9), 2));
    writeFileSync(domainPath(), gzipSync(formatDomainFile(other)));
    expect(await failed()).toEqual(['manifest']);
    writeFileSync(domainPath(), whole);
    expect(await failed()).toEqual([]);
  });

  it('finds a Redis that nothing listens at', async () => {
    expect(await failed({ redisUrl: 'redis://127.0.0.1:9' })).toEqual(['jobs']);
  });

  it.each(['entries.rec', 'checkpoint'])('finds a byte changed in %s', async (file) => {
    const path = join(coordinatorPaths(dir).log, file);
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

  it('finds limits that hold the members of the federation back, or nobody', async () => {
    const path = coordinatorPaths(dir).config;
    const settings = readFileSync(path, 'utf8');
    const limitsWith = async (limits: object) => {
      writeFileSync(path, `${settings}limits: ${JSON.stringify(limits)}\n`);
      return (await examine()).findings.find(({ check }) => check === 'limits');
    };
    expect(await limitsWith({})).toMatchObject({ status: 'ok' });
    const member = { status: 'warn', says: expect.stringMatching(/^requestsPerMember 20 /) };
    expect(await limitsWith({ requestsPerMember: 20 })).toMatchObject(member);
    const address = { status: 'warn', says: expect.stringMatching(/^requestsPerAddress is below/) };
    expect(await limitsWith({ requestsPerAddress: 5_000 })).toMatchObject(address);
    const analyst = {
      status: 'warn',
      says: expect.stringMatching(/^questionsPerAnalyst is above/),
    };
    expect(await limitsWith({ questionsPerAnalyst: 20_000 })).toMatchObject(analyst);
  });

  it('finds an OpenID provider that is away, or has other keys than the manifest', async () => {
    const provider = await TestIdentityProvider.start({ ann: ['analysts'] });
    try {
      const pinned = await discoverProvider({
        issuer: provider.url,
        clientId: 'concordat',
        scope: 'openid',
        rolesClaim: ['groups'],
        roles: [{ claim: 'analysts', role: 'national-analyst' }],
      });
      const signIn = async (identityProvider: typeof pinned) => {
        putManifest({ ...manifest, identityProvider }, coordinator);
        return (await examine()).findings.find(({ check }) => check === 'sign-in');
      };
      expect(await signIn(pinned)).toMatchObject({ status: 'ok' });
      const kid = 'of-yesterday';
      const [key] = pinned.keys;
      const gone = { ...(key as (typeof pinned.keys)[number]), kid };
      expect(await signIn({ ...pinned, keys: [gone] })).toMatchObject({
        status: 'fail',
        todo: expect.stringMatching(/identity-provider set/),
      });
      expect(await signIn({ ...pinned, keys: [...pinned.keys, gone] })).toMatchObject({
        status: 'warn',
        says: expect.stringMatching(/withdrawn/),
      });
      await provider.stop();
      expect(await signIn(pinned)).toMatchObject({
        status: 'warn',
        says: expect.stringMatching(/does not answer/),
      });
    } finally {
      await provider.stop();
    }
  });

  it('finds settings it does not know', async () => {
    const path = coordinatorPaths(dir).config;
    writeFileSync(path, `${readFileSync(path, 'utf8')}noise: off\n`);
    expect(await failed()).toContain('config');
  });
});
