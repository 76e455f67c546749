/** A log as its coordinator publishes it, with all that it names; and the same from hosts that would have it otherwise. */
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import type { ReleaseHeader } from '#libs/protocol';
import { AUDITOR, COORDINATOR, Federation, RunningProgram, streetFile } from '#libs/testing';
import { createProgram } from '../program.js';
import { auditFolder } from './audit-folder.js';
import { auditPublishedLog } from './audit-published.js';
import type { AuditReport } from './audit-report.js';
import { keysOf, openManifestHistory } from './process-folder.js';

const AGENCIES = ['alpha-police', 'beta-police', 'gamma-council', 'delta-police'];
const centre = cellAt(51.4545, -2.5879, 9);

let federation: Federation;
let header: ReleaseHeader;
const manifestFile = (): string => join(federation.folder(COORDINATOR), 'manifest.json');
/** The manifest as it was before an agency was revoked. */
const olderManifest = (): string => join(federation.dir, 'older-manifest.json');

beforeAll(async () => {
  federation = await Federation.open({
    agencies: AGENCIES.map((id, i) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(centre, i + 1)),
      files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: centre }]) },
    })),
  });
  const asked = await federation.ask({
    categories: ['robbery'],
    periods: ['2024-01'],
    resolution: 8,
  });
  header = asked.header as ReleaseHeader;
  cpSync(manifestFile(), olderManifest());
  const dir = federation.folder(COORDINATOR);
  const order = ['coordinator', 'revoke', '--dir', dir, '--agency', 'delta-police'];
  const revoked = new RunningProgram([...order, '--reason', 'test']);
  expect(await revoked.ended).toMatchObject({ code: 0 });
});
afterAll(() => federation?.close());

/** The document that the command prints with --json, and its exit code. */
async function audit(
  url: string,
  ...flags: string[]
): Promise<AuditReport & { readonly exitCode: unknown }> {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await createProgram().parseAsync(['node', 'concordat', 'audit', url, ...flags, '--json']);
    const text = write.mock.calls.map(([part]) => String(part)).join('');
    return { ...JSON.parse(text), exitCode: process.exitCode };
  } finally {
    write.mockRestore();
    process.exitCode = undefined;
  }
}

const wordsOf = ({ unchecked }: AuditReport): string[] => unchecked.map(({ what }) => what).sort();

describe('of a coordinator and an auditor at work', () => {
  it('verifies log, releases, receipts and manifests, and says what is not published', async () => {
    expect(header.sealed).toBeDefined();
    const logUrl = new URL('/v1/log/', federation.url).href;
    for (const url of [federation.url, logUrl]) {
      const report = await audit(url, '--manifest', manifestFile());
      expect(report).toMatchObject({ ok: true, faults: [], releases: 1, exitCode: undefined });
      expect(report.entries).toBe(report.size);
      expect(wordsOf(report)).toEqual([
        'history of checkpoints and record file',
        'questions and contributions of rounds',
      ]);
    }
    const auditor = await audit(federation.auditorUrl, '--manifest', manifestFile());
    expect(auditor).toMatchObject({ ok: true, releases: 0 });
    expect(auditor.unchecked).toContainEqual(
      expect.objectContaining({ what: 'seeds of masks', count: AGENCIES.length }),
    );
  });

  it('takes up manifests that are newer than the one it was given', async () => {
    expect(await audit(federation.url, '--manifest', olderManifest())).toMatchObject({ ok: true });
  });

  it('finds the same in the folder, rounds included', async () => {
    const report = await auditFolder(federation.folder(COORDINATOR));
    expect(report).toMatchObject({ ok: true, faults: [], unchecked: [] });
  });

  it('serves the tiles of C2SP and nothing beside them', async () => {
    for (const path of ['entries.rec', 'checkpoints.rec', 'tile/0/0', 'tile/0/%2e%2e/000']) {
      const { status } = await fetch(new URL(`/v1/log/${path}`, federation.url));
      expect({ path, status }).toEqual({ path, status: 404 });
    }
  });
});

/** What a host answers instead of a file. */
type Answer = (response: ServerResponse, bytes: Buffer) => void;

describe('of a host that is not to be trusted', () => {
  const files = new Map<string, Buffer>();
  const answers = new Map<string, Answer>();
  let server: Server;
  let url: string;

  beforeAll(async () => {
    for (const id of [...AGENCIES, AUDITOR, COORDINATOR]) await federation.stop(id);
    for (const part of ['log', 'blobs']) {
      const dir = join(federation.folder(COORDINATOR), part);
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!statSync(join(dir, name)).isFile()) continue;
        const path = part === 'log' ? name : name.split('/').at(-1);
        files.set(`/${part}/${path}`, readFileSync(join(dir, name)));
      }
    }
    server = createServer((request, response) => {
      const path = request.url ?? '';
      const bytes = files.get(path);
      const answer = answers.get(path);
      if (answer) answer(response, bytes ?? Buffer.alloc(0));
      else response.writeHead(bytes ? 200 : 404).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** The host's log under limits that a test can wait for. */
  const judge = (changed: Readonly<Record<string, Answer>>): Promise<AuditReport> => {
    answers.clear();
    for (const [path, answer] of Object.entries(changed)) answers.set(path, answer);
    const history = openManifestHistory(manifestFile(), undefined);
    const keys = keysOf(history.manifest, COORDINATOR);
    const limits = { silenceMs: 2_000, fileMs: 4_000, attempts: 2 };
    return auditPublishedLog(
      { logUrl: new URL(url), keys, history, limits, maxBlobBytes: 1 << 20 },
      {},
    );
  };
  const release = (): string => createHash('sha256').update(headerBytes()).digest('hex');
  const headerBytes = (): Buffer =>
    [...files.values()].find(
      (bytes) => bytes.includes(`"round":"${header.round}"`) && bytes.includes('"classes"'),
    ) as Buffer;
  const receipt = (): string =>
    header.coverage.find(({ status }) => status === 'answered')?.receipt as string;
  const column = (): string => header.groups[0]?.estimate as string;
  const flip: Answer = (response, bytes) => {
    const changed = Buffer.from(bytes);
    changed[changed.length >> 1] = (changed[changed.length >> 1] as number) ^ 1;
    response.end(changed);
  };

  it('verifies an honest copy', async () => {
    expect(await judge({})).toMatchObject({ ok: true, faults: [], releases: 1 });
  });

  it.each<[string, Answer, string]>([
    ['altered', flip, 'blob-corrupt'],
    ['cut short', (response, bytes) => response.end(bytes.subarray(0, -1)), 'blob-corrupt'],
    ['empty', (response) => response.end(), 'blob-corrupt'],
    [
      'broken off',
      (response, bytes) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, -1), () => response.destroy());
      },
      'blob-unreachable',
    ],
    [
      'sent elsewhere',
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'blob-redirected',
    ],
    ['never sent', () => {}, 'blob-unreachable'],
    [
      'dripped',
      (response) => {
        const drip = setInterval(() => response.write('x'), 200);
        response.on('close', () => clearInterval(drip));
      },
      'blob-unreachable',
    ],
    [
      'without end',
      (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
        };
        response.on('drain', more);
        more();
      },
      'blob-too-large',
    ],
    ['refused', (response) => response.writeHead(500).end(), 'blob-unreachable'],
    [
      'put off for ever',
      (response) => response.writeHead(429, { 'retry-after': '0' }).end(),
      'blob-unreachable',
    ],
  ])('names a blob that is %s', async (how, answer, kind) => {
    // what takes time is tried once
    const isSlow = ['never sent', 'dripped'].includes(how);
    for (const hash of isSlow ? [receipt()] : [receipt(), column()]) {
      const { ok, faults } = await judge({ [`/blobs/${hash}`]: answer });
      expect({ ok, faults }).toEqual({ ok: false, faults: [{ at: `blobs/${hash}`, kind }] });
    }
  });

  it('names a blob that is gone where it is missed', async () => {
    const at = `entry ${JSON.stringify(await entryOf('round.released'))}`;
    const gone: Answer = (response) => response.writeHead(404).end();
    expect((await judge({ [`/blobs/${release()}`]: gone })).faults).toEqual([
      { at, kind: 'blob-missing' },
    ]);
    for (const hash of [receipt(), column(), header.sealed?.unmasked as string]) {
      expect((await judge({ [`/blobs/${hash}`]: gone })).faults).toEqual([
        { at: `${at} blob ${hash}`, kind: 'blob-missing' },
      ]);
    }
  });

  it('waits for a host that asks for patience', async () => {
    let asked = 0;
    const report = await judge({
      [`/blobs/${column()}`]: (response, bytes) => {
        asked += 1;
        if (asked > 1) response.end(bytes);
        else response.writeHead(503, { 'retry-after': '0' }).end();
      },
    });
    expect({ ok: report.ok, asked }).toEqual({ ok: true, asked: 2 });
  });

  it('stops asking a host that fails again and again, and counts what it did not ask for', async () => {
    const no: Answer = (response) => response.writeHead(500).end();
    const parts = [...files.keys()].filter((path) => path.startsWith('/blobs/'));
    const kept = `/blobs/${release()}`;
    const report = await judge(
      Object.fromEntries(parts.filter((path) => path !== kept).map((path) => [path, no])),
    );
    // four are asked at a time
    expect(report.faults.length).toBeGreaterThanOrEqual(3);
    expect(report.faults.length).toBeLessThan(7);
    expect(new Set(report.faults.map(({ kind }) => kind))).toEqual(new Set(['blob-unreachable']));
    expect(report.unchecked).toContainEqual(
      expect.objectContaining({ what: 'blobs', count: expect.any(Number) }),
    );
  });

  it('finds a byte changed in any file of the log, and none of them too large to be one', async () => {
    const size = files.get('/log/checkpoint')?.toString('utf8').split('\n')[1];
    const endless: Answer = (response) => response.end(Buffer.alloc(20 << 20));
    for (const path of [`tile/0/000.p/${size}`, `tile/entries/000.p/${size}`]) {
      expect((await judge({ [`/log/${path}`]: flip })).ok).toBe(false);
      const large = await judge({ [`/log/${path}`]: endless });
      expect(large.faults).toContainEqual({ at: path, kind: 'file-too-large' });
      const gone = await judge({ [`/log/${path}`]: (response) => response.writeHead(404).end() });
      expect(gone.ok).toBe(false);
    }
    const other = await judge({
      '/log/checkpoint': (response, bytes) =>
        response.end(bytes.toString('utf8').replace(`\n${size}\n`, `\n${Number(size) - 1}\n`)),
    });
    expect(other.faults).toContainEqual({ at: 'checkpoint', kind: 'checkpoint-signature' });
  });

  it('takes a mirror of the log alone only where it is said, and says so', async () => {
    const blobs = new Map([...files].filter(([path]) => path.startsWith('/blobs/')));
    answers.clear();
    for (const path of blobs.keys()) files.delete(path);
    try {
      const whole = await audit(url, '--manifest', manifestFile());
      expect(whole).toMatchObject({ ok: false, exitCode: 1 });
      expect(new Set(whole.faults.map(({ kind }) => kind))).toEqual(new Set(['blob-missing']));
      const alone = await audit(url, '--manifest', manifestFile(), '--log-only');
      expect(alone).toMatchObject({ ok: true });
      expect(wordsOf(alone)).toContain('blobs');
    } finally {
      for (const [path, bytes] of blobs) files.set(path, bytes);
    }
  });

  it('tells that signatures were not verified where only a key of the log was given', async () => {
    answers.clear();
    const history = openManifestHistory(manifestFile(), undefined);
    const [key = ''] = keysOf(history.manifest, COORDINATOR).logKeys;
    const report = await audit(url, '--key', key);
    expect(wordsOf(report)).toContain('signatures on releases and manifests');
  });

  it('judges what an agency publishes of its log, and tells of the policies and answers that it keeps', async () => {
    const dir = join(federation.folder('alpha-police'), 'log');
    const before = new Map(files);
    files.clear();
    try {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (statSync(join(dir, name)).isFile())
          files.set(`/log/${name}`, readFileSync(join(dir, name)));
      }
      const kept = await audit(url, '--manifest', manifestFile());
      expect(kept).toMatchObject({ ok: true, releases: 1 });
      expect(wordsOf(kept)).toEqual([
        'answers of the agency',
        'history of checkpoints and record file',
        'policies of the agency',
      ]);
      const policy = (await federation.entries('alpha-police')).flatMap((entry) =>
        entry.kind === 'policy.activated' ? [entry.policyDigest] : [],
      )[0] as string;
      const path = join(federation.folder('alpha-police'), 'blobs', policy.slice(0, 2), policy);
      files.set(`/blobs/${policy}`, readFileSync(path));
      expect(wordsOf(await audit(url, '--manifest', manifestFile()))).not.toContain(
        'policies of the agency',
      );
      files.set(`/blobs/${policy}`, Buffer.from('{}'));
      expect((await audit(url, '--manifest', manifestFile())).faults).toEqual([
        { at: `blobs/${policy}`, kind: 'blob-corrupt' },
      ]);
    } finally {
      files.clear();
      for (const [path, bytes] of before) files.set(path, bytes);
    }
  });

  it('ends with exit code 3 where nobody answers, and does not follow a checkpoint elsewhere', async () => {
    answers.clear();
    answers.set('/log/checkpoint', (response) =>
      response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end(),
    );
    await expect(audit(url, '--manifest', manifestFile())).rejects.toMatchObject({
      code: 'redirected',
    });
    await expect(audit('http://127.0.0.1:9/', '--manifest', manifestFile())).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  /** Place in the log of the only entry of a kind. */
  const entryOf = async (kind: string): Promise<number> =>
    (await federation.entries(COORDINATOR)).findIndex((entry) => entry.kind === kind);
});
