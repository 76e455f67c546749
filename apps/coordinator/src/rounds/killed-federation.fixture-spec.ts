/** A federation whose members are processes of their own, any of which can be killed and started again at its address. */
import { setTimeout as pause } from 'node:timers/promises';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import {
  AUDITOR,
  COORDINATOR,
  Federation,
  freePort,
  PrivateRedis,
  ServedProcess,
  streetFile,
} from '#libs/testing';

/** A start that takes longer than this on a busy machine hangs. */
const READY_MS = 240_000;
const POLL_MS = 50;
const PLACES = {
  'alpha-police': [51.4545, -2.5879],
  'beta-police': [51.5155, -0.0922],
  'gamma-council': [53.4808, -2.2426],
} as const;

export const AGENCIES = Object.keys(PLACES);
export const WORKER = 'worker';
export const REDIS = 'redis';

export const within = <T>(work: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes over ${READY_MS} ms`)), READY_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

export interface KilledFederationOptions {
  readonly isSealed: boolean;
  /** Whether jobs wait in a Redis for a worker; they run in the coordinator otherwise. */
  readonly onRedis: boolean;
  readonly roundDeadlineSeconds: number;
}

export class KilledFederation {
  /** Milliseconds from each start after a kill until the victim went on, by victim. */
  readonly goneOn = new Map<string, number[]>();
  private readonly running = new Map<string, ServedProcess>();

  private constructor(
    readonly federation: Federation,
    private readonly isSealed: boolean,
    private readonly redis: PrivateRedis | undefined,
  ) {}

  static async open(options: KilledFederationOptions): Promise<KilledFederation> {
    const redis = options.onRedis ? await PrivateRedis.start() : undefined;
    const federation = await Federation.open({
      agencies: AGENCIES.map((id) => {
        const [lat, lon] = PLACES[id as keyof typeof PLACES];
        const cell = cellAt(lat, lon, 9);
        const row = { month: '2024-01', type: 'Robbery', cell };
        return {
          id,
          domain: domainFromCells(`test/${id}`, disk(cell, 3)),
          files: { 'street.csv': streetFile([row, row, row]) },
        };
      }),
      limits: { rhoPerYear: '10000', queriesPerDay: 10_000 },
      roundDeadlineSeconds: options.roundDeadlineSeconds,
      serve: false,
    });
    const killed = new KilledFederation(federation, options.isSealed, redis);
    federation.url = `http://127.0.0.1:${await freePort()}`;
    federation.auditorUrl = `http://127.0.0.1:${await freePort()}`;
    try {
      for (const id of killed.members) if (id !== REDIS) await killed.start(id);
      return killed;
    } catch (error) {
      await killed.close();
      throw error;
    }
  }

  /** Everything that can be killed, in the order of the start. */
  get members(): readonly string[] {
    return [...(this.redis ? [REDIS] : []), COORDINATOR, AUDITOR, ...AGENCIES].concat(
      this.redis ? [WORKER] : [],
    );
  }

  /** SIGKILL, a new start, and how long it takes until the victim does again what it is for. */
  async kill(victim: string): Promise<void> {
    if (victim === REDIS) await this.redis?.kill();
    else await this.running.get(victim)?.end('SIGKILL');
    const started = Date.now();
    await this.start(victim);
    // a node goes on when it asks for its tasks again
    if (AGENCIES.includes(victim)) await within(this.heardSince(victim, started), victim);
    this.goneOn.set(victim, [...(this.goneOn.get(victim) ?? []), Date.now() - started]);
  }

  /** Asks like an analyst whose connection may break at any time; returns the id of the round when it came to be known. */
  async submit(rho: string): Promise<string | undefined> {
    const { federation } = this;
    federation.nowMs = Date.now();
    const question = {
      ...{ categories: ['robbery' as const], periods: ['2024-01'], resolution: 6, rho },
      ...(this.isSealed ? { sealed: true as const } : {}),
    };
    const { payload, ...signature } = federation.taskFor(AGENCIES[0] as string, question).assertion;
    try {
      const { submitQuery } = await federation.graphql<{ submitQuery: { id: string } }>(
        `mutation ($query: QueryInput!, $assertion: AssertionInput!) {
          submitQuery(query: $query, assertion: $assertion) { id } }`,
        {
          query: { ...question, purpose: 'hotspot-policing' },
          assertion: { ...payload, ...signature },
        },
      );
      return submitQuery.id;
    } catch {
      return undefined;
    }
  }

  /** Phase and release of a round; undefined while the coordinator does not say. */
  look(id: string): Promise<{ phase: string; release: string | null } | undefined> {
    return this.federation
      .graphql<{ round: { phase: string; release: string | null } | null }>(
        'query ($id: ID!) { round(id: $id) { phase release } }',
        { id },
      )
      .then(
        ({ round }) => round ?? undefined,
        () => undefined,
      );
  }

  /** Stops every process in order; the folders stay. */
  async stop(): Promise<void> {
    for (const process of this.running.values()) await process.end('SIGTERM');
    this.running.clear();
  }

  async close(): Promise<void> {
    for (const process of this.running.values()) await process.end('SIGKILL');
    await this.redis?.stop();
    await this.federation.close();
  }

  private async start(id: string): Promise<void> {
    if (id === REDIS) {
      await this.redis?.restart();
      return;
    }
    const process = this.processOf(id);
    this.running.set(id, process);
    const address = await within(process.ready, `the start of ${id}`);
    if (id === COORDINATOR) this.federation.url = address;
    if (id === AUDITOR) this.federation.auditorUrl = address;
  }

  private processOf(id: string): ServedProcess {
    const { url, auditorUrl } = this.federation;
    const portOf = (address: string): string => new URL(address).port;
    const env: Record<string, string> = this.redis ? { REDIS_URL: this.redis.url } : {};
    const dir = ['--dir', this.federation.folder(id === WORKER ? COORDINATOR : id)];
    if (id === WORKER) return new ServedProcess('coordinator', ['worker', ...dir], env);
    const serve = ['serve', ...dir];
    if (id === COORDINATOR)
      return new ServedProcess('coordinator', [...serve, '--port', portOf(url)], env);
    const dials = ['--coordinator', url];
    if (id === AUDITOR)
      return new ServedProcess('auditor', [...serve, ...dials, '--port', portOf(auditorUrl)]);
    return new ServedProcess('node', [...serve, ...dials, '--auditor', auditorUrl]);
  }

  private async heardSince(agency: string, atMs: number): Promise<void> {
    type Contacts = { agencies: { id: string; lastContactAt: string | null }[] };
    for (;;) {
      const seen = await this.federation
        .graphql<Contacts>('{ agencies { id lastContactAt } }')
        .catch(() => undefined);
      const last = seen?.agencies.find(({ id }) => id === agency)?.lastContactAt;
      if (last && Date.parse(last) >= atMs) return;
      await pause(POLL_MS);
    }
  }
}
