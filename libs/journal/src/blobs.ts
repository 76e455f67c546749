/** Large byte strings by their SHA-256, beside a log whose entries name them. Written once, never changed. */

import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConcordatError, sha256Hex } from '#libs/bytes';
import { hasErrno, makeDirectory, replaceFile, syncDirectory } from '#libs/host';

export interface Blobs {
  /** Stores `bytes`, durable when it resolves to their hash; again is harmless. Rejects with `blob-unavailable`. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes, hashed again. Rejects with `blob-missing` or `blob-corrupt`. */
  get(hash: string): Promise<Uint8Array>;
  /** Whether a blob of that name is there; its bytes are not looked at. */
  has(hash: string): Promise<boolean>;
  /** Where it is or would be. Throws `malformed-hash`. */
  path(hash: string): string;
}

/** Opens the store in `dir`, which is created. Hashes are 64 lower-case hex digits. */
export async function openBlobs({ dir }: { readonly dir: string }): Promise<Blobs> {
  await makeDirectory(dir);

  const path = (hash: string): string => {
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      throw new ConcordatError('malformed-hash', 'a blob is named by 64 lower-case hex digits');
    }
    return join(dir, hash.slice(0, 2), hash);
  };
  const get = async (hash: string): Promise<Uint8Array> => {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path(hash));
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      throw new ConcordatError('blob-missing', 'no blob of this name; restore it from a copy');
    }
    if (sha256Hex(bytes) !== hash) {
      throw new ConcordatError(
        'blob-corrupt',
        'a blob does not hash to its name; restore it from a copy',
      );
    }
    return bytes;
  };
  return {
    path,
    get,
    async has(hash) {
      try {
        return (await stat(path(hash))).isFile();
      } catch (error) {
        if (hasErrno(error, 'ENOENT')) return false;
        throw error;
      }
    },
    async put(bytes) {
      const hash = sha256Hex(bytes);
      // what is there and whole need not be written again; what is there and damaged is healed
      const isThere = await get(hash).then(
        () => true,
        () => false,
      );
      try {
        // its name may be younger than the last sync of its directory, where another process put it just now
        if (isThere) await syncDirectory(dirname(path(hash)));
        else await replaceFile(path(hash), bytes);
      } catch (error) {
        throw new ConcordatError('blob-unavailable', 'a blob could not be stored; check the disk', {
          cause: error,
        });
      }
      return hash;
    },
  };
}
