import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openBlobs } from '#libs/journal';
import { createBoxKey, createSigningKey } from '#libs/keystore';
import { createLogger } from '#libs/nest-kit';
import { type Manifest, type SignedAssertion, seal } from '#libs/protocol';
import { canonicaliseQuery, fingerprint } from '#libs/query';
import type { Entry } from '#libs/tlog';
import type { Coordinator } from '../coordinator.js';
import { Federation } from '../federation/federation.js';
import { ReleaseStore } from '../releases/release-store.js';
import { Inboxes } from './inbox.js';
import type { Round } from './round.js';
import { RoundsService } from './rounds.service.js';
import { VectorStore } from './vector-store.js';

const DEADLINE_SECONDS = 1;
const GRID_HASH = '1'.repeat(64);

let dir: string;
let entries: Entry[];
let rounds: RoundsService;
let round: Round;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-rounds-'));
  const key = createSigningKey(join(dir, 'coordinator.pem'));
  const box = createBoxKey(join(dir, 'box.pem'));
  const analyst = createSigningKey(join(dir, 'analyst.pem'));
  const agency = (id: string): Manifest['agencies'][number] => ({
    id,
    name: id,
    kind: 'police',
    publicKey: key.publicKey,
    boxKey: box.publicKey,
    domain: '2'.repeat(64),
    categories: ['robbery'],
  });
  const manifest: Manifest = {
    version: 1,
    federation: 'small',
    serial: 1,
    previous: null,
    grid: { name: 'ew-2026-1', hash: GRID_HASH },
    coordinator: { id: 'coordinator', publicKey: key.publicKey, boxKey: box.publicKey },
    auditor: { id: 'auditor', publicKey: key.publicKey, boxKey: box.publicKey },
    agencies: [agency('first'), agency('second')],
    witnesses: [],
    quorum: 0,
    analysts: [{ id: 'analyst-1', publicKey: analyst.publicKey, roles: ['national-analyst'] }],
  };
  const federation = new Federation(manifest, dir);
  const blobs = await openBlobs({ dir: join(dir, 'blobs') });
  entries = [];
  const coordinator: Coordinator = {
    config: {
      version: 1,
      id: 'coordinator',
      listen: { host: '127.0.0.1', port: 0 },
      roundDeadlineSeconds: DEADLINE_SECONDS,
    },
    key,
    federation,
    get journal(): never {
      throw new Error('these rounds log through append alone');
    },
    blobs,
    logger: createLogger('test', 'silent'),
    nowMs: Date.now,
    append: async (entry) => BigInt(entries.push(entry) - 1),
    close: async () => undefined,
  };
  const vectors = new VectorStore(join(dir, 'uploads'));
  rounds = new RoundsService(coordinator, new Inboxes(), vectors, new ReleaseStore(blobs));
  const query = canonicaliseQuery({
    version: 1,
    measure: 'incidents',
    categories: ['robbery'],
    periods: ['2024-01'],
    resolution: 6,
    grid: 'ew-2026-1',
    gridHash: GRID_HASH,
    rho: '1/8',
    purpose: 'hotspot-policing',
  });
  const assertion = {
    analyst: 'analyst-1',
    fingerprint: fingerprint(query),
    manifest: federation.hash,
    at: new Date().toISOString(),
    nonce: randomBytes(16).toString('hex'),
  };
  round = await rounds.open(query, seal('assertion', assertion, analyst) as SignedAssertion);
});

afterEach(async () => {
  await rounds.stop();
  rmSync(dir, { recursive: true });
});

const from = (agency: string) => ({
  round: round.id,
  agency,
  fingerprint: round.fingerprint,
  at: new Date().toISOString(),
});
const hold = (agency: string) =>
  rounds.hold({ ...from(agency), until: '2030-01-01T00:00:00.000Z' });
const refusal = (agency: string) =>
  rounds.refuse({ ...from(agency), code: 'roles', constraint: null });
const statusOf = (agency: string) => round.parties.get(agency)?.status;
const closed = async (): Promise<Extract<Entry, { kind: 'round.closed' }>> => {
  for (;;) {
    const entry = entries.find(({ kind }) => kind === 'round.closed');
    if (entry?.kind === 'round.closed') return entry;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('a round in which an answer waits for a person', () => {
  it('shows it as held, goes on collecting, and closes at its deadline all the same', async () => {
    hold('first');
    refusal('second');
    expect(statusOf('first')).toBe('held');
    expect(round.phase).toBe('collecting');
    const entry = await closed();
    expect(Date.parse(entry.at)).toBeGreaterThanOrEqual(round.deadlineMs);
    expect(entry.coverage).toEqual([
      { agency: 'first', status: 'refused', code: 'approval-needed' },
      { agency: 'second', status: 'refused', code: 'roles' },
    ]);
  });

  it('waits for the answer again once a person agreed', async () => {
    hold('first');
    rounds.accept(from('first'));
    expect(statusOf('first')).toBe('waiting');
    const entry = await closed();
    expect(entry.coverage.map(({ status }) => status)).toEqual(['silent', 'silent']);
  });

  it('closes at once when the person refuses and nobody else is awaited', async () => {
    hold('first');
    refusal('second');
    refusal('first');
    expect(Date.parse((await closed()).at)).toBeLessThan(round.deadlineMs);
  });

  it('changes nothing after an answer, and takes no hold of another question or agency', () => {
    refusal('first');
    hold('first');
    expect(statusOf('first')).toBe('refused');
    const until = '2030-01-01T00:00:00.000Z';
    const other = { ...from('second'), fingerprint: '3'.repeat(64), until };
    expect(() => rounds.hold(other)).toThrow(
      expect.objectContaining({ code: 'wrong-fingerprint' }),
    );
    expect(() => rounds.hold({ ...from('third'), until })).toThrow(
      expect.objectContaining({ code: 'not-asked' }),
    );
    expect(() => rounds.accept({ ...from('second'), round: 'f'.repeat(32) })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
