/**
 * What leaves a node: receipts, vectors of the declared size, offers, checkpoints, and nothing else. Distinctive texts stand in every raw
 * field, in file names and in rejected rows and files; none of them, nor a digest of one, may appear in what the real node
 * process sends or prints, nor in anything that another process keeps.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromUtf8, sha256Hex } from '#libs/bytes';
import { buildTree, cellAt, disk, domainFromCells } from '#libs/grid';
import { CheckpointPost, SignedContribution, SignedOffer } from '#libs/protocol';
import {
  type Asked,
  AUDITOR,
  COORDINATOR,
  Federation,
  type RecordedRequest,
  RecordingProxy,
  RunningProgram,
  STREET_COLUMNS,
  type StreetRow,
  streetFile,
} from '#libs/testing';

const AGENCY = 'alpha-police';
const NODE = 'dist/apps/node/src/main.js';
const bristol = cellAt(51.4545, -2.5879, 9);
const domain = domainFromCells('test/alpha', disk(bristol, 4));

const canary = (place: string): string => `Zq7canary${place.replaceAll(/\W/g, '')}9Kx`;
const fieldCanaries = STREET_COLUMNS.map(canary);
const FILE_CANARY = canary('FileName');
const HEADER_CANARY = canary('Header');
const canaries = [...fieldCanaries, FILE_CANARY, HEADER_CANARY];

/** Canaries in every column that a row is accepted with, and in each of the others in a row that is rejected for it. */
const marked = (columns: readonly string[]): NonNullable<StreetRow['fields']> =>
  Object.fromEntries(columns.map((column) => [column, canary(column)]));
const READ = ['Month', 'Longitude', 'Latitude', 'Crime type'];
const plain = { month: '2024-01', type: 'Robbery', cell: bristol };
const street = streetFile([
  { ...plain, fields: marked(STREET_COLUMNS.filter((column) => !READ.includes(column))) },
  ...READ.map((column): StreetRow => ({ ...plain, fields: marked([column]) })),
]);

let federation: Federation;
let proxy: RecordingProxy;
let asked: Asked;
/** What the processes of the node printed. */
const printed = { ingestStderr: '', serveStdout: '', serveStderr: '' };

beforeAll(async () => {
  federation = await Federation.open({
    agencies: [{ id: AGENCY, domain, files: {} }],
    serve: false,
  });
  // The real node process runs on the machine's clock.
  federation.nowMs = Date.now();
  const downloads = join(federation.dir, 'downloads');
  mkdirSync(downloads, { recursive: true });
  const files = {
    [`${FILE_CANARY}-street.csv`]: street,
    [`${FILE_CANARY}-second.csv`]: street.replace('Month', HEADER_CANARY),
    [`${FILE_CANARY}-third.csv`]: street.replace('Month', `"${HEADER_CANARY}`),
    [`${FILE_CANARY}-fourth.csv.gz`]: `not gzip ${HEADER_CANARY}`,
  };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(downloads, name), content);

  const ingest = new RunningProgram(
    ['ingest', '--dir', federation.folder(AGENCY), '--refused-ok', downloads],
    NODE,
  );
  const { code } = await ingest.ended;
  expect({ code, stderr: ingest.stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  printed.ingestStderr = ingest.stderr;

  await federation.startCoordinator();
  await federation.startAuditor();
  proxy = await RecordingProxy.open(federation.url);
  const node = new RunningProgram(
    ['serve', '--dir', federation.folder(AGENCY), '--coordinator', proxy.url],
    NODE,
  );
  try {
    await federation.untilConnected(AGENCY);
    federation.nowMs = Date.now();
    asked = await federation.ask({ categories: ['robbery', 'asb'], periods: ['2024-01'] });
    // A question that is refused, and one that nobody holds.
    await federation.ask({ categories: ['robbery'], periods: ['2024-01'], rho: '1/2' });
    await federation.ask({ categories: ['robbery'], periods: ['2020-01'] });
  } finally {
    node.kill('SIGTERM');
    await node.ended;
  }
  printed.serveStdout = node.stdout;
  printed.serveStderr = node.stderr;
});
afterAll(async () => {
  await proxy?.close();
  await federation?.close();
});

/** Every canary as it would show itself: as it is, in other letters, and hashed without a key. */
const needles = canaries.flatMap((text) => {
  const digest = createHash('sha256').update(text).digest();
  return [
    text.toLowerCase(),
    digest.toString('hex'),
    digest.toString('base64').replaceAll('=', '').toLowerCase(),
    digest.toString('base64url').toLowerCase(),
  ];
});
/** The bytes as text, and every run in them that could be hex or base64, decoded. */
function readings(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const encoded = text.match(/[A-Za-z0-9+/_-]{12,}/g) ?? [];
  const decoded = encoded.flatMap((run) => [
    Buffer.from(run, 'base64').toString('latin1'),
    Buffer.from(run, 'hex').toString('latin1'),
  ]);
  return [text, ...decoded].join('\n').toLowerCase();
}
const found = (bytes: Buffer): string[] => {
  const text = readings(bytes);
  return needles.filter((needle) => text.includes(needle));
};
const unpacked = (path: string): Buffer => {
  const bytes = readFileSync(path);
  if (path.endsWith('.gz')) return gunzipSync(bytes);
  return path.endsWith('.br') ? brotliDecompressSync(bytes) : bytes;
};

const shapeOf = ({ method, path }: RecordedRequest): string =>
  `${method} ${path.replaceAll(/[0-9a-f]{32,64}/g, ':id').replaceAll(/=\d+/g, '=N')}`;

describe('what leaves a node', () => {
  it('answered, so that there was something to see', () => {
    expect(asked.round.coverage).toEqual([expect.objectContaining({ status: 'answered' })]);
    expect(found(Buffer.from(street))).not.toEqual([]);
    const base64 = Buffer.from(street).toString('base64');
    expect(found(Buffer.from(`{"payload":"${base64}"}`))).not.toEqual([]);
  });

  it('holds no canary: not in a byte sent, not in a line printed', () => {
    expect(found(proxy.bytes())).toEqual([]);
    expect(found(Buffer.from(printed.serveStdout + printed.serveStderr))).toEqual([]);
    expect(found(Buffer.from(printed.ingestStderr))).toEqual([]);
    expect(printed.serveStderr).toContain('answered');
  });

  it('holds no canary in anything that the other processes keep or log, nor in the log of the node', () => {
    const kept = [
      ...federation.filesOf(COORDINATOR),
      ...federation.filesOf(AUDITOR),
      ...federation.filesOf(join(AGENCY, 'log')),
      ...federation.filesOf(join(AGENCY, 'blobs')),
    ];
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.filter((path) => found(unpacked(path)).length > 0)).toEqual([]);
    expect(found(Buffer.from(federation.lines.join('\n')))).toEqual([]);
  });

  it('is receipts, vectors of the declared size and how far they came, refusals, offers, checkpoints, witnessing and polls, and nothing else', () => {
    const requests = proxy.requests();
    expect([...new Set(requests.map(shapeOf))].sort()).toEqual([
      'GET /v1/inbox?after=N&wait=N',
      'GET /v1/linkage/mail?after=N&wait=N',
      'GET /v1/manifests?after=N&wait=N',
      'GET /v1/vectors/:id',
      'GET /v1/witnessing?after=N&wait=N',
      'PATCH /v1/vectors/:id?offset=N&length=N',
      'POST /v1/checkpoints',
      'POST /v1/offers',
      'POST /v1/rounds/:id/contribution',
      'POST /v1/rounds/:id/refusal',
      'POST /v1/witnessing',
    ]);
    const bodies = (pattern: RegExp) => requests.filter(({ path }) => pattern.test(path));
    const json = ({ body }: RecordedRequest): unknown => JSON.parse(fromUtf8(body));
    for (const request of bodies(/inbox|linkage|manifests/)) expect(request.body).toHaveLength(0);
    for (const request of bodies(/offers/)) SignedOffer.parse(json(request));
    for (const request of bodies(/checkpoints/)) CheckpointPost.parse(json(request));

    const [contribution, ...otherContributions] = bodies(/contribution/).map((request) =>
      SignedContribution.parse(json(request)),
    );
    const [vector, ...otherVectors] = bodies(/vectors/).filter(({ method }) => method === 'PATCH');
    expect([otherContributions, otherVectors]).toEqual([[], []]);
    const { groups = [], receipt } = contribution?.payload ?? {};
    const { nodeCount } = buildTree(domain, { finest: 9 });
    expect(groups).toHaveLength(2);
    expect(vector?.body).toHaveLength(groups.length * nodeCount * Int32Array.BYTES_PER_ELEMENT);
    expect(sha256Hex(vector?.body ?? new Uint8Array())).toBe(receipt?.payload.valueDigest);
    expect(vector?.path).toBe(
      `/v1/vectors/${receipt?.payload.valueDigest}?offset=0&length=${vector?.body.length}`,
    );
  });

  it('has headers that say nothing of the machine or its data', () => {
    const names = proxy
      .requests()
      .flatMap(({ headers }) => headers.split('\r\n').slice(1))
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
    expect([...new Set(names)].sort()).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'connection',
      'content-digest',
      'content-length',
      'content-type',
      'host',
      'sec-fetch-mode',
      'signature',
      'signature-input',
      'user-agent',
    ]);
  });
});
