/** A federation that witnessed itself, and every folder it left: whole ones verify. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { utf8ToBytes } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { openJournal } from '#libs/journal';
import { loadSigningKey } from '#libs/keystore';
import { logOrigin } from '#libs/protocol';
import {
  type Asked,
  AUDITOR,
  COORDINATOR,
  eventually,
  Federation,
  streetFile,
} from '#libs/testing';
import { createProgram } from '../program.js';
import { auditFolder } from './audit-folder.js';
import { makePack, verifyPack } from './evidence-pack.js';
import { registerRows, toCsv, VERBS } from './register.js';

const QUORUM = 2;
const AGENCIES = ['alpha-police', 'beta-police', 'gamma-police'];
const PROCESSES = [COORDINATOR, AUDITOR, ...AGENCIES];
const cells = [cellAt(51.4545, -2.5879, 9), cellAt(51.5155, -0.0922, 9), cellAt(53.8, -1.55, 9)];

let federation: Federation;
let asked: Asked;
/** Copies of every folder as it was before the question. */
const before = (id: string): string => join(federation.dir, 'before', id);
const scratch = (): string => join(federation.dir, 'scratch');

const question = { categories: ['robbery'] as const, periods: ['2024-01'], resolution: 7 };

function untilWitnessed(): Promise<void> {
  return eventually(async () => {
    const reply = await fetch(new URL('/v1/checkpoints', federation.url));
    const { checkpoints } = (await reply.json()) as { checkpoints: { note: string }[] };
    const cosigned = checkpoints.filter(({ note }) => note.split('\n— ').length - 2 >= QUORUM);
    expect(cosigned).toHaveLength(PROCESSES.length);
  });
}

beforeAll(async () => {
  federation = await Federation.open({
    quorum: QUORUM,
    agencies: AGENCIES.map((id, i) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(cells[i] as bigint, 6)),
      files: {
        'a.csv': streetFile(
          Array.from({ length: 20 }, () => ({
            month: '2024-01',
            type: 'Robbery',
            cell: cells[i] as bigint,
          })),
        ),
      },
    })),
  });
  await untilWitnessed();
  // one node stops and its folder is copied, as a backup would; then it goes on
  await federation.stop('alpha-police');
  cpSync(federation.folder('alpha-police'), before('alpha-police'), { recursive: true });
  await federation.startNode('alpha-police');
  await federation.untilConnected('alpha-police');
  asked = await federation.ask(question);
  await untilWitnessed();
});
afterAll(() => federation?.close());

/** The document that a command prints with --json. */
async function runCli(...args: string[]): Promise<Record<string, unknown>> {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await createProgram().parseAsync(['node', 'concordat', ...args, '--json']);
    return JSON.parse(write.mock.calls.map(([text]) => String(text)).join(''));
  } finally {
    write.mockRestore();
  }
}

const fingerprint = (): string => asked.header?.fingerprint ?? '';

it('verifies every folder while its process is at work', async () => {
  for (const id of PROCESSES) {
    expect({ id, ...(await auditFolder(federation.folder(id))) }).toMatchObject({
      id,
      ok: true,
      faults: [],
      cosigned: { quorum: QUORUM },
    });
  }
});

it('does not let an old copy of a folder sign, nor one that went another way', async () => {
  const id = 'alpha-police';
  const folder = federation.folder(id);
  await federation.stop(id);
  cpSync(folder, join(federation.dir, 'present'), { recursive: true });
  const restore = (from: string): void => {
    rmSync(folder, { recursive: true });
    cpSync(from, folder, { recursive: true });
  };
  restore(before(id));
  const published = readFileSync(join(folder, 'log', 'checkpoint'), 'utf8');
  await expect(federation.startNode(id)).rejects.toMatchObject({ code: 'log-behind' });
  expect(readFileSync(join(folder, 'log', 'checkpoint'), 'utf8')).toBe(published);

  restore(before(id));
  const key = loadSigningKey(join(folder, 'keys', 'signing.pem'));
  const origin = logOrigin(federation.manifest.federation, id);
  const signer = {
    name: origin,
    publicKey: key.publicKeyBytes,
    sign: (m: Uint8Array) => key.sign(m),
  };
  const journal = await openJournal({ dir: join(folder, 'log'), origin, signer });
  await journal.appendAll(
    Array.from({ length: 30 }, () =>
      utf8ToBytes(
        '{"actor":"alpha-police","at":"2024-09-02T09:00:00.000Z","kind":"started","process":"node","version":"other"}',
      ),
    ),
  );
  await journal.close();
  await expect(federation.startNode(id)).rejects.toMatchObject({ code: 'log-forked' });
  expect(readFileSync(join(folder, 'log', 'checkpoint'), 'utf8')).toBe(published);

  restore(join(federation.dir, 'present'));
  await federation.startNode(id);
  await federation.untilConnected(id);
});

describe('of a federation that was stopped', () => {
  beforeAll(async () => {
    for (const id of [...AGENCIES, AUDITOR, COORDINATOR]) await federation.stop(id);
  });

  it('verifies every folder, and reports what stands in it', async () => {
    for (const id of PROCESSES) {
      const report = await auditFolder(federation.folder(id), {
        key: federation.manifest.coordinator.publicKey,
      });
      expect({ id, ...report }).toMatchObject({ id, ok: true, unsigned: 0, faults: [] });
      expect(report.origin).toBe(logOrigin('concordat-test', id));
      expect(report.entries).toBe(report.size);
      expect(report.cosigned.size).toBeGreaterThan(0);
    }
    const node = await auditFolder(federation.folder('beta-police'));
    expect(node).toMatchObject({ releases: 1, spent: { incidents: { 2024: '1/8' } } });
    expect(await auditFolder(federation.folder(COORDINATOR))).toMatchObject({ releases: 1 });
  });

  it('takes entries that no checkpoint signs by the note of the command that wrote them, and no others', async () => {
    const id = 'gamma-police';
    const cell = cells[2] as bigint;
    await federation.ingest(id, {
      'b.csv': streetFile([{ month: '2024-02', type: 'Robbery', cell }]),
    });
    const dir = federation.folder(id);
    expect(await auditFolder(dir)).toMatchObject({ ok: true, faults: [], unsigned: 1 });
    const { size, faults } = await auditFolder(dir, { strict: true });
    expect(faults).toContainEqual({ at: `entry ${size}`, kind: 'entries-unsigned' });

    // as after a kill: nothing says whose the last entry is
    rmSync(scratch(), { recursive: true, force: true });
    cpSync(dir, scratch(), { recursive: true });
    rmSync(join(scratch(), 'log', 'tail'));
    expect((await auditFolder(scratch())).faults).toEqual([
      { at: `entry ${size}`, kind: 'entries-unsigned' },
    ]);
    expect(await auditFolder(scratch(), { running: true })).toMatchObject({ ok: true });
    process.exitCode = undefined;
    expect(await runCli('audit', scratch(), '--running')).toMatchObject({ ok: true, unsigned: 1 });
  });

  it('finds a folder rolled back whole by a checkpoint that someone kept', async () => {
    const known = [
      readFileSync(join(federation.folder('alpha-police'), 'log', 'checkpoint'), 'utf8'),
    ];
    const rolledBack = before('alpha-police');
    expect((await auditFolder(rolledBack)).ok).toBe(true);
    const { faults } = await auditFolder(rolledBack, { known });
    expect(faults).toContainEqual({ at: 'known 0', kind: 'known-ahead' });
  });

  it('says what is wrong with folders that are none', async () => {
    await expect(auditFolder(join(federation.dir, 'nowhere'))).rejects.toMatchObject({
      code: 'no-such-folder',
    });
    await expect(auditFolder(federation.dir, { key: 'short' })).rejects.toMatchObject({
      code: 'malformed-key',
    });
    await expect(auditFolder(federation.dir)).rejects.toMatchObject({
      code: 'not-a-process-folder',
      message: expect.stringContaining('alpha-police'),
    });
    const empty = mkdtempSync(join(tmpdir(), 'concordat-empty-'));
    await expect(auditFolder(empty)).rejects.toMatchObject({
      code: 'not-a-process-folder',
      message: expect.stringContaining('neither config.yaml nor a log'),
    });
    cpSync(join(federation.folder('alpha-police'), 'config.yaml'), join(empty, 'config.yaml'));
    expect((await auditFolder(empty)).faults).toContainEqual({ at: 'log', kind: 'log-missing' });
    rmSync(empty, { recursive: true });
    const stranger = federation.manifest.auditor.publicKey;
    expect(
      (await auditFolder(federation.folder(COORDINATOR), { key: stranger })).faults,
    ).toContainEqual({ at: 'manifest.json', kind: 'wrong-signer' });
  });

  it('exports the register of section 62', async () => {
    const rows = await registerRows(federation.folder('beta-police'));
    expect(rows.map(({ verb }) => verb)).toEqual([
      'collection',
      'consultation',
      'consultation',
      'disclosure',
    ]);
    for (const row of rows) {
      expect(VERBS).toContain(row.verb);
      expect([row.time, row.actor, row.purpose].every((text) => text.length > 0)).toBe(true);
    }
    expect(rows.at(-1)).toMatchObject({ recipient: COORDINATOR, purpose: 'hotspot-policing' });
    const lines = toCsv(rows).trimEnd().split('\r\n');
    expect(lines).toHaveLength(rows.length + 1);
    expect(toCsv([{ ...(rows[0] as (typeof rows)[0]), actor: '=1+1,"x"' }])).toContain(
      `"'=1+1,""x"""`,
    );
    const combined = await registerRows(federation.folder(COORDINATOR));
    expect(combined.map(({ verb }) => verb)).toEqual(['combination']);
  });

  it('writes a register over another when told to only', async () => {
    const out = join(federation.dir, 'register.csv');
    const folder = federation.folder(AUDITOR);
    const write = (...more: string[]) =>
      runCli('audit', 'export', folder, '--format', 'csv', '--out', out, ...more);
    writeFileSync(out, 'kept');
    await expect(write()).rejects.toMatchObject({ code: 'file-exists' });
    expect(readFileSync(out, 'utf8')).toBe('kept');
    expect(await write('--force')).toMatchObject({ out });
    expect(readFileSync(out, 'utf8')).toMatch(/^index,time,/);
  });

  it('packs the evidence on a query so that the manifest alone verifies it', async () => {
    for (const id of ['beta-police', COORDINATOR]) {
      const pack = await makePack(federation.folder(id), fingerprint(), undefined);
      const text = JSON.stringify(pack);
      const verified = verifyPack(text, federation.manifest);
      expect(verified).toMatchObject({ origin: logOrigin('concordat-test', id), quorum: QUORUM });
      expect(verified.answers).toHaveLength(1);
      const entry = pack.entries.at(-1);
      const spoilt = [
        text.replace('"version":2', '"version":1'),
        JSON.stringify({ ...pack, fingerprint: 'f'.repeat(64) }),
        JSON.stringify({ ...pack, entries: [...pack.entries].reverse() }),
        JSON.stringify({ ...pack, entries: [{ ...entry, index: '0' }] }),
        JSON.stringify({ ...pack, process: AUDITOR }),
        JSON.stringify({ ...pack, manifest: '0'.repeat(64) }),
        'not json',
      ];
      for (const bad of spoilt) expect(() => verifyPack(bad, federation.manifest)).toThrow();
      expect(verified.policies).toHaveLength(id === COORDINATOR ? 0 : 1);
      for (const policy of pack.policies) {
        const other = { ...policy, agency: { ...policy.agency, grants: [] } };
        for (const policies of [[], [other], [...pack.policies, other]]) {
          expect(() =>
            verifyPack(JSON.stringify({ ...pack, policies }), federation.manifest),
          ).toThrow(expect.objectContaining({ code: 'bad-pack' }));
        }
      }
    }
    await expect(
      makePack(federation.folder('beta-police'), '0'.repeat(64), undefined),
    ).rejects.toMatchObject({ code: 'unknown-fingerprint' });
  });

  it('verifies receipts and folders from the command line', async () => {
    const hash = asked.header?.coverage.find(({ receipt }) => receipt)?.receipt ?? '';
    const file = join(federation.folder(COORDINATOR), 'blobs', hash.slice(0, 2), hash);
    const manifest = join(federation.folder(COORDINATOR), 'manifest.json');
    const run = runCli;
    expect(await run('receipt', 'verify', file, '--manifest', manifest)).toMatchObject({
      ok: true,
    });
    expect(await run('audit', federation.folder(AUDITOR))).toMatchObject({ ok: true, releases: 0 });
    expect(process.exitCode).toBeUndefined();

    const bad = join(federation.dir, 'receipt.json');
    writeFileSync(bad, readFileSync(file, 'utf8').replace('"rho":"1/8"', '"rho":"1/4"'));
    await expect(run('receipt', 'verify', bad, '--manifest', manifest)).rejects.toMatchObject({
      code: 'bad-signature',
    });
    await expect(run('receipt', 'verify', manifest, '--manifest', manifest)).rejects.toMatchObject({
      code: 'bad-receipt',
    });
    const log = join(scratch(), 'log', 'checkpoint');
    rmSync(scratch(), { recursive: true, force: true });
    cpSync(federation.folder(AUDITOR), scratch(), { recursive: true });
    writeFileSync(log, readFileSync(log, 'utf8').replace('\n\n', '\nx\n\n'));
    expect(await run('audit', scratch())).toMatchObject({ ok: false });
    expect(process.exitCode).toBe(1);
    process.exitCode = undefined;
  });
});
