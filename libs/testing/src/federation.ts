/**
 * A whole federation for one test: coordinator, auditor and nodes in this process, on loopback sockets, over real folders, logs and
 * databases. Time and randomness are the test's; everything else is what runs in production. The applications are
 * loaded when a federation is opened, so that a spec which only wants a random source does not load them.
 */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { readJournal } from '#libs/journal';
import { createSigningKey, type SigningKey } from '#libs/keystore';
import { createLogger, type Logger, type RunningProcess } from '#libs/nest-kit';
import {
  type Assertion,
  type Manifest,
  manifestHash,
  type ReleaseHeader,
  seal,
  type Task,
} from '#libs/protocol';
import {
  type Category,
  canonicaliseQuery,
  fingerprint,
  type LinkedPeople,
  type Measure,
} from '#libs/query';
import type { IngestReport } from '#libs/records';
import { decodeEntry, type Entry } from '#libs/tlog';
import {
  ANALYST,
  AUDITOR,
  COORDINATOR,
  type FederationOptions,
  foundFederation,
  type TestAgency,
} from './found-federation.js';
import { type Apps, loadApps } from './load-apps.js';
import { seededRandom } from './seeded-random.js';

export { AUDITOR, COORDINATOR } from './found-federation.js';

const CONNECTED_WITHIN_MS = 120_000;
const FIRST_INSTANT = Date.parse('2024-09-02T09:00:00Z');

const DEFAULTS = { resolution: 9, rho: '1/8', purpose: 'hotspot-policing' };

type RoundProgress = Awaited<ReturnType<Apps['ask']>>;

export interface TestQuestion {
  readonly measure?: Measure;
  readonly categories: readonly Category[];
  readonly periods: readonly string[];
  readonly resolution?: number;
  readonly rho?: string;
  readonly purpose?: string;
  readonly agencies?: readonly string[];
  readonly linkage?: LinkedPeople;
  readonly sealed?: true;
}

/** What came of a question: `release` and its header, or the `code` of a round that was aborted. */
export interface Asked {
  readonly round: Pick<RoundProgress, 'id' | 'phase' | 'coverage'> & {
    readonly release: string | null;
    readonly code: string | null;
  };
  readonly header: ReleaseHeader | undefined;
}

/** A round as the coordinator shows it. */
export interface RoundSeen {
  readonly phase: string;
  readonly release: string | null;
  readonly code: string | null;
  readonly coverage: readonly {
    readonly agency: string;
    readonly status: string;
    readonly code: string | null;
  }[];
}

const POLL_MS = 50;
const OVER = new Set(['released', 'aborted', 'expired']);

/** A connection that is refused or breaks off is worth another attempt; what the coordinator answers is not. */
const unlessAway = (error: unknown): undefined => {
  if (error instanceof TypeError || error instanceof SyntaxError) return undefined;
  throw error;
};

export class Federation {
  /** Coordinator's address once it serves. */
  url = '';
  /** Auditor's address once it serves. */
  auditorUrl = '';
  nowMs = FIRST_INSTANT;
  /** Where the coordinator's jobs wait for workers, from its next start on; in its own process when undefined. */
  redisUrl: string | undefined;
  /** Log lines of every process, all levels. */
  readonly lines: string[] = [];
  private readonly running = new Map<string, RunningProcess>();

  private constructor(
    private readonly apps: Apps,
    /** Holds every process's folder, by its id. */
    readonly dir: string,
    readonly manifest: Manifest,
    readonly analystKey: SigningKey,
    private readonly random: RandomSource,
  ) {}

  /** Makes the folders, takes the files in and, unless told otherwise, starts every process. */
  static async open(options: FederationOptions): Promise<Federation> {
    const apps = await loadApps();
    const dir = await mkdtemp(join(tmpdir(), 'concordat-test-'));
    const analystKey = createSigningKey(join(dir, 'analyst.pem'));
    const manifest = await foundFederation(apps, dir, analystKey.publicKey, options);
    const random = seededRandom(options.seed ?? 'federation');
    const federation = new Federation(apps, dir, manifest, analystKey, random);
    federation.redisUrl = options.redisUrl;
    try {
      for (const { id, files, people } of options.agencies) {
        await federation.ingest(id, files);
        if (people === undefined) continue;
        const file = join(dir, `${id}-people.csv`);
        await writeFile(file, people);
        await apps.bringPeople(federation.folder(id), file, 'person_id', federation.nowMs);
      }
      if (options.serve ?? true) await federation.start();
      return federation;
    } catch (error) {
      await federation.close();
      throw error;
    }
  }

  folder(process: string): string {
    return join(this.dir, process);
  }

  get manifestHash(): string {
    return manifestHash(this.manifest);
  }

  /** Starts everything and waits until every node has told the coordinator what it holds. */
  async start(): Promise<void> {
    await this.startCoordinator();
    await this.startAuditor();
    await Promise.all(this.manifest.agencies.map(({ id }) => this.startNode(id)));
    for (const { id } of this.manifest.agencies) await this.untilConnected(id);
  }

  /** A coordinator that was stopped starts again at its address, which the nodes know. */
  async startCoordinator(): Promise<string> {
    const running = await this.apps.serveCoordinator(this.folder(COORDINATOR), {
      ...(this.url ? { port: Number(new URL(this.url).port) } : {}),
      nowMs: () => this.nowMs,
      logger: this.logger(COORDINATOR),
      redisUrl: this.redisUrl,
    });
    this.running.set(COORDINATOR, running);
    this.url = running.url;
    return running.url;
  }

  /** One that was stopped starts again at its address. */
  async startAuditor(coordinatorUrl: string = this.url): Promise<string> {
    const running = await this.apps.serveAuditor(this.folder(AUDITOR), {
      coordinatorUrl,
      ...(this.auditorUrl ? { port: Number(new URL(this.auditorUrl).port) } : {}),
      nowMs: () => this.nowMs,
      logger: this.logger(AUDITOR),
    });
    this.running.set(AUDITOR, running);
    this.auditorUrl = running.url;
    return running.url;
  }

  /** Throws what a node that does not start throws. */
  async startNode(id: string, coordinatorUrl: string = this.url): Promise<void> {
    const running = await this.apps.serveNode(this.folder(id), {
      coordinatorUrl,
      auditorUrl: this.auditorUrl || undefined,
      nowMs: () => this.nowMs,
      jitter: () => 0,
      random: this.random,
      logger: this.logger(id),
    });
    this.running.set(id, running);
  }

  async stop(process: string): Promise<void> {
    await this.running.get(process)?.stop();
    this.running.delete(process);
  }

  /** Takes files into the records of an agency whose node is not running. */
  async ingest(
    id: string,
    files: TestAgency['files'],
  ): Promise<Pick<IngestReport, 'files' | 'totals'>> {
    const folder = join(this.dir, 'downloads', id);
    await mkdir(folder, { recursive: true });
    const paths: string[] = [];
    for (const [name, content] of Object.entries(files)) {
      paths.push(join(folder, name));
      await writeFile(join(folder, name), content);
    }
    return this.apps.ingest(this.folder(id), paths, {
      nowMs: this.nowMs,
      categories: undefined,
      onProgress: () => {},
    });
  }

  /**
   * Asks as the test's analyst and waits for the end of the round. Throws the code of a question that opens no round. `onOpened` hears the
   * round's id at once.
   */
  async ask(question: TestQuestion, onOpened: (id: string) => void = () => {}): Promise<Asked> {
    let last: Asked['round'] | undefined;
    try {
      last = await this.apps.ask(
        this.url,
        { id: ANALYST, key: this.analystKey },
        { ...DEFAULTS, ...question },
        {
          nowMs: () => this.nowMs,
          onProgress: (round) => {
            if (!last) onOpened(round.id);
            last = round;
          },
        },
      );
    } catch (error) {
      if (last?.phase !== 'aborted' || !isConcordatError(error)) throw error;
    }
    const release = last?.release;
    if (!last || !release) return { round: last as Asked['round'], header: undefined };
    return { round: last, header: await this.apps.fetchRelease(this.url, release) };
  }

  /** Opens a round and returns its id, over as many attempts as it takes while the coordinator is away; each is a new assertion. */
  async submit(question: TestQuestion): Promise<string> {
    const anyAgency = this.manifest.agencies[0]?.id ?? '';
    for (;;) {
      const { payload, ...signature } = this.taskFor(anyAgency, question).assertion;
      const query = { ...DEFAULTS, ...question };
      const assertion = { ...payload, ...signature };
      const submitted = await this.graphql<{ submitQuery: { id: string } }>(
        `mutation ($query: QueryInput!, $assertion: AssertionInput!) {
          submitQuery(query: $query, assertion: $assertion) { id } }`,
        { query, assertion },
      ).catch(unlessAway);
      if (submitted) return submitted.submitQuery.id;
      await pause(POLL_MS);
    }
  }

  /** Waits until a round satisfies `holds`, over whatever outage of the coordinator. */
  async untilRound(id: string, holds: (round: RoundSeen) => boolean): Promise<RoundSeen> {
    for (;;) {
      const seen = await this.graphql<{ round: RoundSeen | null }>(
        'query ($id: ID!) { round(id: $id) { phase release code coverage { agency status code } } }',
        { id },
      ).catch(unlessAway);
      if (seen?.round && holds(seen.round)) return seen.round;
      await pause(POLL_MS);
    }
  }

  /** Waits for the end of a round. */
  untilOver(id: string): Promise<RoundSeen> {
    return this.untilRound(id, ({ phase }) => OVER.has(phase));
  }

  /** Text of the `cells.csv` that `--out` writes. */
  async cellsCsv(header: ReleaseHeader): Promise<string> {
    const path = join(this.dir, 'cells.csv');
    await rm(path, { force: true });
    await this.apps.writeCellsCsv(this.url, header, path, () => {});
    return readFileSync(path, 'utf8');
  }

  /** The task that the coordinator would put in an agency's inbox for this question, asked by the test's analyst. */
  taskFor(agency: string, question: TestQuestion): Task {
    const { manifest, manifestHash: pinned } = this;
    const query = canonicaliseQuery({
      version: 1,
      measure: 'incidents',
      grid: manifest.grid.name,
      gridHash: manifest.grid.hash,
      ...DEFAULTS,
      ...question,
    });
    const assertion: Assertion = {
      analyst: ANALYST,
      fingerprint: fingerprint(query),
      manifest: pinned,
      at: new Date(this.nowMs).toISOString(),
      nonce: randomBytes(16).toString('hex'),
    };
    return {
      round: randomBytes(16).toString('hex'),
      agency,
      query,
      fingerprint: fingerprint(query),
      assertion: seal('assertion', assertion, this.analystKey),
      manifest: pinned,
      deadline: new Date(this.nowMs + 60_000).toISOString(),
    };
  }

  /** Everything that a process has logged durably, also after its newest checkpoint. */
  async entries(process: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const { bytes } of readJournal(join(this.folder(process), 'log'), {
      unsigned: true,
    }))
      entries.push(decodeEntry(bytes));
    return entries;
  }

  /** What `concordat audit` finds in the folder of a process. */
  audit(process: string): ReturnType<Apps['auditFolder']> {
    return this.apps.auditFolder(this.folder(process));
  }

  /** A GraphQL reply as it comes. */
  async graphql<T>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const response = await fetch(new URL('/graphql', this.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const reply = (await response.json()) as { data?: T; errors?: { message: string }[] };
    if (reply.errors?.[0]) throw new Error(reply.errors[0].message);
    return reply.data as T;
  }

  /** Bytes of a part of a release, from the coordinator. */
  async blob(hash: string): Promise<Uint8Array> {
    const response = await fetch(new URL(`/v1/blobs/${hash}`, this.url));
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Every file that a process keeps. */
  filesOf(process: string): string[] {
    return readdirSync(this.folder(process), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  }

  async untilConnected(id: string): Promise<void> {
    for (let waitedMs = 0; waitedMs < CONNECTED_WITHIN_MS; waitedMs += 50) {
      const { agencies } = await this.graphql<{
        agencies: { id: string; lastContactAt: string | null }[];
      }>('{ agencies { id lastContactAt } }');
      if (agencies.find((agency) => agency.id === id)?.lastContactAt) return;
      await pause(50);
    }
    throw new ConcordatError('node-not-connected', `${id} did not reach the coordinator`);
  }

  /** Stops every process and removes the folders. */
  async close(): Promise<void> {
    const nodes = [...this.running.keys()].filter((name) => name !== COORDINATOR);
    await Promise.all(nodes.map((name) => this.stop(name)));
    await this.stop(COORDINATOR);
    await rm(this.dir, { recursive: true, force: true });
  }

  private logger(process: string): Logger {
    const write = (line: string): void => {
      this.lines.push(line);
    };
    return createLogger(process, 'trace', { write });
  }
}
