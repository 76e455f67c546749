/**
 * Small secrets on disk: each file is a box that the process closed for itself, mode 0600, replaced at once or not at all. A copy of the
 * folder without the process's box key is noise.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { eraseFile, hasErrno, replaceFileSync } from '#libs/host';

/** The part of a box key (`BoxKey` of the keystore lib) that this lib needs. */
export interface Box {
  readonly publicKey: string;
  close(message: Uint8Array, recipient: string): Uint8Array;
  open(box: Uint8Array, sender: string): Uint8Array;
}

export class SealedFolder {
  constructor(
    readonly dir: string,
    private readonly box: Box,
  ) {}

  /** Names of the sub-folders. */
  async folders(): Promise<string[]> {
    const found = await readdir(this.dir, { withFileTypes: true }).catch(() => []);
    return found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  folder(name: string): SealedFolder {
    return new SealedFolder(join(this.dir, name), this.box);
  }

  /** The message of a file, undefined where there is none. Throws `bad-box` for a file that this key did not close. */
  async read(name: string): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(join(this.dir, name));
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw new ConcordatError('linkage-file-unreadable', 'check permissions and disk', {
        cause: error,
      });
    }
    return this.box.open(bytes, this.box.publicKey);
  }

  /** Throws `linkage-file-unwritable`; then the old file stands. */
  async write(name: string, message: Uint8Array): Promise<void> {
    try {
      await mkdir(this.dir, { recursive: true, mode: 0o700 });
      const box = this.box.close(message, this.box.publicKey);
      replaceFileSync(join(this.dir, name), box, { mode: 0o600 });
    } catch (cause) {
      throw new ConcordatError('linkage-file-unwritable', 'check the disk', { cause });
    }
  }

  /**
   * Closes every file of this folder and those below anew, so that none needs a key before the present one. Only while nobody else uses the
   * folder. What is not a box of this process stays as it is.
   */
  async reclose(): Promise<void> {
    for (const name of await this.folders()) await this.folder(name).reclose();
    const found = await readdir(this.dir, { withFileTypes: true }).catch(() => []);
    for (const { name } of found.filter((entry) => entry.isFile())) {
      const message = await this.read(name).catch((error: unknown) => {
        if (isConcordatError(error, 'bad-box')) return undefined;
        throw error;
      });
      if (message) await this.write(name, message);
    }
  }

  /** Overwrites a file, then removes it (`eraseFile`). What a disk keeps of overwritten blocks is the disk's (docs/privacy/linkage.md). */
  erase(name: string): void {
    eraseFile(join(this.dir, name));
  }
}
