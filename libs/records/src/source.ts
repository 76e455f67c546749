/** Source files: bytes from disk, unpacked when they are gzip, with the digests that identify them. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { TransformOptions } from 'node:stream';
import { createGunzip, type ZlibOptions } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';

const CHUNK = 65_536;
/** One MiB is unpacked ahead, on another thread, while rows are read. */
const UNPACK: ZlibOptions & TransformOptions = { chunkSize: CHUNK, highWaterMark: 1 << 20 };

/** What went wrong with the file as a whole, in the words of the operator's page. Other errors pass unchanged. */
export function sourceFault(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  const refuse = (ours: string, message: string): ConcordatError =>
    new ConcordatError(ours, message, { cause: error });
  switch (code) {
    case 'ENOENT':
      return refuse('file-missing', 'the file is not there any more: check the folder');
    case 'EACCES':
    case 'EPERM':
      return refuse('file-unreadable', 'the file may not be read: check its permissions');
    case 'EISDIR':
    case 'EIO':
      return refuse('file-unreadable', 'the file cannot be read: check that it is a plain file');
    case 'Z_BUF_ERROR':
      return refuse('truncated-gzip', 'the gzip file ends too early: copy it again');
    case 'Z_DATA_ERROR':
      return refuse('corrupt-gzip', 'the gzip file is damaged: copy it again');
    default:
      return error;
  }
}

/** SHA-256 of the file as it lies on disk, in hex: quick enough to tell an unchanged file without unpacking it. */
export async function storedDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

const isGzip = async (path: string): Promise<boolean> => {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
};

/**
 * Hands the unpacked bytes to `onBytes`, in order, at most 64 KiB at a time. Memory does not depend on the file. Returns
 * SHA-256 in hex of these bytes (`content`) and of those on disk (`stored`), both of this one reading, since the file may
 * be written to meanwhile. Rejects with errors of the file, for `sourceFault`, and with what `onBytes` throws.
 */
export async function readSource(
  path: string,
  onBytes: (bytes: Uint8Array) => void,
): Promise<{ content: string; stored: string }> {
  const content = createHash('sha256');
  const stored = createHash('sha256');
  const file = createReadStream(path, { highWaterMark: CHUNK });
  const gunzip = (await isGzip(path)) ? createGunzip(UNPACK) : undefined;
  if (gunzip) {
    file.on('error', (error) => gunzip.destroy(error));
    file.on('data', (bytes) => stored.update(bytes));
    file.pipe(gunzip);
  }
  try {
    for await (const bytes of gunzip ?? file) {
      content.update(bytes);
      onBytes(bytes);
    }
  } finally {
    file.destroy();
  }
  const digest = content.digest('hex');
  return { content: digest, stored: gunzip ? stored.digest('hex') : digest };
}
