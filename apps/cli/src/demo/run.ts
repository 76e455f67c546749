/** The demo from empty folders to a release: what `npm start` does. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { bytesToHex, ConcordatError, isConcordatError } from '#libs/bytes';
import { hasErrno, makeFolders } from '#libs/host';
import { lockDirectory } from '#libs/journal';
import { parseCheckpoint } from '#libs/tlog';
import { ask, type RoundProgress } from '../ask.js';
import { graphql, reach } from '../graphql-client.js';
import { fetchRelease, writeCellsCsv } from '../release-files.js';
import { agenciesIn, type DemoAgency, loadAreas, sampleAgencies } from './agencies.js';
import { demoAnalytics } from './analytics.js';
import { type Children, eachAtOnce } from './children.js';
import { ANALYST, AUDITOR, COORDINATOR, prepareFederation } from './federation-folder.js';
import { assertLinkable, bringSyntheticPeople, DEMO_KEY_HOLDERS, runLinkage } from './linkage.js';
import type { Progress } from './progress.js';
import { assertAskable, demoQuestion, type Held } from './question.js';
import type { AgencyLine, DemoReport, TopCell } from './report.js';

export interface DemoOptions {
  readonly data: string | undefined;
  /** Holds every process's folder. */
  readonly dir: string;
  readonly out: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly categories: readonly string[] | undefined;
  /** Asks a sealed question, whatever the agencies. */
  readonly sealed: boolean;
  readonly port: number;
  readonly withLinkage: boolean;
}

export interface Demo {
  readonly report: DemoReport;
  readonly sentence: string;
  readonly interval: { readonly low: number; readonly high: number };
  readonly top: readonly TopCell[];
  readonly held: ReadonlyMap<string, Held>;
  readonly url: string;
  readonly auditorUrl: string;
}

const Summary = z.object({
  rows: z.int(),
  located: z.int(),
  noLocation: z.int(),
  outside: z.int(),
  duplicates: z.int(),
  rejected: z.record(z.string(), z.int()),
  categories: z.array(z.string()),
});
const IngestResult = z.object({
  files: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      code: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
  totals: Summary.omit({ categories: true }),
  months: z.array(z.string()),
  held: Summary.nullable(),
});
type IngestResult = z.infer<typeof IngestResult>;

const READY_WITHIN_MS = 30_000;
/** A round that waits for a disk or an agency says nothing by itself. */
const SILENT_MS = 60_000;

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

/** Runs the whole demo once and leaves its servers up, for the caller to stop through `children`. */
export async function runDemo(
  options: DemoOptions,
  progress: Progress,
  children: Children,
): Promise<Demo> {
  const startedMs = performance.now();
  assertAskable(options);
  const areas = loadAreas();
  const agencies =
    options.data === undefined ? sampleAgencies(areas) : agenciesIn(options.data, areas);
  if (options.withLinkage) assertLinkable(agencies);
  const { dir } = options;
  await assertPortFree(options.port);
  makeFolders(dir);
  await holdFolder(dir);
  progress.say(`making keys and folders for ${agencies.length} agencies in ${dir}`);
  const analystKey = await prepareFederation(
    dir,
    agencies,
    areas,
    children,
    options.withLinkage ? DEMO_KEY_HOLDERS : undefined,
    options.port,
  );
  const url = await children.serve(COORDINATOR, 'coordinator', [
    'serve',
    ...['--dir', join(dir, COORDINATOR), '--port', String(options.port)],
  ]);
  const ingested = await ingestAll(dir, agencies, children, progress);
  if (options.withLinkage) await bringSyntheticPeople(dir, children);
  const auditorUrl = await children.serve(AUDITOR, 'auditor', [
    'serve',
    ...['--dir', join(dir, AUDITOR), '--coordinator', url],
  ]);
  await eachAtOnce(agencies, async ({ id }) => {
    await children.serve(id, 'node', [
      'serve',
      '--dir',
      join(dir, id),
      '--coordinator',
      url,
      '--auditor',
      auditorUrl,
    ]);
  });
  await untilConnected(url, agencies.length);
  progress.say(`${agencies.length} nodes have dialled the coordinator at ${url}`);

  const held = new Map<string, Held>(
    [...ingested].map(([id, { months, held: summary }]) => [
      id,
      { months, categories: summary?.categories ?? [] },
    ]),
  );
  const question = demoQuestion([...held.values()], {
    ...options,
    ownData: options.data !== undefined,
  });
  progress.say(
    `asking for ${counted(question.categories.length, 'category', 'categories')} in ${counted(question.periods.length, 'month', 'months')} at resolution ${question.resolution}`,
  );
  const silence = setTimeout(() => {
    progress.say(
      `nothing new for a minute; what may hinder it: npx concordat doctor ${join(dir, COORDINATOR)}`,
    );
  }, SILENT_MS);
  const say = reportRound(progress);
  const round = await ask(url, { id: ANALYST, key: analystKey }, question, {
    nowMs: Date.now,
    onProgress: (state) => {
      if (say(state)) silence.refresh();
    },
  }).finally(() => clearTimeout(silence));
  const release = await readRelease(url, round.release);
  const linkage = options.withLinkage
    ? await runLinkage(dir, url, analystKey, progress)
    : undefined;
  const report: DemoReport = {
    release: {
      id: release.id,
      fingerprint: release.fingerprint,
      grid: release.grid,
      gridHash: release.gridHash,
      resolution: release.resolution,
      categories: release.categories,
      periods: release.periods,
      sealed: release.sealed,
    },
    agencies: agencies.map(({ id }) => agencyLine(id, round, ingested.get(id))),
    total: {
      estimate: release.total.estimate,
      standardError: release.total.standardError,
      integer: release.total.integer,
    },
    cells: { domain: release.domainCells, nonZero: release.nonZeroCells },
    privacy: release.privacy,
    analytics: await demoAnalytics(url, release),
    logs: await readLogs(url),
    ...(linkage ? { linkage } : {}),
    elapsedMs: 0,
  };
  if (options.out !== undefined) await writeOut(url, release.id, options.out, progress);
  return {
    report: { ...report, elapsedMs: Math.round(performance.now() - startedMs) },
    sentence: release.sentence,
    interval: { low: release.total.low, high: release.total.high },
    top: await readTop(url, release.id, release.resolution),
    held,
    url,
    auditorUrl,
  };
}

/** Before anything is made: the coordinator would find a taken port only after keys and folders. Throws `port-taken`. */
async function assertPortFree(port: number): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    // whatever else hinders is the coordinator's to say
    if (!hasErrno(error, 'EADDRINUSE')) return;
    throw new ConcordatError(
      'port-taken',
      `port ${port} on 127.0.0.1 is taken; choose another with --port`,
    );
  }
  probe.close();
  await once(probe, 'close');
}

/** Keeps a second start out of the folder until this process ends. Throws `dir-in-use`. */
async function holdFolder(dir: string): Promise<void> {
  await lockDirectory(dir, Date.now()).catch((error: unknown) => {
    if (!isConcordatError(error, 'log-locked')) throw error;
    throw new ConcordatError(
      'dir-in-use',
      `another concordat start runs in ${dir}; stop it first, or give another --dir`,
    );
  });
}

async function ingestAll(
  dir: string,
  agencies: readonly DemoAgency[],
  children: Children,
  progress: Progress,
): Promise<Map<string, IngestResult>> {
  const results = new Map<string, IngestResult>();
  await eachAtOnce(agencies, async (agency) => {
    results.set(agency.id, await ingestOne(dir, agency, children, progress));
  });
  progress.ingested();
  for (const { id } of agencies) {
    const { files = [], held } = results.get(id) ?? {};
    progress.say(
      `${id} holds ${counted(held?.rows ?? 0, 'row', 'rows')} from ${counted(files.length, 'file', 'files')}, at home`,
    );
    for (const { name, status, code, message } of files) {
      if (status === 'refused') progress.say(`${id}: ${name} was refused (${code}): ${message}`);
    }
  }
  return results;
}

async function ingestOne(
  dir: string,
  agency: DemoAgency,
  children: Children,
  progress: Progress,
): Promise<IngestResult> {
  let report: unknown;
  await children.run(
    agency.id,
    'node',
    [
      'ingest',
      '--dir',
      join(dir, agency.id),
      '--refused-ok',
      '--categories',
      agency.categories.join(),
      ...agency.files,
    ],
    (message) => {
      if (message.type === 'ingested') report = message.report;
      if (message.type === 'progress') {
        const [rows, file, fileCount] = [message.rows, message.file, message.fileCount].map(Number);
        progress.ingest(agency.id, file ?? 0, fileCount ?? 0, rows ?? 0);
      }
    },
  );
  const parsed = IngestResult.safeParse(report);
  if (!parsed.success)
    throw new ConcordatError('child-failed', `${agency.id} did not report its ingest`);
  return parsed.data;
}

/** Waits until every node has told the coordinator what it holds. */
async function untilConnected(url: string, expected: number): Promise<void> {
  const Agencies = z.object({
    agencies: z.array(z.object({ lastContactAt: z.string().nullable() })),
  });
  for (let waitedMs = 0; ; waitedMs += 100) {
    const { agencies } = await graphql(url, '{ agencies { lastContactAt } }', {}, Agencies);
    if (agencies.filter(({ lastContactAt }) => lastContactAt !== null).length === expected) return;
    if (waitedMs > READY_WITHIN_MS) {
      throw new ConcordatError(
        'node-not-connected',
        'a node did not reach the coordinator; see its folder for its settings',
      );
    }
    await pause(100);
  }
}

/** Says each new state once; returns whether it was new. */
const reportRound = (progress: Progress): ((round: RoundProgress) => boolean) => {
  let last = '';
  return ({ phase, coverage }) => {
    const waiting = coverage.filter(({ status }) => status === 'waiting').length;
    const text =
      phase === 'offered' || phase === 'collecting'
        ? `${coverage.length - waiting} of ${coverage.length} agencies have answered`
        : `round ${phase}`;
    const isNew = text !== last;
    if (isNew) progress.say(text);
    last = text;
    return isNew;
  };
};

function agencyLine(
  id: string,
  round: RoundProgress,
  ingested: IngestResult | undefined,
): AgencyLine {
  const coverage = round.coverage.find(({ agency }) => agency === id);
  const { rows, located, noLocation, outside, duplicates, ...held } = ingested?.held ??
    ingested?.totals ?? {
      rows: 0,
      located: 0,
      noLocation: 0,
      outside: 0,
      duplicates: 0,
      rejected: {},
    };
  const rejected: Record<string, number> = { ...held.rejected };
  for (const { status, code = 'refused' } of ingested?.files ?? []) {
    if (status === 'refused') rejected[code] = (rejected[code] ?? 0) + 1;
  }
  return {
    id,
    status: coverage?.status ?? 'not-asked',
    code: coverage?.code ?? null,
    rows,
    located,
    noLocation,
    outside,
    duplicates,
    rejected,
    rhoSpent: coverage?.rhoSpent ?? '0',
  };
}

const Estimate = {
  estimate: z.number(),
  standardError: z.number(),
  low: z.number(),
  high: z.number(),
  integer: z.int(),
};
const ReleaseReply = z.object({
  release: z.object({
    id: z.string(),
    fingerprint: z.string(),
    sentence: z.string(),
    grid: z.string(),
    gridHash: z.string(),
    resolution: z.int(),
    categories: z.array(z.string()),
    periods: z.array(z.string()),
    sealed: z.boolean(),
    domainCells: z.int(),
    nonZeroCells: z.int(),
    privacy: z.object({
      unit: z.string(),
      rho: z.string(),
      epsilon: z.number(),
      delta: z.number(),
    }),
    total: z.object(Estimate),
  }),
});

const readRelease = async (url: string, id: string) =>
  (
    await graphql(
      url,
      `query ($id: ID!) { release(id: $id) {
        id fingerprint sentence grid gridHash resolution categories periods sealed domainCells nonZeroCells
        privacy { unit rho epsilon delta } total { estimate standardError low high integer }
      } }`,
      { id },
      ReleaseReply,
    )
  ).release;

const readTop = async (url: string, id: string, resolution: number): Promise<TopCell[]> =>
  (
    await graphql(
      url,
      `query ($id: ID!, $resolution: Int!) { cells(release: $id, resolution: $resolution, orderBy: "estimate", first: 10) {
        nodes { id estimate standardError low high integer }
      } }`,
      { id, resolution },
      z.object({ cells: z.object({ nodes: z.array(z.object({ id: z.string(), ...Estimate })) }) }),
    )
  ).cells.nodes;

/** Newest checkpoint of every log of the federation, as the coordinator relays them. */
async function readLogs(url: string): Promise<DemoReport['logs']> {
  const Relayed = z.object({
    checkpoints: z.array(z.object({ origin: z.string(), note: z.string() })),
  });
  const reply = Relayed.parse(await (await reach(new URL('/v1/checkpoints', url))).json());
  return reply.checkpoints
    .map(({ note }) => parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1)))
    .map(({ origin, size, root }) => ({ origin, size: Number(size), root: bytesToHex(root) }))
    .sort((a, b) => (a.origin < b.origin ? -1 : 1));
}

async function writeOut(url: string, id: string, out: string, progress: Progress): Promise<void> {
  makeFolders(out);
  const path = join(out, 'cells.csv');
  rmSync(path, { force: true });
  progress.say(`writing ${path}`);
  const rows = await writeCellsCsv(url, await fetchRelease(url, id), path, (done, total) => {
    progress.part('writing', done, total);
  });
  progress.say(`wrote ${rows} cells, categories and periods to ${path}`);
}
