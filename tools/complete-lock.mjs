/**
 * `npm run lock`, after every change of dependencies. Registries that carry packages of one platform only make npm leave the optional
 * packages of all other platforms out of the lock file, and `npm ci` then refuses it. This adds them: name, exact version and
 * platform, as their parents name them; npm verifies and installs them where that platform is.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'openharmony',
  'sunos',
  'win32',
  'netbsd',
  'openbsd',
];
const CPU = [
  'arm64',
  'arm',
  'x64',
  'ia32',
  'ppc64',
  'riscv64',
  's390x',
  'loong64',
  'mips64el',
  'wasm32',
];

/** Platform in a package's name, such as `@swc/core-win32-arm64-msvc`. */
const platformOf = (name) => {
  const words = name.replace(/[@/]/g, '-').split('-');
  const os = OS.filter((candidate) => words.includes(candidate));
  const cpu = CPU.filter((candidate) => words.includes(candidate));
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : [];
  return {
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 && os.includes('linux') ? { libc } : {}),
    ...(os.length > 0 ? { os } : {}),
  };
};

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const added = {};
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    const top = `node_modules/${name}`;
    if (lock.packages[nested] || lock.packages[top] || added[top]) continue;
    if (!/^\d/.test(version)) throw new Error(`${name} is optional at a range, not at a version`);
    const platform = platformOf(name);
    // A package for no platform in particular would be installed everywhere, so its content must be pinned.
    if (!platform.os && !platform.cpu) throw new Error(`${name} names no platform`);
    added[top] = { version, ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
  }
}
const packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(FILE, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
console.log(`package-lock.json: ${Object.keys(added).length} packages of other platforms added`);
