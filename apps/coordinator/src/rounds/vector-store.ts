import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import type { Upload } from '#libs/protocol';

/** Largest vector that is taken: every category and 120 months of a very large agency. */
const MAX_VECTOR_BYTES = 4 * 1024 ** 3;

/** Largest upload that is read at once: the label sets of some four million people. */
const MAX_WHOLE_BYTES = 1024 ** 3 / 2;

/** How many values are looked at at a time. */
const CHECKED_VALUES = 1 << 18;

/** Exact length of a vector of int32, and the public bound that no value of it exceeds in size; masked values have none. */
export interface VectorShape {
  readonly bytes: number;
  readonly bound: number | undefined;
}

/** Which part of a vector a request carries, of how many bytes in all, and who sends it. */
export interface VectorPart {
  readonly sender: string;
  readonly offset: number;
  readonly length: number;
}

const shaOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};
const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/**
 * Uploaded vectors, each in a file named by its SHA-256. What arrived before a connection broke is kept, for its sender to go on from
 * (in the manner of draft-ietf-httpbis-resumable-upload); nothing is kept under a name that does not fit its bytes.
 */
export class VectorStore {
  /** Bodies that are being received, by the file they go to. */
  private readonly receiving = new Map<string, { body: Readable; ended: Promise<unknown> }>();

  constructor(private readonly dir: string) {}

  /** How far a sender's upload has come. An upload of the same that is still under way ends: its connection may be dead. */
  async progress(digest: string, sender: string): Promise<Upload> {
    const whole = await sizeOf(join(this.dir, digest));
    if (whole !== undefined) return { offset: whole, complete: true };
    const partial = this.partial(digest, sender);
    await this.interrupt(partial);
    return { offset: (await sizeOf(partial)) ?? 0, complete: false };
  }

  /**
   * Appends a part to what has come; the last one gives the vector its name. `accept` may refuse a part that came whole. Throws `too-large`,
   * `wrong-offset` (ask how far it has come), `upload-cut`, `wrong-digest`, and what `accept` throws: the part is then forgotten.
   */
  async receive(
    digest: string,
    { sender, offset, length }: VectorPart,
    body: Readable,
    accept: (sha256: Uint8Array) => void,
  ): Promise<void> {
    if (length > MAX_VECTOR_BYTES) throw new ConcordatError('too-large', 'the vector is too large');
    await mkdir(this.dir, { recursive: true });
    const partial = this.partial(digest, sender);
    await this.interrupt(partial);
    if (((await sizeOf(partial)) ?? 0) !== offset) {
      throw new ConcordatError('wrong-offset', 'ask how far the upload has come; go on from there');
    }
    const appending = this.append(partial, { offset, length }, body);
    this.receiving.set(partial, { body, ended: appending.catch(() => undefined) });
    try {
      accept(await appending);
    } catch (error) {
      if (!isConcordatError(error, 'upload-cut')) await truncate(partial, offset);
      throw error;
    } finally {
      this.receiving.delete(partial);
    }
    if ((await sizeOf(partial)) === length) await this.complete(digest, partial);
  }

  private async append(
    partial: string,
    { offset, length }: Omit<VectorPart, 'sender'>,
    body: Readable,
  ): Promise<Uint8Array> {
    const hash = createHash('sha256');
    let end = offset;
    const checked = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        end += chunk.length;
        if (end > length) throw new ConcordatError('too-large', 'more came than was announced');
        hash.update(chunk);
        yield chunk;
      }
    };
    const file = createWriteStream(partial, { flags: 'a', mode: 0o600, flush: true });
    try {
      await pipeline(body, checked, file);
    } catch (cause) {
      if (isConcordatError(cause)) throw cause;
      const code = (cause as NodeJS.ErrnoException).code;
      // a body that breaks off has the codes of its stream; everything else is the disk's
      const isCut = code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET';
      throw isCut
        ? new ConcordatError('upload-cut', 'the connection broke; go on from where it came to')
        : new ConcordatError('blob-unavailable', 'a vector could not be stored; check the disk', {
            cause,
          });
    }
    return hash.digest();
  }

  private async complete(digest: string, partial: string): Promise<void> {
    if ((await shaOf(partial)) !== digest) {
      await rm(partial, { force: true });
      throw new ConcordatError('wrong-digest', 'the vector is not the one its name says');
    }
    await rename(partial, join(this.dir, digest));
    await this.sync();
  }

  private async interrupt(partial: string): Promise<void> {
    const current = this.receiving.get(partial);
    current?.body.destroy();
    await current?.ended;
  }

  private partial(digest: string, sender: string): string {
    return join(this.dir, `${digest}.${sender}.partial`);
  }

  /**
   * Throws `not-yet` when the vector has not arrived, and, where its shape is known, `wrong-length` when it has another length and
   * `beyond-bound` when it has a value that is too large or too small.
   */
  async require(digest: string, shape: VectorShape | undefined): Promise<void> {
    const found = await stat(join(this.dir, digest)).catch(() => undefined);
    if (!found)
      throw new ConcordatError('not-yet', 'upload the vector first, then its contribution');
    if (!shape) return;
    const { bytes, bound } = shape;
    if (found.size !== bytes)
      throw new ConcordatError('wrong-length', 'the vector does not fit the domain and the groups');
    if (bound === undefined) return;
    for (let from = 0; from < bytes / 4; from += CHECKED_VALUES) {
      const values = await this.slice(digest, from, Math.min(CHECKED_VALUES, bytes / 4 - from));
      if (values.some((value) => value > bound || value < -bound))
        throw new ConcordatError('beyond-bound', 'the vector has a value that no count can be');
    }
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

  /** All bytes of an upload that is read at once. Throws `too-large`. */
  async whole(digest: string): Promise<Uint8Array> {
    const path = join(this.dir, digest);
    if ((await stat(path)).size > MAX_WHOLE_BYTES) {
      throw new ConcordatError('too-large', 'the answer is too large: ask area by area');
    }
    return readFile(path);
  }

  /** `length` int32 values from position `from` of a vector. */
  async slice(digest: string, from: number, length: number): Promise<Int32Array> {
    const bytes = await this.read(digest, from * 4, length * 4);
    return new Int32Array(bytes.buffer, bytes.byteOffset, length);
  }

  /** `length` bytes from byte `from` of a vector, in memory of their own. */
  async read(digest: string, from: number, length: number): Promise<Uint8Array> {
    const file = await open(join(this.dir, digest), 'r');
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done);
        if (bytesRead === 0)
          throw new ConcordatError(
            'wrong-length',
            'the vector is shorter than its contribution says',
          );
        done += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  }
}
