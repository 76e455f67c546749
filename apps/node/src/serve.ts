import type { RandomSource } from '#libs/dp';
import {
  createHttpApp,
  type Logger,
  listen,
  type RunningProcess,
  SignedClient,
} from '#libs/nest-kit';
import { seal } from '#libs/protocol';
import { appModule } from './app.module.js';
import { CoordinatorClient } from './coordinator-client.js';
import { handleTask } from './handle-task.js';
import { heldVersion } from './held-version.js';
import { startInboxLoop } from './inbox-loop.js';
import type { Node } from './node.js';
import { openNode } from './open-node.js';

/** Tells the coordinator which months this node holds, and its newest checkpoint. */
async function announce(node: Node, client: CoordinatorClient): Promise<void> {
  const months = (await heldVersion(node.records, node.config.dataset.name))?.months ?? [];
  const offer = {
    agency: node.agency.id,
    manifest: node.manifestHash,
    dataset: node.config.dataset.name,
    months: [...months],
    at: new Date(node.nowMs()).toISOString(),
  };
  await client.post('/v1/offers', seal('offer', offer, node.key));
  await postCheckpoint(node, client);
}

const postCheckpoint = async (node: Node, client: CoordinatorClient): Promise<void> =>
  client.post('/v1/checkpoints', { origin: node.logOrigin, note: await node.journal.checkpoint() });

export interface NodeOptions {
  /** Instead of the address in the settings. */
  readonly coordinatorUrl: string | undefined;
  readonly nowMs: () => number;
  /** In [0, 1): spreads reconnections, so that nodes do not return in step. */
  readonly jitter: () => number;
  readonly random?: RandomSource;
  readonly logger?: Logger;
}

/** Opens the folder, dials the coordinator, answers until stopped. */
export async function serveNode(dir: string, options: NodeOptions): Promise<RunningProcess> {
  const node = await openNode(dir, options);
  try {
    const url = options.coordinatorUrl ?? node.config.coordinator.url;
    const client = new CoordinatorClient(
      new SignedClient(url, node.agency.id, node.key, node.nowMs),
    );
    const loop = startInboxLoop({
      client,
      logger: node.logger,
      nowMs: node.nowMs,
      random: options.jitter,
      onConnect: () => announce(node, client),
      handle: async (task) => {
        await handleTask(task, node, client);
        await postCheckpoint(node, client);
      },
    });
    const app = await createHttpApp(appModule(node, loop), node.logger);
    const bound = await listen(app, node.config.listen.host, node.config.listen.port);
    return {
      url: bound,
      stop: async () => {
        await loop.stop();
        await app.close();
        await node.close();
      },
    };
  } catch (error) {
    await node.close();
    throw error;
  }
}
