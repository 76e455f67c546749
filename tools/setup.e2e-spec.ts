/**
 * Set-up and `npm start` of a clone, stopped and crossed in every way: the real `tools/setup.mjs`, `tools/start.mjs` and npm, around a build
 * that takes as long as the test wants.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, isRunning } from '#libs/testing';

/** Says that it runs, waits for the file `go`, then builds a program that serves until it is told to stop. */
const BUILD = `
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
appendFileSync('builds', process.pid + '\\n');
if (existsSync('building')) appendFileSync('crossed', 'two builds at once');
writeFileSync('building', '');
while (!existsSync('go')) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (!existsSync('build.mjs')) process.exit(1);
}
mkdirSync('dist/apps/cli/src', { recursive: true });
writeFileSync('dist/apps/cli/src/main.js', "console.log('serving', ...process.argv.slice(2)); setInterval(() => {}, 1000)");
rmSync('building');
`;
const PACKAGE = { name: 'clone', version: '1.0.0', type: 'module' };

let work: string;
let clones = 0;
const started: ChildProcess[] = [];
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'concordat-set-up-'));
  chmodSync(work, 0o755);
});
afterAll(() => {
  for (const { pid, exitCode, signalCode } of started)
    if (exitCode === null && signalCode === null) process.kill(-(pid as number), 'SIGKILL');
  rmSync(work, { recursive: true, force: true });
});

function freshClone(): string {
  const clone = join(work, `clone-${++clones}`);
  for (const folder of ['tools', 'bin']) mkdirSync(join(clone, folder), { recursive: true });
  for (const file of ['tools/setup.mjs', 'tools/start.mjs', 'bin/concordat.mjs'])
    cpSync(file, join(clone, file));
  const scripts = { start: 'node tools/start.mjs', build: 'node build.mjs' };
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ ...PACKAGE, scripts }));
  const lock = { ...PACKAGE, lockfileVersion: 3, requires: true, packages: { '': PACKAGE } };
  writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(lock));
  writeFileSync(join(clone, 'build.mjs'), BUILD);
  return clone;
}
const letBuild = (clone: string): void => writeFileSync(join(clone, 'go'), '');
const buildsOf = (clone: string): number[] =>
  existsSync(join(clone, 'builds'))
    ? readFileSync(join(clone, 'builds'), 'utf8').trim().split('\n').map(Number)
    : [];

/** A program in a clone, the leader of its own process group, as a terminal would have it. */
function run(clone: string, command: string, args: readonly string[], user = {}) {
  const child = spawn(command, args, {
    cwd: clone,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  started.push(child);
  const program = {
    pid: child.pid as number,
    words: '',
    ended: new Promise<number | null>((resolve) => child.once('exit', resolve)),
  };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      program.words += text;
    });
  return program;
}
const npmStart = (clone: string) => run(clone, 'npm', ['start', '--', '--once']);
const setUp = (clone: string, user?: object) =>
  run(clone, process.execPath, ['tools/setup.mjs'], user);

const building = (clone: string, builds = 1) =>
  eventually(() => expect(buildsOf(clone)).toHaveLength(builds));
const serving = (program: { readonly words: string }) =>
  eventually(() => expect(program.words).toContain('serving start --once'));

describe('npm start', () => {
  it.each([
    ['SIGTERM to npm alone', (pid: number) => process.kill(pid, 'SIGTERM')],
    ['Ctrl-C', (pid: number) => process.kill(-pid, 'SIGINT')],
    ['a terminal that is closed', (pid: number) => process.kill(-pid, 'SIGHUP')],
  ])('ends whole at %s, in the set-up and in the run, and goes on next time', async (_, stop) => {
    const clone = freshClone();
    const first = npmStart(clone);
    await building(clone);
    stop(first.pid);
    await eventually(() => expect(buildsOf(clone).filter(isRunning)).toEqual([]));
    await eventually(() => expect(existsSync(join(clone, '.set-up.lock'))).toBe(false));
    expect(await first.ended).not.toBe(0);
    rmSync(join(clone, 'building'), { force: true });

    letBuild(clone);
    const second = npmStart(clone);
    await serving(second);
    stop(second.pid);
    expect(await second.ended).not.toBe(0);
    await eventually(() => expect(() => process.kill(-second.pid, 0)).toThrow('ESRCH'));
    expect(buildsOf(clone)).toHaveLength(2);
  });
});

describe('two set-ups of one clone', () => {
  it('build it once', async () => {
    const clone = freshClone();
    const first = setUp(clone);
    await building(clone);
    const second = setUp(clone);
    await eventually(() => expect(second.words).toContain('waiting for another set-up'));
    letBuild(clone);
    expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0]);
    expect(buildsOf(clone)).toHaveLength(1);
  });

  it('do not cross when the first was killed and its build goes on', async () => {
    const clone = freshClone();
    const first = setUp(clone);
    await building(clone);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    const others = [setUp(clone), setUp(clone)];
    for (const other of others)
      await eventually(() => expect(other.words).toContain('waiting for another set-up'));
    letBuild(clone);
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0]);
    // Nobody saw the orphan's build through, so one of them builds again.
    expect(buildsOf(clone)).toHaveLength(2);
    expect(existsSync(join(clone, 'crossed'))).toBe(false);
    expect(existsSync(join(clone, '.set-up.lock'))).toBe(false);
  });
});

describe('a clone that may not be written', () => {
  /** Root may write everywhere, so it becomes nobody. */
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
  const own = (clone: string, mode: number): void => {
    if (user) chownSync(clone, user.uid, user.gid);
    chmodSync(clone, mode);
  };

  it('is refused with what to do, and runs once it has been set up', async () => {
    const clone = freshClone();
    own(clone, 0o555);
    const refused = setUp(clone, user);
    expect(await refused.ended).toBe(1);
    expect(refused.words).toMatch(
      /^set-up: EACCES.*\.set-up\.lock.*must be writable and have free space\n$/,
    );

    own(clone, 0o755);
    letBuild(clone);
    expect(await setUp(clone).ended).toBe(0);
    own(clone, 0o555);
    const again = setUp(clone, user);
    expect(await again.ended).toBe(0);
    expect(again.words).toBe('');
    const served = run(clone, process.execPath, ['tools/start.mjs', '--once'], user);
    await serving(served);
    own(clone, 0o755);
  });
});
