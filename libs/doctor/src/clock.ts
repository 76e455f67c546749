import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, fail, ok, warn } from './finding.js';

/** Signed requests older or younger than 300 s are refused by the other side. */
const REFUSED_SKEW_MS = 300_000;
const NOTABLE_SKEW_MS = 10_000;
/** Clocks of one machine differ by less, even where another machine keeps its files. */
const FILE_SLACK_MS = 60_000;
const TIMEOUT_MS = 3_000;

const newestFileMs = (dirs: readonly string[]): number =>
  Math.max(
    0,
    // a process that never ran has no log
    ...dirs
      .filter(existsSync)
      .flatMap((dir) =>
        readdirSync(dir).map(
          (name) => statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
        ),
      ),
  );

/** Difference to the Date header of a server, which has whole seconds; undefined when it is out of reach. */
async function skewMs(url: string, nowMs: () => number): Promise<number | undefined> {
  try {
    const response = await fetch(new URL('/healthz', url), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const theirs = Date.parse(response.headers.get('date') ?? '');
    return Number.isNaN(theirs) ? undefined : nowMs() - theirs;
  } catch {
    return undefined;
  }
}

/**
 * Whether this machine's clock can be right: not behind the files in `dirs` nor the log's newest entry (an ISO instant), and near
 * that of `url` when it answers.
 */
export async function checkClock(options: {
  readonly nowMs: () => number;
  readonly dirs: readonly string[];
  readonly newestEntryAt: string | undefined;
  readonly url: string | undefined;
}): Promise<Finding> {
  const { nowMs, url } = options;
  const todo = 'set the clock (NTP) before this process runs';
  const newest = Math.max(newestFileMs(options.dirs), Date.parse(options.newestEntryAt ?? '') || 0);
  if (newest > nowMs() + FILE_SLACK_MS) {
    const when = new Date(newest).toISOString();
    return fail('clock', `stands before what was written here at ${when}`, todo);
  }
  if (url === undefined) return ok('clock', 'not behind its own files and log');
  const skew = await skewMs(url, nowMs);
  if (skew === undefined)
    return ok('clock', 'not behind its own files and log; the coordinator is out of reach');
  const says = `${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead of'} the coordinator`;
  if (Math.abs(skew) > REFUSED_SKEW_MS) return fail('clock', says, todo);
  if (Math.abs(skew) > NOTABLE_SKEW_MS) return warn('clock', says, todo);
  return ok('clock', says);
}
