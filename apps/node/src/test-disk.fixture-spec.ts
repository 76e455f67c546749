/** Disks that fill up or take no writes, for the specs beside it (the name keeps it out of the build and out of Jest's list). They need root. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** An ext4 file system in a file, on a loop device. */
export interface Disk {
  readonly dir: string;
  readonly image: string;
  readonly device: string;
  unmount(): void;
  mount(): void;
  remove(): void;
}

/** Mounts an ext4 file system with `options`; undefined where this user may not. */
export function makeDisk(options: string): Disk | undefined {
  const base = mkdtempSync(join(tmpdir(), 'concordat-disk-'));
  const image = join(base, 'image');
  const dir = join(base, 'mounted');
  mkdirSync(dir);
  writeFileSync(image, '');
  truncateSync(image, 96 << 20);
  let device = '';
  let mounted = false;
  const disk: Disk = {
    dir,
    image,
    get device() {
      return device;
    },
    mount: () => {
      run('mount', '-t', 'ext4', '-o', options, device, dir);
      mounted = true;
    },
    unmount: () => {
      if (mounted) run('umount', dir);
      mounted = false;
    },
    remove: () => {
      disk.unmount();
      if (device) run('losetup', '-d', device);
      rmSync(base, { recursive: true });
    },
  };
  try {
    run('mkfs.ext4', '-q', '-O', '^has_journal', image);
    device = run('losetup', '--find', '--show', image);
    disk.mount();
    return disk;
  } catch {
    disk.remove();
    return undefined;
  }
}

/** A file system of its own that can be filled; undefined where this user may not mount one. */
export function mountSmallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'concordat-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', dir], { stdio: 'ignore' });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

/** Writes until there is no room for another byte. */
export function fill(path: string): void {
  const file = openSync(path, 'w');
  let block = 1 << 20;
  while (block >= 1) {
    try {
      if (writeSync(file, Buffer.alloc(block)) < block) block >>= 1;
    } catch {
      block >>= 1;
    }
  }
  closeSync(file);
}

export function unmountSmallDisk(dir: string): void {
  run('umount', dir);
  rmSync(dir, { recursive: true });
}

/** In CI a missing part is a failure; elsewhere a person without the right to mount is told that this test did not run. */
export function cannotMount(): void {
  const why =
    'this user may not mount a file system: run the tests as root to try a full or read-only disk';
  if (process.env.CI) throw new Error(why);
  process.stderr.write(`not run: ${why}\n`);
}
