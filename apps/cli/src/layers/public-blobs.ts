import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sha256Hex } from '#libs/bytes';
import type { BlobSource } from '#libs/layers';
import { packageFile } from '../analyse/package-file.js';
import { fetchBlob } from '../release-files.js';

/** The deprivation file that this program ships: its bytes and their hash. */
export function shippedDeprivation(): { readonly bytes: Uint8Array; readonly hash: string } {
  const path = packageFile('samples/deprivation/imd2019-cells.csv.gz');
  const bytes = gunzipSync(readFileSync(path));
  return { bytes, hash: sha256Hex(bytes) };
}

/**
 * Public blobs of a coordinator, each checked against its name; the deprivation file is at hand. `onFetched` hears of every blob
 * that has arrived.
 */
export function publicBlobs(baseUrl: string, onFetched: (blobs: number) => void): BlobSource {
  const shipped = shippedDeprivation();
  let fetched = 0;
  return {
    async get(hash) {
      if (hash === shipped.hash) return shipped.bytes;
      const bytes = await fetchBlob(baseUrl, hash);
      onFetched(++fetched);
      return bytes;
    },
  };
}
