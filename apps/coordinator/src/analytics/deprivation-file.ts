import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packageRoot } from '#libs/host';
import type { Blobs } from '#libs/journal';

const FILE = 'samples/deprivation/imd2019-cells.csv.gz';

/** Puts the public deprivation file among the blobs, where anybody can fetch it by the hash that results name; returns that hash. */
export const storeDeprivation = (blobs: Blobs): Promise<string> =>
  blobs.put(gunzipSync(readFileSync(join(packageRoot(import.meta.url), FILE))));
