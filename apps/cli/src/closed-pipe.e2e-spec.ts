/** Who reads may stop reading, as `concordat ... | head` does: the program finishes its work, says nothing of it, and its exit code stays true. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const POLICY = 'policies/agencies/avon-and-somerset-police.yaml';

interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What reached the stream that was still read. */
  readonly heard: string;
}

/** Runs a command whose `closed` stream has no reader from the first byte on. */
async function concordat(args: readonly string[], closed: 'stdout' | 'stderr'): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'dist/apps/cli/src/main.js'), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child[closed].destroy();
  let heard = '';
  const open = closed === 'stdout' ? child.stderr : child.stdout;
  open.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  const [exitCode, signal] = await once(child, 'close');
  return { exitCode, signal, heard };
}

it.each([
  ['stdout', 0, ['policy', 'schema']],
  ['stderr', 0, ['policy', 'table', POLICY]],
  ['stderr', 0, ['policy', 'test', POLICY]],
  ['stderr', 1, ['policy', 'test', 'policies/testdata']],
  ['stderr', 1, ['audit', 'nowhere']],
  ['stdout', 1, ['audit', 'nowhere', '--json']],
  ['stderr', 2, ['policy', 'nonsense']],
  ['stderr', 0, ['--help']],
  ['stdout', 0, ['node', 'enrol', '--help']],
  ['stderr', 1, ['node', 'budget', '--dir', 'nowhere']],
] as const)('%s closed, exit code %i: %j', async (closed, exitCode, args) => {
  const ended = await concordat(args, closed);
  expect({ ...ended, heard: '' }).toEqual({ exitCode, signal: null, heard: '' });
  expect(ended.heard).not.toMatch(/EPIPE|\n {4}at /);
});
