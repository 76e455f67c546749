/** `concordat start` as people run it: the built program, real processes, good and bad files. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, disk } from '#libs/grid';
import { readJournal } from '#libs/journal';
import {
  childrenOf,
  eventually,
  isRunning,
  RunningProgram,
  type StreetRow,
  streetFile,
} from '#libs/testing';
import { decodeEntry } from '#libs/tlog';

const AGENCY = 'city-of-london';
const city = cellAt(51.5155, -0.0922, 9);
const near = disk(city, 1);

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'concordat-start-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A data folder of one agency with these files. */
function dataFolder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(work, name);
  mkdirSync(join(folder, AGENCY), { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(folder, AGENCY, file), content);
  }
  return folder;
}
const fileOf = (month: string): string => `${month}-city-of-london-street.csv`;
const rows = (month: string, count: number): StreetRow[] =>
  Array.from({ length: count }, (_, i) => ({
    month,
    type: 'Robbery',
    cell: near[i % near.length] as bigint,
  }));
const goodFolder = (): string =>
  dataFolder('good', { [fileOf('2024-01')]: streetFile(rows('2024-01', 9)) });

async function run(...args: string[]) {
  const program = new RunningProgram(['start', ...args]);
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}
/** The only thing on stdout: one line, one JSON document. */
const documentOf = ({ stdout }: { stdout: string }) => {
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
};

describe('concordat start with bad files among good ones', () => {
  it('takes the good ones, counts every bad row and file by its reason, exits 0', async () => {
    const bad = (fields: StreetRow['fields']): StreetRow => ({
      month: '2024-01',
      type: 'Robbery',
      cell: city,
      ...(fields ? { fields } : {}),
    });
    const mixed = streetFile([
      ...rows('2024-01', 9),
      bad({ Longitude: '51.515500', Latitude: '-0.092200' }),
      bad({ Longitude: '0', Latitude: '0' }),
      bad({ Longitude: 'here', Latitude: 'there' }),
      { month: '2999-01', type: 'Robbery', cell: city },
      { month: 'January', type: 'Robbery', cell: city },
      { month: '2024-01', type: 'Jaywalking', cell: city },
      { month: '2024-01', type: 'Robbery' },
      bad({ Location: 'On or near Caf#' }),
    ]);
    const latin1 = Buffer.from(mixed);
    latin1[latin1.indexOf('#')] = 0xe9;
    const good = streetFile(rows('2024-06', 4));
    const { code, ...output } = await run(
      '--once',
      '--json',
      '--data',
      dataFolder('mixed', {
        [fileOf('2024-01')]: latin1,
        [fileOf('2024-02')]: '',
        [`${fileOf('2024-03')}.gz`]: gzipSync(streetFile(rows('2024-03', 500))).subarray(0, -20),
        [fileOf('2024-04')]: streetFile(rows('2024-04', 3)).replaceAll(',', ';'),
        [fileOf('2024-05')]: streetFile(rows('2024-05', 3)).replace('Month', 'When'),
        [fileOf('2024-06')]: good,
      }),
    );
    const { agencies, analytics, release, total } = documentOf(output);
    expect({ code, stderr: code === 0 ? '' : output.stderr }).toEqual({ code: 0, stderr: '' });
    expect(agencies).toEqual([
      expect.objectContaining({
        id: AGENCY,
        status: 'answered',
        rows: 9 + 8 + 4,
        located: 9 + 4,
        noLocation: 1,
        rejected: {
          'bad-coordinates': 1,
          'bad-date': 1,
          'bad-encoding': 1,
          'future-date': 1,
          'swapped-coordinates': 1,
          'unknown-category': 1,
          'zero-coordinates': 1,
          'empty-file': 1,
          'truncated-gzip': 1,
          'missing-column': 1,
          'wrong-delimiter': 1,
        },
        rhoSpent: '1/8',
      }),
    ]);
    expect(release).toMatchObject({ periods: ['2024-01', '2024-06'], categories: ['robbery'] });
    expect(analytics).toMatchObject({
      hotspots: { category: 'robbery', resolution: 8, code: null },
      forecast: 'forecast-off',
    });
    expect(Math.abs(total.estimate - 13)).toBeLessThan(4 * total.standardError);
    for (const month of ['02', '03', '04', '05']) {
      expect(output.stderr).toMatch(new RegExp(`2024-${month}-city.*was refused \\([a-z-]+\\)`));
    }
  });

  it.each([
    ['no-data', 'only empty files', () => dataFolder('empty', { [fileOf('2024-01')]: '' })],
    ['data-missing', 'an agency without files', () => dataFolder('bare', {})],
    ['data-missing', 'no agency', () => mkdtempSync(join(work, 'none-'))],
    ['data-missing', 'no folder', () => join(work, 'nowhere')],
  ])('says %s and exits non-zero for %s', async (code, _what, folder) => {
    const { code: exit, ...output } = await run('--once', '--json', '--data', folder());
    expect(exit).toBe(1);
    expect(documentOf(output)).toEqual({ error: { code, message: expect.any(String) } });
  });

  it('says that a port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as { port: number };
      const flags = ['--once', '--json', '--data', goodFolder(), '--port', String(port)];
      const { code, ...output } = await run(...flags);
      expect(code).toBe(1);
      expect(documentOf(output).error.code).toBe('port-taken');
    } finally {
      server.close();
    }
  });

  it('ends on a full disk with an error that says so', async () => {
    const small = mkdtempSync(join(tmpdir(), 'concordat-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small], { stdio: 'ignore' });
    } catch {
      rmSync(small, { recursive: true });
      const why = 'this user may not mount a file system: run the tests as root to try a full disk';
      if (process.env.CI) throw new Error(why);
      process.stderr.write(`not run: ${why}\n`);
      return;
    }
    try {
      const flags = [
        '--once',
        '--json',
        '--data',
        goodFolder(),
        '--dir',
        join(small, 'federation'),
      ];
      const { code, ...output } = await run(...flags);
      expect(code).toBe(1);
      // Which write meets the end of the disk first, the records' or the log's, depends on their sizes.
      const { error } = documentOf(output);
      expect(['disk-full', 'log-unavailable']).toContain(error.code);
      expect(error.message).toMatch(/disk/);
    } finally {
      execFileSync('umount', [small]);
      rmSync(small, { recursive: true });
    }
  });
});

describe('the processes of concordat start', () => {
  const serving = async (...flags: string[]) => {
    const program = new RunningProgram(['start', '--json', '--port', '0', ...flags]);
    await program.until(({ stderr }) => stderr.includes('Ctrl-C stops every process'));
    const children = childrenOf(program.pid);
    expect(
      children.map(({ command }) => /(\w+)\/src\/main\.js serve/.exec(command)?.[1]).sort(),
    ).toEqual(['auditor', 'coordinator', 'node']);
    const folder = /Folders\s+(\S+)/.exec(program.stderr)?.[1] ?? '';
    expect(existsSync(folder)).toBe(true);
    return { program, children, folder };
  };
  const leftOf = (children: readonly { pid: number }[]) =>
    children.filter(({ pid }) => isRunning(pid));

  it('stop at SIGINT with exit code 0; started again in the same folder they give the same answer at no cost', async () => {
    const dir = join(work, 'federation');
    const flags = ['--data', goodFolder(), '--dir', dir];
    const { program, children, folder } = await serving(...flags);
    expect(folder).toBe(dir);
    program.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(leftOf(children)).toEqual([]);

    const first = documentOf(program);
    const second = documentOf(await run('--once', '--json', ...flags));
    expect(second.release.fingerprint).toBe(first.release.fingerprint);
    expect(second.release.id).not.toBe(first.release.id);
    expect(second.total).toEqual(first.total);
    const kinds: string[] = [];
    for await (const { bytes } of readJournal(join(dir, AGENCY, 'log')))
      kinds.push(decodeEntry(bytes).kind);
    expect(kinds.filter((kind) => kind === 'query.received')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'budget.reserved')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'ingest.batch')).toHaveLength(1);
  });

  it('are started again where an interruption left keys and folders half made', async () => {
    const dir = join(work, 'half-made');
    const flags = ['--once', '--json', '--data', goodFolder(), '--dir', dir];
    const program = new RunningProgram(['start', ...flags]);
    await program.until(() => existsSync(join(dir, 'analyst', 'signing.pem')));
    program.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
    const again = await run(...flags);
    expect({ code: again.code, stderr: again.code === 0 ? '' : again.stderr }).toEqual({
      code: 0,
      stderr: '',
    });
    expect(documentOf(again).agencies).toEqual([expect.objectContaining({ status: 'answered' })]);
  });

  it('keep a second start out of their folder, which finds them as they were', async () => {
    const dir = join(work, 'held');
    const { program } = await serving('--data', goodFolder(), '--dir', dir);
    const second = await run('--once', '--json', '--data', goodFolder(), '--dir', dir);
    expect(second.code).toBe(1);
    expect(documentOf(second).error.code).toBe('dir-in-use');
    program.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });

  it('all stop when a node is killed; the launcher says which and exits 1', async () => {
    const { program, children, folder } = await serving('--data', goodFolder());
    const node = children.find(({ command }) => command.includes('node/src/main.js'));
    process.kill(node?.pid as number, 'SIGKILL');
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.stderr).toMatch(/city-of-london ended with signal SIGKILL.*\[child-failed\]/s);
    expect(leftOf(children)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    documentOf(program);
  });

  it('all stop when the launcher itself is killed', async () => {
    const { program, children, folder } = await serving('--data', goodFolder());
    program.kill('SIGKILL');
    await program.ended;
    await eventually(() => expect(leftOf(children)).toEqual([]));
    rmSync(folder, { recursive: true, force: true });
  });

  it('leave nothing behind when interrupted before the release', async () => {
    const dir = join(work, 'interrupted');
    const flags = ['start', '--once', '--json', '--data', goodFolder(), '--dir', dir];
    const program = new RunningProgram(flags);
    await program.until(() => existsSync(join(dir, AGENCY, 'records')));
    const children = childrenOf(program.pid);
    expect(children.length).toBeGreaterThan(0);
    program.kill('SIGINT');
    expect(await program.ended).toEqual({ code: 130, signal: null });
    expect(leftOf(children)).toEqual([]);
    expect(program.stdout).toBe('');
    expect(readdirSync(dir)).toContain(AGENCY);
  });
});
