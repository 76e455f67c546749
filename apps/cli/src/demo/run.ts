/** The demo from empty folders to a release: what `npm start` does. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { hasErrno, makeFolders } from '#libs/host';
import { lockDirectory } from '#libs/journal';
import { ask, type RoundProgress } from '../ask.js';
import { graphql } from '../graphql-client.js';
import { fetchRelease, writeCellsCsv } from '../release-files.js';
import { agenciesIn, loadAreas, sampleAgencies } from './agencies.js';
import { demoAnalytics } from './analytics.js';
import { type Children, eachAtOnce } from './children.js';
import { ANALYST, AUDITOR, COORDINATOR, prepareFederation } from './federation-folder.js';
import { counted, type IngestResult, ingestAll } from './ingest.js';
import { assertLinkable, bringSyntheticPeople, DEMO_KEY_HOLDERS, runLinkage } from './linkage.js';
import type { Progress } from './progress.js';
import { assertAskable, demoQuestion, type Held } from './question.js';
import type { AgencyLine, DemoReport, TopCell } from './report.js';
import { readLogs, readRelease, readTop } from './served.js';

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
  /** Ends the waiting for answers that will not come any more. */
  readonly signal: AbortSignal;
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

const READY_WITHIN_MS = 30_000;
/** A round that waits for a disk or an agency says nothing by itself. */
const SILENT_MS = 60_000;

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
    signal: options.signal,
    onProgress: (state) => {
      if (say(state)) silence.refresh();
    },
  }).finally(() => clearTimeout(silence));
  const release = await readRelease(url, round.release);
  const linkage = options.withLinkage
    ? await runLinkage(dir, url, analystKey, progress, options.signal)
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
