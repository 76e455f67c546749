import { ConcordatError, isConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { openEnvelope, type SignedTask, seal, Task } from '#libs/protocol';
import { answerQuery } from './answer-query.js';
import type { CoordinatorClient } from './coordinator-client.js';
import type { Node } from './node.js';
import { writeReceipt } from './receipt.js';

/** Answers leave on multiples of this, so that their timing says little about the counts. */
const QUANTUM_MS = 250;

/** Codes that will be the same however often the message is sent again. */
const FINAL = new Set(['not-found', 'not-asked', 'round-closed', 'second-answer']);

/**
 * One task from the inbox to the end: checked, answered or refused, sent. An unsigned or foreign task is logged by code and dropped.
 * Throws when the coordinator is out of reach or the machine failed: the task is then still in the inbox.
 */
export async function handleTask(
  signed: SignedTask,
  node: Node,
  client: CoordinatorClient,
): Promise<void> {
  let task: Task;
  try {
    task = openEnvelope('task', Task, signed, node.manifest.coordinator.publicKey, verifySignature);
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    node.logger.warn({ code: error.code }, 'dropped a task');
    return;
  }
  const startedMs = node.nowMs();
  const outcome = await answerQuery(task, node);
  await untilQuantum(startedMs, node.nowMs);
  const path = `/v1/rounds/${task.round}`;
  try {
    if (!outcome.ok) {
      const { code, constraint } = outcome.refused;
      const refusal = {
        round: task.round,
        agency: node.agency.id,
        fingerprint: task.fingerprint,
        code,
        constraint,
        at: new Date(node.nowMs()).toISOString(),
      };
      await client.post(`${path}/refusal`, seal('refusal', refusal, node.key));
      node.logger.info({ round: task.round, code }, 'refused');
      return;
    }
    const { answer } = outcome;
    const receipt = await writeReceipt(task, answer, node);
    await client.putVector(answer.entry.valueDigest, await node.blobs.get(answer.entry.blob));
    const contribution = {
      round: task.round,
      agency: node.agency.id,
      groups: answer.groups.map(({ category, period }) => ({ category, period })),
      receipt,
    };
    await client.post(`${path}/contribution`, seal('contribution', contribution, node.key));
    node.logger.info({ round: task.round, grant: answer.entry.grant }, 'answered');
  } catch (error) {
    if (!(error instanceof ConcordatError) || !FINAL.has(error.code)) throw error;
    node.logger.warn(
      { round: task.round, code: error.code },
      'the coordinator did not take the answer',
    );
  }
}

const untilQuantum = (startedMs: number, nowMs: () => number): Promise<void> => {
  const elapsedMs = nowMs() - startedMs;
  const waitMs = Math.ceil(Math.max(elapsedMs, 1) / QUANTUM_MS) * QUANTUM_MS - elapsedMs;
  return new Promise((resolve) => setTimeout(resolve, waitMs));
};
