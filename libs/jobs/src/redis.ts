/** The Redis that carries a queue: reaching it, and whether it keeps what it acknowledged. */
import { Redis, type RedisOptions } from 'ioredis';
import { ConcordatError } from '#libs/bytes';

const CONNECT_WITHIN_MS = 5_000;
const COMMAND_WITHIN_MS = 5_000;
const LONGEST_RECONNECT_PAUSE_MS = 1_000;

const unavailable = (cause?: unknown): ConcordatError =>
  new ConcordatError(
    'queue-unavailable',
    'Redis does not answer; start it, or unset REDIS_URL to run jobs in the process itself',
    { cause },
  );

/** Throws `malformed-redis-url`. */
function optionsOf(url: string) {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw malformed();
  }
  if (!['redis:', 'rediss:'].includes(parsed.protocol) || parsed.hostname === '') throw malformed();
  return {
    connectTimeout: CONNECT_WITHIN_MS,
    lazyConnect: true,
    retryStrategy: (times: number) => Math.min(times * 100, LONGEST_RECONNECT_PAUSE_MS),
  } satisfies RedisOptions;
}

const malformed = (): ConcordatError =>
  new ConcordatError(
    'malformed-redis-url',
    'REDIS_URL is redis://HOST:PORT/DB, or rediss:// for TLS',
  );

/** A connection whose commands fail at once while Redis is away. Rejects with `queue-unavailable` or `malformed-redis-url`. */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    ...optionsOf(url),
    commandTimeout: COMMAND_WITHIN_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  });
  // outages are told by the commands that meet them
  redis.on('error', () => undefined);
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    throw unavailable(cause);
  }
  return redis;
}

/** A connection that waits for Redis as long as it takes, as bullmq's workers need it. */
export async function connectWaitingRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, { ...optionsOf(url), maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    throw unavailable(cause);
  }
  return redis;
}

/** Runs a command; whatever keeps it from being answered becomes `queue-unavailable`. */
export async function reachQueue<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (cause) {
    if (cause instanceof ConcordatError) throw cause;
    throw unavailable(cause);
  }
}

/** A setting that loses jobs. */
interface RedisFault {
  readonly setting: string;
  readonly found: string;
  /** Command that mends it, until Redis is started again. */
  readonly remedy: string;
}

/** Settings under which Redis must run so that an acknowledged job outlives it, each with the values that do. */
const DURABLE: readonly (readonly [setting: string, accepted: readonly string[]])[] = [
  ['maxmemory-policy', ['noeviction']],
  ['appendonly', ['yes']],
  ['appendfsync', ['everysec', 'always']],
];

/**
 * What is wrong with the settings of the Redis at `url` for a queue; nothing, when it evicts no key and appends every write to a file.
 * Rejects with `queue-unavailable`, also when it does not let its settings be read, or `malformed-redis-url`.
 */
export async function redisFaults(url: string): Promise<RedisFault[]> {
  const redis = await connectRedis(url);
  try {
    return await reachQueue(async () => {
      const faults: RedisFault[] = [];
      for (const [setting, accepted] of DURABLE) {
        const [, found = 'unknown'] = (await redis.config('GET', setting)) as string[];
        const [wanted = ''] = accepted;
        if (!accepted.includes(found)) {
          faults.push({ setting, found, remedy: `CONFIG SET ${setting} ${wanted}` });
        }
      }
      return faults;
    });
  } finally {
    redis.disconnect();
  }
}

/** Throws `redis-loses-jobs` unless the Redis at `url` keeps every job that it acknowledged; else as `redisFaults`. */
export async function requireDurableRedis(url: string): Promise<void> {
  const [fault] = await redisFaults(url);
  if (!fault) return;
  throw new ConcordatError(
    'redis-loses-jobs',
    `Redis runs with ${fault.setting} ${fault.found} and loses jobs; in redis-cli: ${fault.remedy}, and the same in redis.conf`,
  );
}
