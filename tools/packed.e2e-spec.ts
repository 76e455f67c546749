/**
 * What containers and units start, without an engine: the packed tarball with its run-time packages only, in a folder that nobody may
 * write, as a user without rights. The commands are those of the Dockerfile, the units and the Kubernetes manifests, read from there.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { eventually, freePort, PrivateRedis } from '#libs/testing';

jest.setTimeout(600_000);

const AGENCY = 'my-force';
const UNITS = 'deploy/systemd';
const PROCESSES = ['coordinator', 'auditor', 'node', 'worker'] as const;
type Process = (typeof PROCESSES)[number];

/** Nobody's, on every Debian; whoever is not root may be no other user, and has no rights of its own to lose. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const PATIENCE_MS = 240_000;

const read = (path: string): string => readFileSync(path, 'utf8');

/** ENTRYPOINT and CMD of a target of the Dockerfile, and the command of its health check. */
function ofDockerfile(target: Process): { readonly start: string[]; readonly probe: string[] } {
  const text = read('deploy/docker/Dockerfile');
  const part = (name: string): string =>
    new RegExp(`^FROM \\S+ AS ${name}$([\\s\\S]*?)(?=^FROM |$(?![\\s\\S]))`, 'm').exec(text)?.[1] ??
    '';
  const list = (pattern: RegExp, where: string): string[] =>
    JSON.parse(pattern.exec(where)?.[1] ?? 'null') ?? [];
  const entrypoint = list(/^ENTRYPOINT (\[.*\])$/m, part('runtime'));
  return {
    start: [...entrypoint, ...list(/^CMD (\[.*\])$/m, part(target))],
    probe: list(/^HEALTHCHECK .*CMD (\[.*\])$/m, part(target)),
  };
}

/** ExecStart of a unit, as systemd would have it for the agency. */
function ofUnit(file: string): string[] {
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(read(join(UNITS, file))) ?? [];
  return line.replaceAll('%S', '/var/lib').replaceAll('%i', AGENCY).split(' ');
}

/** What a manifest of the cluster starts; the entry point is the image's. */
function ofCluster(file: string): string[] {
  const [workload] = parseAllDocuments(read(`deploy/k8s/${file}.yaml`))
    .map((document) => document.toJS())
    .filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
  return workload.spec.template.spec.containers[0].args;
}

/** The program and its words, without where it keeps its folder. */
const withoutFolder = (command: readonly string[]): string[] =>
  command
    .flatMap((word) => (word.startsWith('--') ? word.split('=') : [word]))
    .map((word) => (word.startsWith('/var/lib/concordat') ? 'FOLDER' : word));

describe('the packed program', () => {
  const top = mkdtempSync(join(tmpdir(), 'concordat-packed-'));
  const opt = join(top, 'opt', 'concordat');
  const state = join(top, 'state');
  const home = join(top, 'home');
  const ports = new Map<Process, number>();
  const running = new Map<Process, { readonly child: ChildProcess; words: string }>();
  let redis: PrivateRedis;

  /** Units know no Redis: their coordinator composes by itself. */
  const env = (more: NodeJS.ProcessEnv = { REDIS_URL: redis.url }): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    HOME: home,
    NODE_ENV: 'production',
    ...more,
  });
  const folderOf = (name: Process): string =>
    join(state, name === 'node' ? AGENCY : name === 'worker' ? 'coordinator' : name);

  /** The command line of the package, as its user; what it printed. */
  const concordat = (...args: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { cwd: opt, env: env(), ...NOBODY, maxBuffer: 1 << 24 };
      execFile(process.execPath, ['bin/concordat.mjs', ...args], options, (error, out, said) =>
        error ? reject(new Error(`${args.join(' ')}: ${said}${out}`)) : resolve(out.trim()),
      );
    });

  /** A command of a file, with this machine's node, folder and ports in the place of the file's. */
  const here = (name: Process, command: readonly string[]): string[] =>
    command.map((word) =>
      word
        .replace(/^(\/usr\/bin\/)?node$/, process.execPath)
        .replace(/^\/var\/lib\/concordat(\/[\w-]+)?$/, folderOf(name))
        .replace(/^410\d$/, String(ports.get(name))),
    );

  const start = (name: Process, command: readonly string[], more?: NodeJS.ProcessEnv): void => {
    const [program = '', ...args] = here(name, command);
    const child = spawn(program, args, {
      cwd: opt,
      env: env(more),
      ...NOBODY,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const one = { child, words: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        one.words += text;
      });
    }
    running.set(name, one);
  };

  /** Asks by the image's own health check, at another path, until it is content. */
  const untilReady = async (name: Process): Promise<void> => {
    const { probe } = ofDockerfile(name);
    const [program = '', ...args] = here(name, probe).map((word) =>
      word === '/healthz' ? '/readyz' : word,
    );
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const one = running.get(name);
      const { status } = spawnSync(program, args, { cwd: opt, env: env(), ...NOBODY });
      if (status === 0) return;
      if (one?.child.exitCode !== null || Date.now() > until) {
        throw new Error(`${name} is not ready:\n${one?.words}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  /** SIGTERM; how it ended, and the last thing that it said. */
  const stop = async (name: Process): Promise<string> => {
    const one = running.get(name);
    if (!one) return 'never started';
    const ended = new Promise((resolve) => {
      one.child.once('close', (code, signal) => resolve(signal ?? code));
    });
    one.child.kill('SIGTERM');
    const how = await ended;
    running.delete(name);
    return `${how} ${/"why":"(\w+)"/.exec(one.words)?.[1]}`;
  };

  beforeAll(async () => {
    chmodSync(top, 0o755);
    for (const folder of [opt, state, home]) mkdirSync(folder, { recursive: true });
    for (const folder of [state, home]) {
      if (NOBODY.uid !== undefined) chownSync(folder, NOBODY.uid, NOBODY.gid);
    }
    const done = (command: string, args: string[], cwd: string): void => {
      const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
    };
    // the steps of the Dockerfile's build stage, after the build, which this project's set-up made
    done('npm', ['pack', '--pack-destination', top], process.cwd());
    const [tarball = ''] = readdirSync(top).filter((name) => name.endsWith('.tgz'));
    done('tar', ['-xzf', join(top, tarball), '--strip-components=1'], opt);
    for (const file of ['package-lock.json', '.npmrc']) copyFileSync(file, join(opt, file));
    done('npm', ['ci', '--omit=dev', '--prefer-offline'], opt);
    done('chmod', ['-R', 'a-w', opt], opt);
    redis = await PrivateRedis.start();
    for (const name of PROCESSES) ports.set(name, await freePort());
  });

  afterAll(async () => {
    for (const { child } of running.values()) child.kill('SIGKILL');
    await redis?.stop();
    spawnSync('chmod', ['-R', 'u+w', top]);
    rmSync(top, { recursive: true, force: true });
  });

  it('has run-time packages only, which its user cannot write', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const dev = Object.keys(packages).filter((path) => packages[path]?.dev);
    expect(dev.length).toBeGreaterThan(100);
    expect(dev.filter((path) => existsSync(join(opt, path)))).toEqual([]);
    const write = `require('node:fs').writeFileSync(${JSON.stringify(join(opt, 'new'))}, '')`;
    const { stderr } = spawnSync(process.execPath, ['-e', write], { ...NOBODY, encoding: 'utf8' });
    expect(stderr).toContain('EACCES');
  });

  it('is started alike by image, unit and cluster', () => {
    for (const name of PROCESSES) {
      const [, , ...words] = withoutFolder(ofDockerfile(name).start);
      expect(words[0]).toMatch(/^dist\/apps\/\w+\/src\/main\.js$/);
      expect(words).toContain('FOLDER');
      expect(withoutFolder(ofCluster(name))).toEqual(words);
    }
    const [coordinator, auditor, node] = PROCESSES.map((name) =>
      withoutFolder(ofDockerfile(name).start),
    );
    const inUnit = (file: string) =>
      withoutFolder(ofUnit(file)).map((word) => word.replace('/usr/bin/', ''));
    expect(inUnit('concordat-coordinator.service')).toEqual(coordinator);
    expect(inUnit('concordat-auditor.service')).toEqual(auditor);
    expect(inUnit('concordat-node@.service')).toEqual(node);
  });

  it.each(readdirSync(UNITS))('systemd understands %s', (file) => {
    const copy = join(top, file);
    writeFileSync(
      copy,
      read(join(UNITS, file)).replace('=/usr/bin/node ', `=${process.execPath} `),
    );
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], {
      encoding: 'utf8',
    });
    expect(`${status} ${stderr}`).toBe('0 ');
    writeFileSync(copy, read(copy).replace('Restart=on-failure', 'Restart=perhaps'));
    const bad = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' });
    expect(bad.stderr).toContain('perhaps');
  });

  it('founds a federation and answers a question, as the image starts it', async () => {
    const url = `http://127.0.0.1:${ports.get('coordinator')}`;
    const dir = (name: Process): string[] => ['--dir', folderOf(name)];
    const port = (name: Process): string[] => ['--port', String(ports.get(name))];
    const key = await concordat(
      'coordinator',
      'init',
      ...dir('coordinator'),
      ...port('coordinator'),
    );
    const card = await concordat(
      ...['auditor', 'init', ...dir('auditor'), ...port('auditor')],
      ...['--coordinator', url, '--coordinator-key', key],
    );
    await concordat(
      ...['coordinator', 'found', ...dir('coordinator')],
      ...['--federation', 'packed', '--auditor', card],
    );
    const pem = join(home, 'analyst.pem');
    const analyst = await concordat('analyst', 'init', '--id', 'an-analyst', '--key', pem);
    await concordat(
      ...['coordinator', 'analyst', 'add', ...dir('coordinator')],
      ...['--card', analyst, '--role', 'national-analyst'],
    );
    for (const name of ['coordinator', 'auditor', 'worker'] as const) {
      start(name, ofDockerfile(name).start);
    }
    for (const name of ['coordinator', 'auditor', 'worker'] as const) await untilReady(name);

    const token = await concordat(
      ...['coordinator', 'token', ...dir('coordinator'), '--agency', AGENCY],
    );
    await concordat(
      ...['node', 'init', ...dir('node'), '--agency', AGENCY],
      ...['--area', 'force:city-of-london'],
    );
    const config = join(folderOf('node'), 'config.yaml');
    const settings = parse(read(config)) as { listen: { port: number } };
    settings.listen.port = ports.get('node') ?? 0;
    writeFileSync(config, JSON.stringify(settings));
    await concordat('node', 'sign-policy', ...dir('node'));
    const words = await concordat(
      ...['node', 'enrol', ...dir('node'), '--coordinator', url, '--token', token],
      ...['--name', 'My Force', '--categories', 'robbery,weapons'],
    );
    await concordat(
      ...['coordinator', 'confirm', ...dir('coordinator'), '--agency', AGENCY, '--words', words],
    );
    await concordat(
      ...['node', 'ingest', ...dir('node')],
      join(opt, 'samples/agencies/city-of-london-police'),
    );
    start('node', ofDockerfile('node').start);
    await untilReady('node');

    const asked = JSON.parse(
      await concordat(
        ...['query', '--url', url, '--analyst', 'an-analyst', '--key', pem, '--json'],
        ...['--categories', 'robbery', '--from', '2024-01', '--to', '2024-03'],
      ),
    );
    expect(asked.coverage).toMatchObject([{ agency: AGENCY, status: 'answered' }]);
    // composed by the worker, of whose folder and Redis the coordinator told it nothing
    await eventually(() => expect(running.get('worker')?.words).toContain('compose'));
    for (const name of [...PROCESSES].reverse()) {
      expect(`${name} ${await stop(name)}`).toBe(`${name} 0 SIGTERM`);
    }
  });

  it('comes up again as the units start it', async () => {
    const units = {
      coordinator: 'concordat-coordinator.service',
      auditor: 'concordat-auditor.service',
      node: 'concordat-node@.service',
    } as const;
    const names = ['coordinator', 'auditor', 'node'] as const;
    for (const name of names) start(name, ofUnit(units[name]), {});
    for (const name of names) await untilReady(name);
    for (const name of [...names].reverse()) {
      expect(`${name} ${await stop(name)}`).toBe(`${name} 0 SIGTERM`);
    }
  });
});
