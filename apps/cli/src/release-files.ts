/** A published release as files: fetched by hash, checked, written as CSV. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ConcordatError, fromUtf8, parseCanonicalJson, sha256Hex } from '#libs/bytes';
import { confidenceInterval, standardError } from '#libs/dp';
import { buildTree, cellToText, parseDomainFile, type Resolution } from '#libs/grid';
import { ReleaseHeader } from '#libs/protocol';
import { bodyOf, reach } from './graphql-client.js';

const COLUMNS = 'cell,resolution,category,period,estimate,standardError,low,high,integer\n';
/** Estimates are written with this many decimals; ends of intervals and errors are rounded outward. */
const DECIMALS = 4;
const SCALE = 10 ** DECIMALS;
const FLUSH_CHARACTERS = 1 << 20;

/** Bytes of a blob, which must hash to its name (`blob-corrupt`). */
export async function fetchBlob(baseUrl: string, hash: string): Promise<Uint8Array> {
  const response = await reach(new URL(`/v1/blobs/${hash}`, baseUrl));
  if (!response.ok)
    throw new ConcordatError('not-found', 'the coordinator does not have a part of this release');
  const bytes = await bodyOf(response);
  if (sha256Hex(bytes) !== hash)
    throw new ConcordatError('blob-corrupt', 'a part of the release is not what its hash says');
  return bytes;
}

/** Header of a release; its id is its hash. */
export const fetchRelease = async (baseUrl: string, id: string): Promise<ReleaseHeader> =>
  ReleaseHeader.parse(parseCanonicalJson(await fetchBlob(baseUrl, id)));

const int32 = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const float64 = (bytes: Uint8Array): Float64Array =>
  new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);

/**
 * Writes every covered cell of every resolution, category and period as CSV: one row each, resolution 4 first. `onProgress` hears of
 * rows written and rows in all.
 */
export async function writeCellsCsv(
  baseUrl: string,
  header: ReleaseHeader,
  path: string,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  const finest = header.query.resolution as Resolution;
  const classes = await Promise.all(
    header.classes.map(async ({ domain, variance }) => {
      const text = fromUtf8(await fetchBlob(baseUrl, domain));
      const tree = buildTree(parseDomainFile('coverage', text), { finest });
      const variances = float64(await fetchBlob(baseUrl, variance));
      const errors = Float64Array.from(variances, standardError);
      const prefixes: string[] = [];
      for (let level = 1; level < tree.levelResolution.length; level++) {
        for (
          let node = tree.levelStart[level] as number;
          node < (tree.levelStart[level + 1] as number);
          node++
        ) {
          prefixes[node] =
            `${cellToText(tree.cells[node] as bigint)},${tree.levelResolution[level]},`;
        }
      }
      return { variances, errors, prefixes };
    }),
  );
  const total = header.groups.reduce(
    (sum, { coverageClass }) => sum + (classes[coverageClass]?.prefixes.length ?? 1) - 1,
    0,
  );
  const file = createWriteStream(path, { flags: 'wx' });
  const written = finished(file);
  let text = COLUMNS;
  let done = 0;
  for (const { category, period, coverageClass, ...blobs } of header.groups) {
    const coverage = classes[coverageClass];
    if (!coverage)
      throw new ConcordatError('unexpected-answer', 'a group of the release has no coverage class');
    const [estimate, integer] = await Promise.all([
      fetchBlob(baseUrl, blobs.estimate).then(float64),
      fetchBlob(baseUrl, blobs.integer).then(int32),
    ]);
    // Node 0 is the domain total, which is no cell.
    for (let node = 1; node < estimate.length; node++) {
      const value = estimate[node] as number;
      const { low, high } = confidenceInterval(value, coverage.variances[node] as number);
      text += `${coverage.prefixes[node]}${category},${period},${value.toFixed(DECIMALS)},${
        Math.ceil((coverage.errors[node] as number) * SCALE) / SCALE
      },${Math.floor(low * SCALE) / SCALE},${Math.ceil(high * SCALE) / SCALE},${integer[node]}\n`;
      if (text.length > FLUSH_CHARACTERS) {
        if (!file.write(text))
          await Promise.race([
            new Promise<void>((resolve) => file.once('drain', () => resolve())),
            written,
          ]);
        text = '';
      }
    }
    done += estimate.length - 1;
    onProgress(done, total);
  }
  file.end(text);
  await written;
  return total;
}
