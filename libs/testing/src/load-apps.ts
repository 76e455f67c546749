import { join } from 'node:path';

/** What a federation starts and calls. One after the other: Jest links modules that are imported at the same time in the wrong order. */
export const loadApps = async () => {
  const { packageRoot } = await import('#libs/host');
  return {
    policies: join(packageRoot(import.meta.url), 'policies'),
    ...(await import('../../../apps/coordinator/src/serve.js')),
    ...(await import('../../../apps/coordinator/src/init.js')),
    ...(await import('../../../apps/auditor/src/serve.js')),
    ...(await import('../../../apps/auditor/src/init.js')),
    ...(await import('../../../apps/node/src/serve.js')),
    ...(await import('../../../apps/node/src/init.js')),
    ...(await import('../../../apps/node/src/ingest.js')),
    ...(await import('../../../apps/node/src/linkage/bring-people.js')),
    ...(await import('../../../apps/cli/src/ask.js')),
    ...(await import('../../../apps/cli/src/release-files.js')),
    ...(await import('../../../apps/cli/src/audit/audit-folder.js')),
  };
};

export type Apps = Awaited<ReturnType<typeof loadApps>>;
