/**
 * A disk that the kernel makes read-only under a running node. Needs root and loop devices: an ext4 file system in a file, mounted,
 * is the node's disk. `mount -o remount,ro` is refused while files are open for writing, so ext4's own answers are used: to an error, which only a new
 * mount ends, and to files marked immutable, which can be taken back at once.
 */
import { openSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { nodeOn, type StruckNode } from './struck-node.fixture-spec.js';
import { cannotMount, type Disk, makeDisk, run } from './test-disk.fixture-spec.js';

let disk: Disk | undefined;
let node: StruckNode | undefined;

afterEach(async () => {
  await node?.close();
  node = undefined;
  disk?.remove();
});

/** What is read after it comes from the disk and not from memory. */
const remount = (mounted: Disk | undefined): void => {
  mounted?.unmount();
  mounted?.mount();
};

it('answers 503 when the kernel makes its file system read-only, and goes on after it was mounted anew', async () => {
  disk = makeDisk('errors=remount-ro');
  if (disk === undefined) return cannotMount();
  const subject = await nodeOn(disk.dir);
  node = subject;
  // what ext4 does after an error on the disk: EROFS at once, also on files that are open
  writeFileSync(`/sys/fs/ext4/${basename(disk.device)}/trigger_fs_error`, '1');
  const path = join(disk.dir, 'another');
  expect(() => openSync(path, 'w')).toThrow(expect.objectContaining({ code: 'EROFS' }));
  await subject.expectRefusals();
  // the kernel takes no remount,rw after an error: unmounted and mounted again, so the node has to end
  // it stops in order, as far as the disk lets it, and says that it could not do it all
  const { how, words } = await subject.stop('SIGTERM');
  expect(how).toBe(1);
  expect(words).toContain('a part did not stop cleanly');
  expect(words).toContain('stopped, but not cleanly');
  disk.unmount();
  disk.mount();
  await subject.start();
  await subject.expectRecovery();
  await subject.expectDurable(() => remount(disk));
});

it('answers 503 while the kernel refuses every write to its folder, and goes on without a restart', async () => {
  disk = makeDisk('errors=remount-ro');
  if (disk === undefined) return cannotMount();
  const subject = await nodeOn(disk.dir);
  node = subject;
  const folder = join(disk.dir, 'node');
  // the read-only state that can be taken back under open files: ext4 refuses each write, truncation and new file with EPERM
  run('chattr', '-R', '+i', folder);
  try {
    expect(() => openSync(join(folder, 'another'), 'w')).toThrow(
      expect.objectContaining({ code: 'EPERM' }),
    );
    await subject.expectRefusals();
  } finally {
    run('chattr', '-R', '-i', folder);
  }
  await subject.expectRecovery();
  await subject.expectDurable(() => remount(disk));
});
