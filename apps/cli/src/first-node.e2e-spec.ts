/** docs/operating/first-node.md, run as a reader runs it: its blocks in one shell, with the built program and real processes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, jest } from '@jest/globals';
import { freePort } from '#libs/testing';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGE = 'docs/operating/first-node.md';
const BETWEEN = '@@ next block';

// Some twenty commands one after another, each a process of its own; on a busy machine that takes a while.
jest.setTimeout(600_000);

interface Block {
  readonly commands: string;
  /** What the page says that they print. */
  readonly output: string;
}

function blocksOf(page: string): Block[] {
  const fences = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  return fences.flatMap(([, language, commands = ''], i) => {
    if (language !== 'sh') return [];
    const next = fences[i + 1];
    return [{ commands, output: next?.[1] === 'text' ? (next[2] ?? '') : '' }];
  });
}

/** What differs from run to run: keys, hashes, words, instants. */
const masked = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replace(/(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])/g, 'KEY')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replace(/^( {2}words {2})?[a-z]+(?: [a-z]+){7}$/gm, '$1WORDS')
    .trim();

it('runs as it stands and prints what it says', async () => {
  const blocks = blocksOf(readFileSync(join(ROOT, PAGE), 'utf8'));
  expect(blocks.length).toBeGreaterThan(12);
  const folder = mkdtempSync(join(tmpdir(), 'concordat-first-'));
  try {
    // The reader's home and port are the only things that are not the page's.
    const [first, ...rest] = blocks.map(({ commands }) => commands);
    const here = (first ?? '')
      .replace('$HOME/first-federation', folder)
      .replace('PORT=4100', `PORT=${await freePort()}`);
    const script = [
      'set -e',
      `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT`,
      here,
      ...rest,
    ].join(`\necho '${BETWEEN}'\n`);
    const { stdout, stderr, error } = await new Promise<{
      stdout: string;
      stderr: string;
      error: Error | null;
    }>((resolve) => {
      execFile('bash', ['-c', script], { cwd: ROOT, maxBuffer: 1 << 24 }, (failed, out, said) =>
        resolve({ stdout: out, stderr: said, error: failed }),
      );
    });
    expect(error === null ? '' : `${error.message.slice(-300)}\n${stdout}\n${stderr}`).toBe('');
    const printed = stdout.split(`${BETWEEN}\n`).slice(2);
    expect(printed).toHaveLength(blocks.length);
    for (const [i, { commands, output }] of blocks.entries()) {
      if (output !== '') {
        expect(`${commands}${masked(printed[i] ?? '')}`).toBe(`${commands}${masked(output)}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
