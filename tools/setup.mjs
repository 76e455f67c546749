/**
 * Makes a fresh clone runnable, and does nothing when there is nothing to do. Needs Node and npm only.
 *
 *   node tools/setup.mjs           install packages when the lock file changed, build when a source changed
 *   node tools/setup.mjs --tests   the same, and install the programs that tests drive when they are missing
 *
 * Everything it prints goes to stderr: `npm start -- --json` owns stdout.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
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

const run = (command, args, what) => {
  // stdout of the child becomes our stderr.
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (error) fail(`${what} could not start (${error.code ?? error.message})`);
  if (status !== 0) fail(`${what} failed: see above; mend it and run the same command again`);
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

const installPackages = () => {
  const stamp = join(ROOT, 'node_modules', '.concordat-lock');
  const wanted = hashTree(['package-lock.json']);
  if (stampIs(stamp, wanted)) return;
  say('installing packages (npm ci), about half a minute');
  run('npm', ['ci', '--loglevel=error'], 'npm ci');
  // `npx concordat` finds it here.
  const bin = join(ROOT, 'node_modules', '.bin', 'concordat');
  rmSync(bin, { force: true });
  symlinkSync('../../bin/concordat.mjs', bin);
  writeFileSync(stamp, wanted);
};

const build = () => {
  const stamp = join(ROOT, 'dist', '.sources');
  const wanted = hashTree(SOURCES);
  if (stampIs(stamp, wanted)) return;
  say('building');
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  mkdirSync(join(ROOT, 'dist'));
  run('npm', ['run', 'build', '--loglevel=error'], 'the build');
  writeFileSync(stamp, wanted);
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

checkNode();
installPackages();
build();
if (process.argv.includes('--tests')) installTestPrograms();
