import { ConcordatError } from '#libs/bytes';
import { type Control, createLogger, readControl } from '#libs/nest-kit';
import { Problem } from '#libs/protocol';
import { nodePaths } from '../config.js';
import { openNode } from '../open-node.js';
import { approveRequest, denyRequest, expireRequests } from './decide-request.js';
import { RequestView, viewRequest } from './request-view.js';

export type Decision =
  | { readonly verb: 'approve'; readonly by: string }
  | { readonly verb: 'deny'; readonly by: string; readonly reason: string };

const TIMEOUT_MS = 10_000;

/** Asks the running node; undefined when nothing listens at its address, as after a kill. */
async function askNode(
  { url, token }: Control,
  id: string,
  { verb, ...body }: Decision,
): Promise<RequestView | undefined> {
  let response: Response;
  try {
    response = await fetch(new URL(`/v1/requests/${encodeURIComponent(id)}/${verb}`, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') {
      throw new ConcordatError(
        'node-unresponsive',
        'the node runs and does not answer; see its log',
      );
    }
    return undefined;
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return RequestView.parse(answer);
  const problem = Problem.safeParse(answer);
  throw problem.success
    ? new ConcordatError(problem.data.code, problem.data.title)
    : new ConcordatError(`http-${response.status}`, 'the node did not take the decision');
}

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
  const control = readControl(nodePaths(dir).control);
  const answer = control && (await askNode(control, id, decision));
  if (answer) return answer;
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
