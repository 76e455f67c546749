/** Wall time of the whole demo on the bundled samples, as `npm start -- --once` runs it once everything is built. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Emit } from './line.js';

const CONCORDAT = fileURLToPath(new URL('../../../bin/concordat.mjs', import.meta.url));

export async function run(emit: Emit): Promise<void> {
  const startedMs = performance.now();
  const { status, stdout } = spawnSync(process.execPath, [CONCORDAT, 'start', '--once', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
  const wallSeconds = (performance.now() - startedMs) / 1000;
  if (status !== 0) throw new Error(`the demo failed with exit code ${status}: ${stdout}`);
  const { agencies, cells } = JSON.parse(stdout) as {
    agencies: { rows: number }[];
    cells: { domain: number };
  };
  const rows = agencies.reduce((sum, agency) => sum + agency.rows, 0);
  emit({ name: 'start/wall', figure: Number(wallSeconds.toFixed(2)), unit: 's' });
  emit({ name: 'start/rows', figure: rows, unit: 'rows' });
  emit({ name: 'start/cells', figure: cells.domain, unit: 'resolution-9 cells' });
}
