/** Before the first end-to-end test: builds when a source changed since the last build. Specs drive the built program and its map page. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function buildOnce() {
  const setup = fileURLToPath(new URL('setup.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [setup], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the build failed: see above');
}
