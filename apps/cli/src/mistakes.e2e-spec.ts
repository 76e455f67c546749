/** What a person gets wrong on the command line ends with a code, the right exit code and, with --json, one document; never with a stack trace. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, jest } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'concordat-mistakes-'));
const file = join(folder, 'a-file');
writeFileSync(file, 'neither a key nor a folder');
afterAll(() => rmSync(folder, { recursive: true }));

jest.setTimeout(120_000);

interface Ended {
  readonly exitCode: number;
  readonly out: string;
  readonly said: string;
}

const concordat = (args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const main = join(ROOT, 'dist/apps/cli/src/main.js');
    const child = execFile(process.execPath, [main, ...args], (error, out, said) =>
      resolve({ exitCode: error ? Number(error.code) : 0, out, said }),
    );
    child.stdin?.end();
  });

const question = ['--categories', 'asb', '--from', '2024-01', '--to', '2024-01'];
const nobody = 'http://127.0.0.1:1';

it.each([
  [2, 'usage', ['nonsense']],
  [2, 'usage', ['query', '--url', 'nowhere', '--key', file, ...question]],
  [2, 'usage', ['query', '--key', file]],
  [2, 'usage', ['node', 'budget']],
  [2, 'usage', ['start', '--port', '65536']],
  [2, 'usage', ['start', '--once', '--dir', '']],
  [3, 'unreachable', ['forecast', 'list', '--url', nobody]],
  [3, 'unreachable', ['audit', nobody, '--manifest', file]],
  [1, 'bad-period', ['start', '--once', '--from', '2024-13']],
  [1, 'unknown-category', ['start', '--once', '--categories', 'arson']],
  [1, 'not-a-process-folder', ['audit', folder]],
  [1, 'no-such-folder', ['audit', file]],
  [1, 'config-missing', ['doctor', folder]],
  [1, 'no-such-file', ['node', 'ingest', '--dir', folder, join(folder, 'none.csv')]],
  [1, 'no-record-files', ['node', 'ingest', '--dir', folder, folder]],
  [
    1,
    'file-unavailable',
    ['node', 'init', '--dir', file, '--agency', 'x', '--area', 'force:city-of-london'],
  ],
  [
    1,
    'file-unavailable',
    ['node', 'init', '--dir', '/proc/x', '--agency', 'x', '--area', 'force:city-of-london'],
  ],
  [1, 'file-unavailable', ['start', '--dir', '/proc/x', '--once']],
])('exit code %i, %s: %j', async (exitCode, code, args) => {
  const ended = await concordat([...args, '--json']);
  expect(JSON.parse(ended.out)).toEqual({
    error: { code, message: expect.stringMatching(/\w{3}/) },
  });
  expect(ended.exitCode).toBe(exitCode);
  expect(ended.said).not.toMatch(/\n {4}at /);
});

it.each([
  [['auditor', 'init', '--port', 'abc']],
  [['auditor', 'serve', '--port', '-1']],
  [['coordinator', 'init', '--port', '1e3']],
  [['coordinator', 'serve', '--port', '70000']],
  [['coordinator', 'worker', '--port', '65536']],
  [['coordinator', 'replica', '--port', '80.5']],
  [['node', 'init', '--port', '1e99']],
])('%j is a usage error that names the option', async (args) => {
  const ended = await concordat([...args, '--dir', join(folder, 'new')]);
  expect(ended.said).toContain("error: option '--port <port>' argument");
  expect(ended.exitCode).toBe(2);
  expect(ended.out).toBe('');
});
