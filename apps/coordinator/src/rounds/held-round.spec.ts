import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openInlineJobs } from '#libs/jobs';
import { openBlobs } from '#libs/journal';
import { createBoxKey, createSigningKey, turnableKey } from '#libs/keystore';
import { createLogger } from '#libs/nest-kit';
import { type Manifest, type SignedAssertion, seal } from '#libs/protocol';
import { canonicaliseQuery, fingerprint } from '#libs/query';
import type { Entry, EntryOf } from '#libs/tlog';
import type { Coordinator } from '../coordinator.js';
import { Federation } from '../federation/federation.js';
import { ReleaseStore } from '../releases/release-store.js';
import { Unmaskings } from '../sealing/unmaskings.js';
import { ConcludeRound } from './conclude-round.js';
import { Inboxes } from './inbox.js';
import type { Round } from './round.js';
import { RoundBook } from './round-book.js';
import { RoundFiles } from './round-files.js';
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
    change: { kind: 'founded' },
    formerKeys: [],
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
    key: turnableKey(key),
    box,
    federation,
    get journal(): never {
      throw new Error('these rounds log through append alone');
    },
    blobs,
    roundBlobs: blobs,
    logger: createLogger('test', 'silent'),
    nowMs: Date.now,
    append: async (entry) => BigInt(entries.push(entry) - 1),
    close: async () => undefined,
  };
  const inline = openInlineJobs({
    kinds: [],
    concurrency: 1,
    nowMs: Date.now,
    scheduleFile: join(dir, 'schedules.json'),
  });
  const jobs = Object.assign(inline, { readyToCompose: () => undefined });
  const vectors = new VectorStore(join(dir, 'uploads'));
  const book = new RoundBook(coordinator.append);
  rounds = new RoundsService(
    coordinator,
    book,
    new RoundFiles(blobs),
    new Inboxes(() => book.newestSequence),
    vectors,
    new ConcludeRound(
      coordinator,
      book,
      jobs,
      new ReleaseStore(blobs),
      new RoundFiles(blobs),
      vectors,
      new Unmaskings(coordinator),
    ),
  );
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
  round: round.state.id,
  agency,
  fingerprint: round.state.fingerprint,
  at: new Date().toISOString(),
});
const UNTIL = '2030-01-01T00:00:00.000Z';
const hold = (agency: string) => rounds.hold({ ...from(agency), until: UNTIL });
const refusal = (agency: string) =>
  rounds.refuse({ ...from(agency), code: 'roles', constraint: null });
const standings = async () => (await rounds.round(round.state.id))?.state.standings;
const statusOf = async (agency: string) => (await standings())?.get(agency)?.status;
const ended = async (): Promise<EntryOf<'round.closed'>> => {
  const find = (wanted: string) => entries.find(({ kind }) => kind === wanted);
  while (!find('round.aborted')) await new Promise((resolve) => setTimeout(resolve, 20));
  return find('round.closed') as EntryOf<'round.closed'>;
};

describe('a round in which an answer waits for a person', () => {
  it('shows it as held, goes on collecting, and closes at its deadline all the same', async () => {
    await hold('first');
    await refusal('second');
    expect(await statusOf('first')).toBe('held');
    expect((await rounds.round(round.state.id))?.state.phase).toBe('collecting');
    const entry = await ended();
    expect(entry.at >= round.state.deadline).toBe(true);
    expect(entry.coverage.map(({ status }) => status)).toEqual(['refused', 'refused']);
    expect([...((await standings()) ?? [])]).toEqual([
      ['first', { status: 'refused', code: 'approval-needed' }],
      ['second', { status: 'refused', code: 'roles' }],
    ]);
  });

  it('waits for the answer again once a person agreed', async () => {
    await hold('first');
    await rounds.accept(from('first'));
    expect(await statusOf('first')).toBe('waiting');
    const entry = await ended();
    expect(entry.coverage.map(({ status }) => status)).toEqual(['silent', 'silent']);
  });

  it('closes at once when the person refuses and nobody else is awaited', async () => {
    await hold('first');
    await refusal('second');
    await refusal('first');
    expect((await ended()).at < round.state.deadline).toBe(true);
  });

  it('logs at most three words of an agency, however often it speaks', async () => {
    for (let i = 0; i < 5; i++) {
      await hold('first');
      await rounds.accept(from('first'));
    }
    for (let i = 0; i < 5; i++) await refusal('first');
    const said = entries.filter((entry) => 'agency' in entry && entry.agency === 'first');
    expect(said.map(({ kind }) => kind)).toEqual([
      'hold.received',
      'accept.received',
      'refusal.received',
    ]);
  });

  it('changes nothing after an answer, and takes no hold of another question or agency', async () => {
    await refusal('first');
    await hold('first');
    expect(await statusOf('first')).toBe('refused');
    const other = { ...from('second'), fingerprint: '3'.repeat(64), until: UNTIL };
    await expect(rounds.hold(other)).rejects.toMatchObject({ code: 'wrong-fingerprint' });
    await expect(rounds.hold({ ...from('third'), until: UNTIL })).rejects.toMatchObject({
      code: 'not-asked',
    });
    await expect(rounds.accept({ ...from('second'), round: 'f'.repeat(32) })).rejects.toMatchObject(
      { code: 'not-found' },
    );
  });
});
