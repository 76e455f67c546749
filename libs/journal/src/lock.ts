/**
 * One writer of a directory. The lock is the file `lock.<n>` with the highest n; whoever wants it creates the next one,
 * which the file system grants once, so that two processes that find a dead holder cannot both take over. A holder is
 * alive when a process with its id and start time runs since the same boot.
 *
 * Guards against processes of one machine that see each other; two containers, or two machines on a network file system,
 * must not share a directory.
 */

import { readFileSync } from 'node:fs';
import { link, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError } from '#libs/bytes';
import { hasErrno } from '#libs/host';

interface Holder {
  readonly pid: number;
  readonly bootId: string;
  /** Clock ticks from boot to the process's start, or '' where the system does not tell. */
  readonly startTime: string;
  readonly since: string;
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

const bootId = (): string => textOf('/proc/sys/kernel/random/boot_id');

/** Field 22 of /proc/<pid>/stat; the second field is a name in parentheses that may hold spaces. */
const startTimeOf = (pid: number): string => {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
};

function isAlive({ pid, bootId: boot, startTime }: Holder): boolean {
  if (boot !== bootId()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!hasErrno(error, 'EPERM')) return false;
  }
  return startTime === startTimeOf(pid);
}

const NAME = /^lock\.(\d+)$/;

async function generations(dir: string): Promise<number[]> {
  const names = await readdir(dir);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** The holder a lock file names; undefined for one that was released (and emptied), is gone or says nothing. */
async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8'));
    return typeof holder?.pid === 'number' ? holder : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether a process that is alive writes the directory. */
export async function isHeld(dir: string): Promise<boolean> {
  const [latest] = await generations(dir).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
  const holder = latest === undefined ? undefined : await holderOf(join(dir, `lock.${latest}`));
  return holder !== undefined && isAlive(holder);
}

export interface Lock {
  release(): Promise<void>;
}

let attempts = 0;

/** Takes the directory's lock, or throws `log-locked`. `now` is POSIX milliseconds, for whoever reads the file. */
export async function lockDirectory(dir: string, now: number): Promise<Lock> {
  const self: Holder = {
    pid: process.pid,
    bootId: bootId(),
    startTime: startTimeOf(process.pid),
    since: new Date(now).toISOString(),
  };
  /** Creates `lock.<n>` with its whole contents in one step; false when another was faster. */
  const claim = async (n: number, text: string): Promise<boolean> => {
    const temporary = join(dir, `lock-${process.pid}-${++attempts}`);
    await writeFile(temporary, text, { flag: 'wx' });
    try {
      await link(temporary, join(dir, `lock.${n}`));
      return true;
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  };

  for (;;) {
    const [latest = 0] = await generations(dir);
    const holder = latest > 0 ? await holderOf(join(dir, `lock.${latest}`)) : undefined;
    if (holder && isAlive(holder)) {
      throw new ConcordatError(
        'log-locked',
        `process ${holder.pid} writes this log since ${holder.since}; stop it first`,
      );
    }
    const own = latest + 1;
    if (!(await claim(own, JSON.stringify(self)))) continue;
    const all = await generations(dir);
    if (all[0] !== own) {
      await rm(join(dir, `lock.${own}`), { force: true });
      continue;
    }
    for (const old of all.slice(1)) await rm(join(dir, `lock.${old}`), { force: true });
    return {
      // the emptied file stays, so that numbers never start again: a slow process that still sees an old file must
      // find a higher one; emptying works on a full disk too
      release: () => truncate(join(dir, `lock.${own}`), 0),
    };
  }
}
