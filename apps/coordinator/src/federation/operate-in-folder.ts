import { setTimeout as pause } from 'node:timers/promises';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { askRunning, createLogger } from '#libs/nest-kit';
import { coordinatorPaths } from '../config.js';
import { openCoordinator } from '../open-coordinator.js';
import { openOffice } from './office.js';
import { Operation, perform } from './operations.js';

const TIMEOUT_MS = 60_000;
const STARTING_WITHIN_MS = 30_000;
const RETRY_MS = 300;

/**
 * Does what the operator orders: through the coordinator in `dir` when it runs, else in its log and manifest, which the next start
 * reads. Throws `bad-argument` for what is no order, what `perform` throws, `log-locked`, `coordinator-unresponsive`.
 */
export async function operateInFolder<T extends object>(
  dir: string,
  order: Record<string, unknown>,
  nowMs: () => number,
): Promise<T> {
  const parsed = Operation.safeParse(order);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConcordatError(
      'bad-argument',
      `${issue?.path.join('.') || 'the order'} is not as it must be; see --help`,
    );
  }
  const { operation, ...body } = parsed.data;
  const request = {
    process: 'coordinator',
    control: coordinatorPaths(dir).control,
    path: `/v1/operations/${operation}`,
    body,
    timeoutMs: TIMEOUT_MS,
  };
  const endMs = performance.now() + STARTING_WITHIN_MS;
  for (;;) {
    const answer = await askRunning(request);
    if (answer) return answer as T;
    try {
      return (await performHere(dir, parsed.data, nowMs)) as T;
    } catch (error) {
      // whoever holds the log may be a coordinator that is starting
      if (!isConcordatError(error, 'log-locked') || performance.now() > endMs) throw error;
    }
    await pause(RETRY_MS);
  }
}

/** Opens the folder of a coordinator that does not run. */
async function performHere(dir: string, order: Operation, nowMs: () => number): Promise<object> {
  const coordinator = await openCoordinator(dir, {
    nowMs,
    logger: createLogger('coordinator', 'warn'),
    process: 'cli',
  });
  try {
    const office = await openOffice(coordinator, coordinatorPaths(dir).signingKey, () => {});
    // not signed here: the next start asks the witnesses before it signs
    return await perform(office, order);
  } finally {
    await coordinator.close();
  }
}
