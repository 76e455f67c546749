/**
 * Makes a fresh clone runnable, and does nothing when there is nothing to do. Needs Node and npm only.
 *
 *   node tools/setup.mjs           install packages when the lock file changed, build when a source changed
 *   node tools/setup.mjs --tests   the same, and install the programs that tests drive when they are missing
 *
 * Everything it prints goes to stderr: `npm start -- --json` owns stdout. Told to stop, it first stops what it started; the next set-up goes on.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];
/** What the build reads; a change below any of these makes it stale. */
const SOURCES = [
  'apps',
  'libs',
  'tools',
  'samples/boundaries',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
/** Programs that tests start: the Debian packages that bring them, and where they may already be. */
const TEST_PROGRAMS = [
  { name: 'a C compiler', packages: ['gcc', 'libc6-dev'], found: ['/usr/bin/cc'] },
  { name: 'chromium', packages: ['chromium', 'fonts-dejavu-core'], found: ['/usr/bin/chromium'] },
  { name: 'redis', packages: ['redis-server'], found: ['/usr/bin/redis-server'] },
  { name: 'systemd-analyze', packages: ['systemd'], found: ['/usr/bin/systemd-analyze'] },
];

const say = (text) => process.stderr.write(`set-up: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

/** npm, while it runs; it leads a group of its own, so that what it starts ends with it. */
let child;

const run = async (command, args, what) => {
  // stdout of the child becomes our stderr.
  child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], detached: true });
  child.once('spawn', () => noteChild(child.pid));
  const status = await new Promise((resolve) => {
    child.once('error', (error) => fail(`${what} could not start (${error.code})`));
    child.once('exit', resolve);
  });
  child = undefined;
  if (status !== 0) fail(`${what} failed: see above; mend it and run the same command again`);
};

/** By what shells report: 128 and the number of the signal. */
const STOP_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
let stopping = false;
const stop = (signal) => {
  if (!stopping) say('stopped; run the same command again to finish');
  stopping = true;
  const exit = () => process.exit(STOP_SIGNALS[signal]);
  if (child === undefined) exit();
  child.removeAllListeners('exit');
  child.once('exit', exit);
  process.kill(-child.pid, 'SIGTERM');
};

const hashTree = (paths) => {
  const hash = createHash('sha256');
  const visit = (path) => {
    const absolute = join(ROOT, path);
    if (!existsSync(absolute)) return;
    const entries = path.includes('.') ? null : tryList(absolute);
    if (entries === null) hash.update(`${path}\0`).update(readFileSync(absolute)).update('\0');
    else for (const entry of entries) visitEntry(path, entry);
  };
  const visitEntry = (path, entry) => {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory()) for (const next of tryList(join(ROOT, child))) visitEntry(child, next);
    else if (entry.isFile())
      hash
        .update(`${child}\0`)
        .update(readFileSync(join(ROOT, child)))
        .update('\0');
  };
  const tryList = (absolute) =>
    readdirSync(absolute, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const path of paths) visit(path);
  return hash.digest('hex');
};

const stampIs = (file, value) => existsSync(file) && readFileSync(file, 'utf8') === value;

const checkNode = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = OLDEST_NODE;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    fail(`Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}`);
  }
};

const PACKAGES_STAMP = join(ROOT, 'node_modules', '.concordat-lock');
const wantedPackages = () => hashTree(['package-lock.json']);
const isInstalled = () => stampIs(PACKAGES_STAMP, wantedPackages());

const installPackages = async () => {
  if (isInstalled()) return;
  say('installing packages (npm ci), about half a minute');
  await run('npm', ['ci', '--loglevel=error'], 'npm ci');
  // `npx concordat` finds it here.
  const bin = join(ROOT, 'node_modules', '.bin', 'concordat');
  mkdirSync(dirname(bin), { recursive: true });
  rmSync(bin, { force: true });
  symlinkSync('../../bin/concordat.mjs', bin);
  writeFileSync(PACKAGES_STAMP, wantedPackages());
};

const BUILD_STAMP = join(ROOT, 'dist', '.sources');
const isBuilt = () => stampIs(BUILD_STAMP, hashTree(SOURCES));

const build = async () => {
  const wanted = hashTree(SOURCES);
  if (stampIs(BUILD_STAMP, wanted)) return;
  say('building');
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  mkdirSync(join(ROOT, 'dist'));
  await run('npm', ['run', 'build', '--loglevel=error'], 'the build');
  writeFileSync(BUILD_STAMP, wanted);
};

const installTestPrograms = () => {
  const missing = TEST_PROGRAMS.filter(({ found }) => !found.some((path) => existsSync(path)));
  if (missing.length === 0) return;
  const packages = missing.flatMap((program) => program.packages);
  const byHand = `install ${missing.map(({ name }) => name).join(', ')} (on Debian: apt-get install ${packages.join(' ')}) and run npm test again`;
  if (!existsSync('/usr/bin/apt-get')) fail(byHand);
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, 'apt-get', ...args];
    return spawnSync(command, rest, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status;
  };
  say(`installing ${packages.join(', ')} for the tests`);
  apt('update', '-qq');
  if (apt('install', '-y', '-qq', '--no-install-recommends', ...packages) !== 0) fail(byHand);
};

/**
 * Held while packages or the build change: two set-ups of one clone would pull the ground from under each other. Names the process that sets
 * up and, where npm runs, npm's group: it may outlive a set-up that was killed.
 */
const LOCK = join(ROOT, '.set-up.lock');
const ASIDE = `${LOCK}.${process.pid}`;
const noteChild = (group) => writeFileSync(LOCK, `${process.pid} -${group}`);
const isAlive = (id) => {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
};
const isHeld = (lock) => lock.split(' ').map(Number).some(isAlive);
/** Creates the lock with its contents in one step; false when there is one. */
const claimLock = () => {
  writeFileSync(ASIDE, String(process.pid));
  try {
    linkSync(ASIDE, LOCK);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(ASIDE, { force: true });
  }
};
const readLock = () => {
  try {
    return readFileSync(LOCK, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
};
/** Takes a dead holder's lock away; what another set-up made of it in the meantime is put back. */
const removeLock = (lock) => {
  try {
    renameSync(LOCK, ASIDE);
    if (readFileSync(ASIDE, 'utf8') !== lock) linkSync(ASIDE, LOCK);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(ASIDE, { force: true });
};
const takeLock = async () => {
  for (let waited = false; !claimLock(); ) {
    const lock = readLock();
    if (lock === undefined) continue;
    if (!isHeld(lock)) {
      removeLock(lock);
      continue;
    }
    if (!waited) say(`waiting for another set-up of this clone; if there is none, remove ${LOCK}`);
    waited = true;
    await setTimeout(200);
  }
};

const setUp = async () => {
  await takeLock();
  const release = () => rmSync(LOCK, { force: true });
  process.once('exit', release);
  await installPackages();
  await build();
  process.off('exit', release);
  release();
};

checkNode();
try {
  if (!isInstalled() || !isBuilt()) {
    for (const signal of Object.keys(STOP_SIGNALS)) process.on(signal, stop);
    await setUp();
    for (const signal of Object.keys(STOP_SIGNALS)) process.off(signal, stop);
  }
} catch (error) {
  if (error.syscall === undefined) throw error;
  fail(
    `${error.message}; this clone must be installed and built, and so must be writable and have free space`,
  );
}
if (process.argv.includes('--tests')) installTestPrograms();
