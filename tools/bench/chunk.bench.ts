import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gunzipSync } from 'node:zlib';
import { type ChunkColumns, decodeChunk, encodeChunk, parseDomainFile } from '#libs/grid';

interface Line {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
}

const DOMAIN = new URL('../../samples/grid/ew-2026-1.txt.gz', import.meta.url);
/** Standard error of a resolution-9 cell: discrete Gaussian noise at the default share of rho 1/8. */
const STANDARD_ERROR = Math.sqrt(1 / (2 * 0.125 * 0.58));

/** The national map at its finest: encode, compress and decode 1.6 million cells, one in twelve of them not empty. */
export async function run(emit: (line: Line) => void): Promise<void> {
  const cells = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(DOMAIN)).toString()).cells;
  const columns = syntheticColumns(cells.length);
  const timed = <T>(name: string, work: () => T): T => {
    const runs = Array.from({ length: 5 }, () => {
      const start = performance.now();
      const result = work();
      return { result, ms: performance.now() - start };
    }).sort((a, b) => a.ms - b.ms);
    const middle = runs[2] ?? runs[0];
    if (!middle) throw new Error('no run');
    emit({ name, figure: Math.round(middle.ms), unit: 'ms' });
    return middle.result;
  };
  const bytes = timed('chunk: encode national resolution 9', () => encodeChunk(0n, 9, columns));
  timed('chunk: decode national resolution 9', () => decodeChunk(bytes));
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5 },
  });
  emit({
    name: 'chunk: national resolution 9 under brotli 5',
    figure: brotli.length,
    unit: 'bytes',
  });
}

function syntheticColumns(n: number): ChunkColumns {
  let seed = 1;
  const uniform = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const columns = {
    coverage: new Uint8Array(n).fill(2),
    estimate: new Float64Array(n),
    standardError: new Float64Array(n).fill(STANDARD_ERROR),
    integer: new Int32Array(n),
  };
  for (let i = 0; i < n; i++) {
    const count = uniform() < 1 / 12 ? Math.floor(1 / uniform()) % 400 : 0;
    const gauss = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    columns.estimate[i] = count + STANDARD_ERROR * gauss;
    columns.integer[i] = Math.max(0, count + Math.round(gauss));
  }
  return columns;
}
