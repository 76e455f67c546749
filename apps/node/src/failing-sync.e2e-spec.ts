/**
 * A disk on which nothing can be made durable while a node runs over it: fsync ends with EIO, as when a device goes away. The kernel of a test machine
 * need not have a device that fails on order, so `failing-sync.c` stands between the node and its C library.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { nodeOn, type StruckNode } from './struck-node.fixture-spec.js';
import { run } from './test-disk.fixture-spec.js';

const SOURCE = fileURLToPath(new URL('./failing-sync.c', import.meta.url));

let folder: string;
let node: StruckNode | undefined;

afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A node whose syncs fail while the file `order` stands. */
async function start() {
  folder = mkdtempSync(join(tmpdir(), 'concordat-failing-'));
  const library = join(folder, 'failing-sync.so');
  run('cc', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl');
  const order = join(folder, 'order');
  const env = { LD_PRELOAD: library, CONCORDAT_FAILING_SYNC: order, UV_USE_IO_URING: '0' };
  node = await nodeOn(folder, env);
  return {
    subject: node,
    fail: () => writeFileSync(order, ''),
    heal: () => rmSync(order),
  };
}

it('answers 503 while every fsync fails, says nothing that is not durable, and goes on by itself afterwards', async () => {
  const { subject, fail, heal } = await start();
  fail();
  await subject.expectRefusals();
  heal();
  await subject.expectRecovery();
  await subject.expectDurable();
});

it('stops in order while every fsync fails, and takes its log up again', async () => {
  const { subject, fail, heal } = await start();
  fail();
  await subject.expectRefusals();
  // nothing is left to sign or to write: what was refused is not in the log
  const { how } = await subject.stop('SIGTERM');
  expect([0, 1]).toContain(how);
  heal();
  await subject.start();
  await subject.expectRecovery();
  await subject.expectDurable();
});
