import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConcordatError } from '#libs/bytes';

/** Largest vector that is taken: every category and 120 months of a very large agency. */
const MAX_VECTOR_BYTES = 4 * 1024 ** 3;

/** Uploaded vectors, each in a file named by its SHA-256. Nothing is kept under a name that does not fit its bytes. */
export class VectorStore {
  constructor(private readonly dir: string) {}

  /** Streams a body to disk and returns its SHA-256; `accept` may still refuse it before it gets its name. */
  async receive(
    digest: string,
    body: Readable,
    accept: (sha256: Uint8Array) => void,
    unique: string,
  ): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    const partial = join(this.dir, `${digest}.${unique}.partial`);
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      await pipeline(
        body,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            bytes += chunk.length;
            if (bytes > MAX_VECTOR_BYTES)
              throw new ConcordatError('too-large', 'the vector is too large');
            hash.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true }),
      );
      const sha256 = hash.digest();
      accept(sha256);
      if (sha256.toString('hex') !== digest) {
        throw new ConcordatError('wrong-digest', 'the vector is not the one its name says');
      }
      await rename(partial, join(this.dir, digest));
      await this.sync();
    } finally {
      await rm(partial, { force: true });
    }
  }

  /** Throws `not-yet` when the vector has not arrived, `wrong-length` when it is not exactly `bytes` long. */
  async require(digest: string, bytes: number): Promise<void> {
    const found = await stat(join(this.dir, digest)).catch(() => undefined);
    if (!found)
      throw new ConcordatError('not-yet', 'upload the vector first, then its contribution');
    if (found.size !== bytes)
      throw new ConcordatError('wrong-length', 'the vector does not fit the domain and the groups');
  }

  /** Forgets a vector that no round needs any more. */
  async discard(digest: string): Promise<void> {
    await rm(join(this.dir, digest), { force: true });
  }

  /** Forgets every vector, for as long as `isIdle` says that no round is under way. */
  async discardAll(isIdle: () => boolean): Promise<void> {
    for (const name of await readdir(this.dir).catch(() => [])) {
      if (!isIdle()) return;
      await rm(join(this.dir, name), { force: true });
    }
  }

  /** Makes names durable: a log entry relies on the file. */
  private async sync(): Promise<void> {
    const folder = await open(this.dir, 'r');
    await folder.sync().finally(() => folder.close());
  }

  /** `length` int32 values from position `from` of a vector. */
  async slice(digest: string, from: number, length: number): Promise<Int32Array> {
    const file = await open(join(this.dir, digest), 'r');
    try {
      const values = new Int32Array(length);
      const bytes = Buffer.from(values.buffer);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, from * 4 + done);
        if (bytesRead === 0)
          throw new ConcordatError(
            'wrong-length',
            'the vector is shorter than its contribution says',
          );
        done += bytesRead;
      }
      return values;
    } finally {
      await file.close();
    }
  }
}
