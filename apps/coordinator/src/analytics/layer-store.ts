import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isConcordatError } from '#libs/bytes';
import { replaceFile } from '#libs/host';
import { type Blobs, openBlobs } from '#libs/journal';
import { type LayerResult, parseResult } from '#libs/layers';
import { Digest } from '#libs/protocol';

/** Results that stay parsed for paging. */
const KEPT_PARSED = 4;

/**
 * Results by content key. A cache: losing it costs computing time and nothing else. Kept apart from the blobs of releases, because a
 * result may have to stop being served.
 */
export class LayerStore {
  private readonly parsed = new Map<string, Promise<LayerResult>>();

  private constructor(
    private readonly keys: string,
    private readonly results: Blobs,
    /** Folder that a computation stores its result in. */
    readonly folder: string,
  ) {}

  static async open(folder: string): Promise<LayerStore> {
    const keys = join(folder, 'keys');
    await mkdir(keys, { recursive: true });
    return new LayerStore(keys, await openBlobs({ dir: folder }), folder);
  }

  /** Hash of the result of a content key; undefined when it has to be computed (again). */
  async find(key: string): Promise<string | undefined> {
    const text = await readFile(join(this.keys, key), 'utf8').catch(() => '');
    const hash = Digest.safeParse(text.trim());
    return hash.success && (await this.results.has(hash.data)) ? hash.data : undefined;
  }

  /** Notes that a stored result belongs to a content key. */
  async name(key: string, hash: string): Promise<void> {
    await replaceFile(join(this.keys, key), `${hash}\n`, { durable: false });
  }

  /** Bytes of the result of a key; undefined when there is none, or it is damaged on disk. */
  async bytes(key: string): Promise<Uint8Array | undefined> {
    const hash = await this.find(key);
    if (hash === undefined) return undefined;
    try {
      return await this.results.get(hash);
    } catch (error) {
      if (isConcordatError(error, 'blob-corrupt') || isConcordatError(error, 'blob-missing')) {
        return undefined;
      }
      throw error;
    }
  }

  /** The same, parsed. */
  async result(key: string): Promise<LayerResult | undefined> {
    const known = this.parsed.get(key);
    if (known !== undefined) return known;
    const bytes = await this.bytes(key);
    if (!bytes) return undefined;
    const parsing = Promise.resolve(parseResult(bytes));
    this.parsed.set(key, parsing);
    for (const old of this.parsed.keys()) {
      if (this.parsed.size <= KEPT_PARSED) break;
      this.parsed.delete(old);
    }
    return parsing;
  }
}
