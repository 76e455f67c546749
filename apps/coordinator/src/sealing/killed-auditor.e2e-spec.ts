/**
 * An auditor that is killed while it sums masks gives the same sums after its restart, and one that has given them gives no others: not for
 * another set of contributors, not for other answers of the same.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { parseCanonicalJson } from '#libs/bytes';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { loadSigningKey } from '#libs/keystore';
import {
  contentDigest,
  type SignedUnmasked,
  seal,
  signResponse,
  type Unmask,
  type UnmaskRefusal,
} from '#libs/protocol';
import { CATEGORIES } from '#libs/query';
import { AUDITOR, COORDINATOR, Federation, ServedProcess, streetFile } from '#libs/testing';
import { composeAgain, roundsOf } from '../rounds/compose-again.fixture-spec.js';

const AGENCIES = ['alpha-police', 'beta-police', 'gamma-council', 'delta-council'];
const centre = cellAt(51.4545, -2.5879, 9);
const PERIODS = ['2024-01', '2024-02'];
const QUESTION = { categories: CATEGORIES, periods: PERIODS, sealed: true as const };
/** How many sums of masks one question needs. */
const SUMS = CATEGORIES.length * PERIODS.length;

let federation: Federation | undefined;
let auditor: ServedProcess | undefined;
let clock: NodeJS.Timeout | undefined;
let impostor: Server | undefined;
afterEach(async () => {
  clearInterval(clock);
  await auditor?.end('SIGKILL');
  await federation?.close();
  impostor?.closeAllConnections();
  impostor?.close();
});

const open = (serve: boolean): Promise<Federation> =>
  Federation.open({
    agencies: AGENCIES.map((id, i) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(centre, i + 8)),
      files: {
        'street.csv': streetFile(
          PERIODS.map((month) => ({ month, type: 'Robbery', cell: centre })),
        ),
      },
    })),
    roundDeadlineSeconds: 240,
    serve,
  });

it('gives the same sums after a SIGKILL at any point of an unmasking', async () => {
  const opened = await open(false);
  federation = opened;
  // the auditor is a process of its own, with the clock of the machine
  opened.nowMs = Date.now();
  clock = setInterval(() => {
    opened.nowMs = Date.now();
  }, 50);
  await opened.startCoordinator();
  const startAuditor = async (): Promise<void> => {
    auditor = new ServedProcess('auditor', [
      ...['serve', '--dir', opened.folder(AUDITOR), '--coordinator', opened.url],
      ...['--port', new URL(opened.auditorUrl || 'http://127.0.0.1:0').port || '0'],
    ]);
    opened.auditorUrl = await auditor.ready;
  };
  await startAuditor();
  await Promise.all(AGENCIES.map((id) => opened.startNode(id)));
  for (const id of AGENCIES) await opened.untilConnected(id);

  const seeds = join(opened.folder(AUDITOR), 'seeds');
  const sums = join(opened.folder(AUDITOR), 'sums');
  const filesIn = (folder: string): number =>
    opened.filesOf(AUDITOR).filter((path) => path.startsWith(folder + sep)).length;
  let before = 0;
  const points: readonly (readonly [string, () => boolean])[] = [
    ['when the first sum is kept', () => filesIn(sums) > before],
    ['when half of the sums are kept', () => filesIn(sums) > before + SUMS / 2],
    ['when the seeds are destroyed', () => filesIn(sums) > before && filesIn(seeds) === 0],
  ];
  const rounds: string[] = [];
  for (const [i, [, isReached]] of points.entries()) {
    before = filesIn(sums);
    const id = await opened.submit({ ...QUESTION, rho: `1/${8 + i}` });
    rounds.push(id);
    while (!isReached()) await pause(1);
    await auditor?.end('SIGKILL');
    await startAuditor();
    expect(await opened.untilOver(id)).toMatchObject({ phase: 'released' });
  }
  await auditor?.end('SIGTERM');
  auditor = undefined;
  for (const id of AGENCIES) await opened.stop(id);
  await opened.stop(COORDINATOR);

  const states = roundsOf(await opened.entries(COORDINATOR)).filter(({ id }) =>
    rounds.includes(id),
  );
  const again = await composeAgain(opened, states);
  for (const { id, release } of states) expect(again.get(id)).toBe(release);
  expect(again.size).toBe(points.length);
  const log = await opened.entries(AUDITOR);
  const summed = log.flatMap((entry, i) =>
    entry.kind === 'round.unmasked' ? [{ round: entry.round, i }] : [],
  );
  expect(summed.map(({ round }) => round)).toEqual(rounds);
  // the first was killed before the log had its sums, the last afterwards
  const starts = log.flatMap(({ kind }, i) => (kind === 'started' ? [i] : []));
  expect(summed[0]?.i).toBeGreaterThan(starts[1] as number);
  expect(summed[2]?.i).toBeLessThan(starts[3] as number);
  for (const id of [AUDITOR, COORDINATOR]) expect((await opened.audit(id)).faults).toEqual([]);
});

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Stands in for a coordinator that breaks its word, with its key: asks for the sums in `asked`, and keeps what comes. */
async function breakWord(from: Federation, asked: readonly Unmask[]) {
  const key = loadSigningKey(join(from.folder(COORDINATOR), 'keys', 'signing.pem'));
  const unmasked: SignedUnmasked[] = [];
  const refused: UnmaskRefusal[] = [];
  const uploads: string[] = [];
  let next = 0;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const body = await bodyOf(request).catch(() => Buffer.alloc(0));
    let answer = '';
    if (pathname === '/v1/unmaskings') {
      const item = asked[next];
      answer = JSON.stringify({ items: item ? [seal('unmask', item, key)] : [] });
      if (!item) await pause(100);
    } else if (pathname.startsWith('/v1/vectors/')) {
      if (request.method === 'PATCH') uploads.push(pathname);
      answer = JSON.stringify({ offset: 0, complete: true });
    } else if (pathname.endsWith('/unmasked')) {
      unmasked.push(parseCanonicalJson(body) as unknown as SignedUnmasked);
      next += 1;
    } else if (pathname.endsWith('/unmask-refusal')) {
      refused.push((parseCanonicalJson(body) as unknown as { payload: UnmaskRefusal }).payload);
      next += 1;
    }
    const status = answer ? 200 : 204;
    const signed = signResponse(
      {
        status,
        contentDigest: contentDigest(Buffer.from(answer)),
        requestSignature: String(request.headers.signature),
      },
      COORDINATOR,
      Math.floor(from.nowMs / 1000),
      key,
    );
    response.writeHead(status, { ...signed });
    response.end(answer);
  });
  impostor = server;
  await new Promise<void>((resolve) =>
    server.listen(Number(new URL(from.url).port), '127.0.0.1', resolve),
  );
  while (next < asked.length) await pause(50);
  return { unmasked, refused, uploads };
}

it('gives no sum of another set of contributors, however it is asked', async () => {
  const opened = await open(true);
  federation = opened;
  const { header } = await opened.ask({ ...QUESTION, categories: ['robbery'] });
  const given = parseCanonicalJson(
    await opened.blob(header?.sealed?.unmasked ?? ''),
  ) as unknown as SignedUnmasked;
  const { sums, ...asked } = given.payload;
  const { contributors } = asked;
  expect(contributors.map(({ agency }) => agency)).toEqual(AGENCIES);
  await opened.stop(COORDINATOR);

  const without = (n: number) => contributors.filter((_, i) => i !== n);
  const altered = (member: 'answer' | 'masked') =>
    contributors.map((one, i) => (i === 0 ? { ...one, [member]: '0'.repeat(64) } : one));
  const [first, ...rest] = contributors as [Unmask['contributors'][number]];
  const sets: readonly (readonly [string, Unmask['contributors']])[] = [
    ...AGENCIES.map((_, i) => ['second-contributor-set', without(i)] as const),
    ['second-contributor-set', altered('answer')],
    ['second-contributor-set', altered('masked')],
    ['second-contributor-set', [...rest, first]],
    ['too-few-contributors', contributors.slice(0, 2)],
    ['wrong-contributors', [first, first, ...rest]],
  ];
  const came = await breakWord(opened, [
    ...sets.map(([, set]) => ({ ...asked, contributors: set })),
    { ...asked, round: 'f'.repeat(32) },
    { ...asked, fingerprint: '0'.repeat(64), contributors: without(0) },
    asked,
  ]);
  expect(came.refused.map(({ code }) => code)).toEqual([
    ...sets.map(([code]) => code),
    'seed-missing',
    'wrong-fingerprint',
  ]);
  // the one set that was summed is answered as it was, byte for byte
  expect(came.unmasked).toEqual([given]);
  expect(sums).toHaveLength(PERIODS.length);
  expect(came.uploads).toEqual([]);
  await opened.stop(AUDITOR);
  expect((await opened.audit(AUDITOR)).faults).toEqual([]);
});
