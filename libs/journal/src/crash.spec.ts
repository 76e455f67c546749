/** Processes that really die, and a disk that really refuses: children run the journal, this process looks after them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { build } from 'esbuild';
import { formatVerifierKey, type NoteSigner } from '#libs/tlog';
import { type Journal, openJournal, verifyJournal } from './index.js';

/** Logs whose writer is killed 25 times each. */
const LOGS = process.env.CONCORDAT_NIGHTLY === '1' ? 10 : 1;

const seed = new Uint8Array(32).fill(1);
const signer: NoteSigner = {
  name: 'node.example/log',
  publicKey: ed25519.getPublicKey(seed),
  sign: (message) => ed25519.sign(message, seed),
};
const open = (dir: string): Promise<Journal> => openJournal({ dir, origin: signer.name, signer });

/** What children run: opens the log named first, then does what its second argument says. */
const CHILD = `
import { writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { ed25519 } from '@noble/curves/ed25519.js';
import { openJournal } from '#libs/journal';
const seed = new Uint8Array(32).fill(1);
const signer = { name: 'node.example/log', publicKey: ed25519.getPublicKey(seed), sign: (m) => ed25519.sign(m, seed) };
const [, , dir, task, run] = process.argv;
const say = (line) => writeSync(1, line + '\\n');
const code = (promise) => promise.then((value) => String(value), (error) => error.code);
const journal = await openJournal({ dir, origin: signer.name, signer });

if (task === 'append-until-killed') {
  const writer = async (name) => {
    for (let n = 0; ; n++) {
      const text = run + '-' + name + '-' + n + '-' + 'x'.repeat((n * 37) % 700);
      say((await journal.append(text)) + ' ' + text);
    }
  };
  for (let name = 0; name < 6; name++) writer(name);
  for (;;) {
    await journal.checkpoint();
    await new Promise((next) => setTimeout(next, 15));
  }
}
if (task === 'fill-the-disk') {
  const text = 'x'.repeat(5000);
  let appended = 0;
  while ((await code(journal.append(text))) !== 'log-unavailable') appended++;
  const again = await Promise.all([journal.append(text), journal.append('y'.repeat(60000))].map(code));
  const small = await code(journal.append('small enough'));
  execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
  const after = await code(journal.append(text));
  await journal.checkpoint();
  say(JSON.stringify({ appended, again, small, after, size: Number(journal.size) }));
  await journal.close();
}
if (task === 'sign-in-a-closed-directory') {
  say('ready');
  for await (const _ of process.stdin) {
    say(JSON.stringify([await code(journal.append('x')), (await code(journal.checkpoint())).slice(0, 16)]));
  }
}
`;

let root: string;
let child: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'crash-'));
  await chmod(root, 0o755);
  child = join(root, 'child.mjs');
  await build({
    stdin: { contents: CHILD, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    outfile: child,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'silent',
  });
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Everything a child has said so far, in whole lines. */
function linesOf(process: ChildProcess): () => string[] {
  let text = '';
  process.stdout?.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return () => text.split('\n').slice(0, -1);
}

/** Waits until a child has said `count` lines. */
async function said(writer: ChildProcess, lines: () => string[], count: number): Promise<void> {
  while (lines().length < count) {
    if (writer.exitCode !== null) throw new Error(`the child ended with ${writer.exitCode}`);
    await sleep(2);
  }
}

describe('a log whose process dies', () => {
  /** Kills one log's writer again and again; every reader of it in between must find what was acknowledged. */
  async function killAndRead(dir: string, kills: number, delayMs: () => number): Promise<number> {
    const acknowledged = new Map<bigint, string>();
    for (let run = 0; run < kills; run++) {
      const writer = spawn('node', [child, dir, 'append-until-killed', String(run)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = linesOf(writer);
      await said(writer, lines, 1);
      await sleep(delayMs());
      writer.kill('SIGKILL');
      await once(writer, 'close');
      for (const line of lines()) {
        const [index = '', text = ''] = line.split(' ');
        if (acknowledged.has(BigInt(index))) throw new Error(`index ${index} was given twice`);
        acknowledged.set(BigInt(index), text);
      }

      // the dead writer's lock is taken over, and what it acknowledged is there
      const journal = await open(dir);
      let kept = 0;
      for await (const { index, bytes } of journal.entries()) {
        const text = acknowledged.get(index);
        if (text === undefined) continue;
        if (text !== Buffer.from(bytes).toString()) throw new Error(`entry ${index} changed`);
        kept++;
      }
      expect(kept).toBe(acknowledged.size);
      if (run % 2 === 0 || run === kills - 1) await journal.checkpoint();
      await journal.close();
    }
    const report = await verifyJournal(dir, { verifierKeys: [formatVerifierKey(signer)] });
    expect(report).toMatchObject({ ok: true, faults: [] });
    return acknowledged.size;
  }

  it(`keeps every acknowledged entry over ${LOGS * 25} SIGKILLs under load`, async () => {
    let state = 0x2545f491;
    const delayMs = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state % 97;
    };
    for (let log = 0; log < LOGS; log++) {
      const count = await killAndRead(join(root, `killed-${log}`), 25, delayMs);
      expect(count).toBeGreaterThan(250);
    }
  }, 3_600_000);
});

describe('a log on a disk that refuses', () => {
  it('rejects at once when full, keeps what it had, and goes on without a restart', async () => {
    const dir = join(root, 'full');
    // the limit on a file's size makes the kernel refuse in the middle of a write, as a full disk does
    const writer = spawn(
      'prlimit',
      ['--fsize=65536:unlimited', 'node', child, dir, 'fill-the-disk'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines = linesOf(writer);
    const [exitCode] = await once(writer, 'close');
    expect(exitCode).toBe(0);
    const told = JSON.parse(lines()[0] ?? '');
    // 65,536 bytes hold 13 records of 5,008 bytes
    expect(told).toMatchObject({
      appended: 13,
      again: ['log-unavailable', 'log-unavailable'],
      small: '13',
      after: '14',
      size: 15,
    });
    expect((await readFile(join(dir, 'entries.rec'))).length).toBe(14 * 5008 + 8 + 12);
    const journal = await open(dir);
    expect(journal.recovered).toEqual({ tornBytes: 0, restoredEntries: 0, unsignedEntries: 0 });
    await journal.close();
  });

  it('does not sign in a directory it may not write, and signs when it may again', async () => {
    const dir = join(root, 'closed');
    await mkdir(dir);
    const isRoot = process.getuid?.() === 0;
    await chmod(dir, 0o777);
    const writer = spawn('node', [child, dir, 'sign-in-a-closed-directory'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // root may write anywhere
      ...(isRoot && { uid: 65534, gid: 65534 }),
    });
    const lines = linesOf(writer);
    const answer = async (count: number): Promise<string> => {
      await said(writer, lines, count + 1);
      return lines()[count] ?? '';
    };
    expect(await answer(0)).toBe('ready');
    const published = await readFile(join(dir, 'checkpoint'), 'utf8');
    await chmod(dir, 0o555);
    writer.stdin?.write('sign\n');
    expect(JSON.parse(await answer(1))).toEqual(['0', 'log-unavailable']);
    expect(await readFile(join(dir, 'checkpoint'), 'utf8')).toBe(published);
    await chmod(dir, 0o777);
    writer.stdin?.write('sign\n');
    expect(JSON.parse(await answer(2))).toEqual(['1', 'node.example/log']);
    writer.stdin?.end();
    await once(writer, 'close');
  });
});
