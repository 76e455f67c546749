/** The doctors of the two processes that have one folder each in a federation; a node's has its own, beside it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Examination, Report } from '#libs/doctor';
import { cellAt, disk, domainFromCells, formatDomainFile } from '#libs/grid';
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
import { auditorPaths } from '../../../apps/auditor/src/config.js';
import { examineAuditor } from '../../../apps/auditor/src/doctor.js';
import { initAuditor } from '../../../apps/auditor/src/init.js';
import { coordinatorPaths } from '../../../apps/coordinator/src/config.js';
import { examineCoordinator } from '../../../apps/coordinator/src/doctor.js';
import { discoverProvider } from '../../../apps/coordinator/src/federation/identity-provider.js';
import { initCoordinator } from '../../../apps/coordinator/src/init.js';
import { TestIdentityProvider } from './identity-provider.js';

const domain = domainFromCells('test/alpha', disk(cellAt(51.4545, -2.5879, 9), 2));
const listen = { host: '127.0.0.1', port: 0 };

let base: string;
let dir: string;
let coordinator: SigningKey;
let manifest: Manifest;
let paths: ReturnType<typeof auditorPaths> | ReturnType<typeof coordinatorPaths>;
let examineFolder: (examination: Examination) => Promise<Report>;

const newKey = (name: string): string => createSigningKey(join(base, `${name}.pem`)).publicKey;
const newBoxKey = (name: string): string => createBoxKey(join(base, `${name}-box.pem`)).publicKey;

function putManifest(changed: Manifest, signer = coordinator): void {
  writeFileSync(paths.manifest, JSON.stringify(seal('manifest', changed, signer)));
}

/** Founds a federation in the folder of `process`, whose keys are given, and starts its log. */
async function found(
  process: 'auditor' | 'coordinator',
  keys: { readonly publicKey: string; readonly boxKey: string },
): Promise<void> {
  const other = { publicKey: newKey('other'), boxKey: newBoxKey('other') };
  manifest = foundManifest({
    federation: 'small',
    grid: { name: 'ew-2026-1', hash: '1'.repeat(64) },
    coordinator: {
      id: 'coordinator',
      ...(process === 'coordinator' ? keys : other),
      publicKey: coordinator.publicKey,
    },
    auditor: { id: 'auditor', ...(process === 'auditor' ? keys : other) },
    agencies: [
      {
        id: 'alpha-police',
        name: 'Alpha Police',
        kind: 'police',
        publicKey: newKey('alpha'),
        boxKey: newBoxKey('alpha'),
        domain: domain.hash,
        categories: ['robbery'],
      },
    ],
    analysts: [],
    witnesses: [],
    quorum: 0,
  });
  putManifest(manifest);
  const origin = logOrigin('small', process);
  const journal = await openJournal({
    dir: paths.log,
    origin,
    signer: noteSigner(origin, loadSigningKey(paths.signingKey)),
    clock: Date.now,
  });
  const at = new Date().toISOString();
  const started = { kind: 'started', at, actor: process, process, version: 'test' } as const;
  for (let i = 0; i < 3; i++) await journal.append(encodeEntry(started));
  await journal.checkpoint();
  await journal.close();
}

async function makeAuditor(): Promise<void> {
  dir = join(base, 'auditor');
  paths = auditorPaths(dir);
  examineFolder = (examination) => examineAuditor(dir, examination);
  coordinator = createSigningKey(join(base, 'coordinator.pem'));
  const { publicKey } = coordinator;
  await found(
    'auditor',
    await initAuditor(dir, {
      version: 1,
      id: 'auditor',
      coordinator: { url: 'http://127.0.0.1:9/', publicKey },
      listen,
    }),
  );
}

async function makeCoordinator(): Promise<void> {
  dir = join(base, 'coordinator');
  paths = coordinatorPaths(dir);
  examineFolder = (examination) => examineCoordinator(dir, examination, undefined);
  const keys = await initCoordinator(dir, {
    version: 1,
    id: 'coordinator',
    listen,
    roundDeadlineSeconds: 30,
  });
  coordinator = loadSigningKey(paths.signingKey);
  writeFileSync(domainPath(), gzipSync(formatDomainFile(domain)));
  await found('coordinator', keys);
}
const domainPath = (): string => join(coordinatorPaths(dir).domains, `${domain.hash}.txt.gz`);

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'concordat-doctor-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const examine = (options: Partial<Examination> = {}): Promise<Report> =>
  examineFolder({ nowMs: Date.now, full: false, ...options });

function failedOf({ ok, findings }: Report): string[] {
  const bad = findings.filter(({ status }) => status === 'fail');
  expect(ok).toBe(bad.length === 0);
  for (const { todo } of bad) expect(todo).toMatch(/\w/);
  return bad.map(({ check }) => check);
}
const failed = async (options?: Partial<Examination>): Promise<string[]> =>
  failedOf(await examine(options));

describe.each([
  { process: 'auditor', make: makeAuditor, own: [], ofManifest: [] },
  {
    process: 'coordinator',
    make: makeCoordinator,
    own: ['jobs', 'limits', 'sign-in'],
    ofManifest: ['limits', 'sign-in'],
  },
] as const)("the doctor of the $process's folder", ({ process, make, own, ofManifest }) => {
  beforeEach(make);

  it('finds a sound folder sound, in one document', async () => {
    expect(await failed({ full: true })).toEqual([]);
    const report = await examine();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({ process, dir, ok: true });
    expect(report.findings.map(({ check }) => check)).toEqual([
      'config',
      'keys',
      'manifest',
      'disk',
      'fsync',
      'log',
      'clock',
      ...own,
    ]);
  });

  it.each(['signingKey', 'boxKey'] as const)('finds a %s that others may read', async (key) => {
    chmodSync(paths[key], 0o644);
    const { findings } = await examine();
    const finding = findings.find(({ check }) => check === 'keys');
    expect(finding).toMatchObject({ status: 'fail', todo: expect.stringMatching(/chmod 600/) });
    expect(await failed()).toContain('keys');
  });

  it('finds a manifest that another key signed', async () => {
    putManifest(manifest, createSigningKey(join(base, 'stranger.pem')));
    expect(await failed()).toEqual(['manifest', 'log', ...ofManifest]);
  });

  it('finds a manifest that names another signing key', async () => {
    const publicKey = newKey('another');
    putManifest({ ...manifest, [process]: { ...manifest[process], publicKey } });
    expect(await failed()).toEqual(['manifest', 'log']);
  });

  it('finds a manifest that names another box key', async () => {
    const boxKey = newBoxKey('another');
    putManifest({ ...manifest, [process]: { ...manifest[process], boxKey } });
    expect(await failed()).toEqual(['manifest']);
  });

  it('finds a manifest that is missing', async () => {
    rmSync(paths.manifest);
    expect(await failed()).toEqual(['manifest', 'log', ...ofManifest]);
  });

  it.each(['entries.rec', 'checkpoint'])('finds a byte changed in %s', async (file) => {
    const path = join(paths.log, file);
    const bytes = readFileSync(path);
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await failed()).toContain('log');
    expect(await failed({ full: true })).toContain('log');
  });

  it('finds a log that is missing, and a clock that is right all the same', async () => {
    rmSync(paths.log, { recursive: true });
    const report = await examine();
    expect(failedOf(report)).toEqual(['log']);
    expect(report.findings.find(({ check }) => check === 'log')).toMatchObject({
      says: 'there is none',
      todo: expect.stringMatching(/first start/),
    });
  });

  it('finds a clock behind the log', async () => {
    expect(await failed({ nowMs: () => Date.now() - 86_400_000 })).toEqual(['clock']);
  });

  it('finds settings it does not know', async () => {
    writeFileSync(paths.config, `${readFileSync(paths.config, 'utf8')}noise: off\n`);
    expect(await failed()).toContain('config');
  });
});

describe("the doctor of the coordinator's folder, alone,", () => {
  beforeEach(makeCoordinator);

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
    const examination = { nowMs: Date.now, full: false };
    const report = await examineCoordinator(dir, examination, 'redis://127.0.0.1:9');
    expect(failedOf(report)).toEqual(['jobs']);
  });

  it('finds limits that hold the members of the federation back, or nobody', async () => {
    const path = paths.config;
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
        putManifest({ ...manifest, identityProvider });
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
});
