import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gunzipSync } from 'node:zlib';
import { levelVariances, parseRho, planEstimate } from '#libs/dp';
import {
  buildTree,
  type ChunkColumns,
  decodeChunk,
  encodeChunk,
  parseDomainFile,
} from '#libs/grid';
import type { Emit } from './line.js';

const DOMAIN = 'samples/grid/ew-2026-1.txt.gz';
/** Epsilon 0.5 and 2.4 at delta 1e-6, one count a cell: the least budget of the goal, and that of the demo. */
const BUDGETS = [
  ['epsilon 0.5', '1/200'],
  ['epsilon 2.4', '1/8'],
] as const;

/**
 * The national map at its finest: encode, compress and decode 1.6 million cells, one in twelve of them not empty. Standard errors are
 * those of the real tree estimate, cell by cell.
 */
export async function run(emit: Emit): Promise<void> {
  const domain = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(DOMAIN)).toString());
  const tree = buildTree(domain, { finest: 9 });
  for (const [budget, rho] of BUDGETS) {
    const levels = levelVariances({ rho: parseRho(rho), finest: 9, l2SensitivitySquared: 1n });
    const { variance } = planEstimate(
      tree,
      levels.map(({ sigma2 }) => sigma2),
    );
    const columns = syntheticColumns(variance.slice(tree.nodeCount - domain.cells.length));
    const timed = <T>(name: string, work: () => T): T => {
      const runs = Array.from({ length: 5 }, () => {
        const start = performance.now();
        const result = work();
        return { result, ms: performance.now() - start };
      }).sort((a, b) => a.ms - b.ms);
      const middle = runs[2] ?? runs[0];
      if (!middle) throw new Error('no run');
      emit({ name: `${name}, ${budget}`, figure: Math.round(middle.ms), unit: 'ms' });
      return middle.result;
    };
    const bytes = timed('chunk: encode national resolution 9', () => encodeChunk(0n, 9, columns));
    timed('chunk: decode national resolution 9', () => decodeChunk(bytes));
    const brotli = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5 },
    });
    emit({
      name: `chunk: national resolution 9 under brotli 5, ${budget}`,
      figure: brotli.length,
      unit: 'bytes',
    });
  }
}

function syntheticColumns(variance: Float64Array): ChunkColumns {
  let seed = 1;
  const uniform = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const n = variance.length;
  const columns = {
    coverage: new Uint8Array(n).fill(2),
    estimate: new Float64Array(n),
    standardError: variance.map(Math.sqrt),
  };
  for (let i = 0; i < n; i++) {
    const count = uniform() < 1 / 12 ? Math.floor(1 / uniform()) % 400 : 0;
    const gauss = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    columns.estimate[i] = count + (columns.standardError[i] ?? 0) * gauss;
  }
  return columns;
}
