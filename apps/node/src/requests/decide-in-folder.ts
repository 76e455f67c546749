import { askRunning, createLogger } from '#libs/nest-kit';
import { nodePaths } from '../config.js';
import { openNode } from '../open-node.js';
import { approveRequest, denyRequest, expireRequests } from './decide-request.js';
import { RequestView, viewRequest } from './request-view.js';

export type Decision =
  | { readonly verb: 'approve'; readonly by: string }
  | { readonly verb: 'deny'; readonly by: string; readonly reason: string };

const TIMEOUT_MS = 10_000;

/**
 * Decides a request of the node in `dir`: through the node when it runs, else in its log, which the next start reads. Throws what
 * `approveRequest` and `denyRequest` throw, `log-locked` when another process writes the log, `node-unresponsive`.
 */
export async function decideInFolder(
  dir: string,
  id: string,
  decision: Decision,
  nowMs: () => number,
): Promise<RequestView> {
  const { verb, ...body } = decision;
  const answer = await askRunning({
    process: 'node',
    control: nodePaths(dir).control,
    path: `/v1/requests/${encodeURIComponent(id)}/${verb}`,
    body,
    timeoutMs: TIMEOUT_MS,
  });
  if (answer) return RequestView.parse(answer);
  const node = await openNode(dir, {
    nowMs,
    process: 'cli',
    logger: createLogger('node', 'warn'),
  });
  try {
    await expireRequests(node);
    const hold =
      decision.verb === 'approve'
        ? await approveRequest(node, id, decision.by)
        : await denyRequest(node, id, decision.by, decision.reason);
    // not signed here: the next start asks the witnesses before it signs
    return viewRequest(hold, new Date(nowMs()).toISOString());
  } finally {
    await node.close();
  }
}
