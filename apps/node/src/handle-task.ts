import { ConcordatError, isConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { inRound, RequestRefused, type SignedClient } from '#libs/nest-kit';
import { openEnvelope, type SignedTask, seal, Task, vectorDigest } from '#libs/protocol';
import { answerQuery } from './answer-query.js';
import type { CoordinatorClient } from './coordinator-client.js';
import type { FindLabelled } from './linkage/answer-linked.js';
import type { Node } from './node.js';
import type { Outcome } from './outcome.js';
import { writeReceipt } from './receipt.js';
import { newestHold } from './requests/hold-book.js';
import { sealAnswer } from './seal-answer.js';

/** Answers leave on multiples of this, so that their timing says little about the counts. */
const QUANTUM_MS = 250;

/** Answers that will be the same however often the message is sent again: there is no such round, or never anything but no. */
const NEVER = new Set([404, 422]);
const isFinal = (error: unknown): error is RequestRefused =>
  error instanceof RequestRefused && NEVER.has(error.status);

/** Codes of this machine's disk: the same question can be answered once it is mended. */
const DISK = new Set(['log-unavailable', 'blob-unavailable', 'log-closed']);

type Client = Pick<CoordinatorClient, 'post' | 'putVector'>;
type Auditor = Pick<SignedClient, 'send'>;

/** A task whose signature the coordinator's key of the task's own manifest made; undefined, and a line in the process's log, for any other. */
function openTask(signed: SignedTask, node: Node): Task | undefined {
  try {
    const { coordinator } = node.pinned.named(signed.payload.manifest) ?? node.manifest;
    return openEnvelope('task', Task, signed, coordinator.publicKey, verifySignature);
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    node.logger.warn({ code: error.code }, 'dropped a task');
    return undefined;
  }
}

/**
 * One task from the inbox to the end: checked, answered, refused or held, and sent. An unsigned or foreign task is logged by code and
 * dropped. Resolves to false while the question waits for a person: the task must come again. Throws when the coordinator is out
 * of reach or the machine failed (`log-unavailable`, `blob-unavailable`, `cannot-answer`): the task is then still in the inbox.
 */
export async function handleTask(
  signed: SignedTask,
  node: Node,
  client: Client,
  auditor?: Auditor,
  findLabelled?: FindLabelled,
): Promise<boolean> {
  const task = openTask(signed, node);
  if (!task) return true;
  const startedMs = node.nowMs();
  let outcome: Outcome;
  try {
    outcome = await inRound(task.round, 'question.answer', () =>
      answerQuery(task, node, findLabelled),
    );
  } catch (cause) {
    if (isConcordatError(cause) && DISK.has(cause.code)) throw cause;
    throw new ConcordatError('cannot-answer', 'this machine failed to answer a question', {
      cause,
    });
  }
  await untilQuantum(startedMs, node.nowMs);
  try {
    await inRound(task.round, 'answer.send', () => send(task, outcome, node, client, auditor));
  } catch (error) {
    if (isConcordatError(error, 'seed-refused')) {
      node.logger.error({ round: task.round, err: error }, 'the auditor did not take the seed');
      const refused = { code: error.code, constraint: null };
      await send(task, { status: 'refused', refused }, node, client, auditor);
      return true;
    }
    if (!isFinal(error)) throw error;
    node.logger.warn(
      { round: task.round, code: error.code },
      'the coordinator did not take the answer',
    );
    return true;
  }
  return outcome.status !== 'held';
}

/** Tells the coordinator that this machine cannot answer a task, so that its round need not wait. */
export async function giveUpTask(signed: SignedTask, node: Node, client: Client): Promise<void> {
  const task = openTask(signed, node);
  if (!task) return;
  const refused = { code: 'node-fault', constraint: null };
  await send(task, { status: 'refused', refused }, node, client, undefined).catch(
    (error: unknown) => {
      if (!isFinal(error)) throw error;
    },
  );
}

async function send(
  task: Task,
  outcome: Outcome,
  node: Node,
  client: Client,
  auditor: Auditor | undefined,
): Promise<void> {
  const path = `/v1/rounds/${task.round}`;
  const at = new Date(node.nowMs()).toISOString();
  const { round, fingerprint } = task;
  const about = { round, agency: node.agency.id, fingerprint, at };
  switch (outcome.status) {
    case 'held':
      await client.post(`${path}/hold`, seal('hold', { ...about, until: outcome.until }, node.key));
      node.logger.info({ round }, 'waits for a person');
      return;
    case 'refused': {
      const { code, constraint } = outcome.refused;
      await client.post(
        `${path}/refusal`,
        seal('refusal', { ...about, code, constraint }, node.key),
      );
      node.logger.info({ round, code }, 'refused');
      return;
    }
    case 'answered': {
      const { answer } = outcome;
      if (newestHold(node.holds, fingerprint)) {
        await client.post(`${path}/accept`, seal('accept', about, node.key));
      }
      const shares = task.sealed
        ? await sealAnswer(task, answer, node, toldOf(auditor))
        : undefined;
      const receipt = await writeReceipt(task, answer, node, shares?.sealed);
      await client.putVector(
        vectorDigest(receipt.payload),
        shares?.masked ?? (await node.blobs.get(answer.entry.blob)),
      );
      const contribution = {
        round,
        agency: node.agency.id,
        groups: answer.groups.map(({ category, period }) => ({ category, period })),
        receipt,
      };
      await client.post(`${path}/contribution`, seal('contribution', contribution, node.key));
      node.logger.info({ round, grant: answer.entry.grant }, 'answered');
    }
  }
}

/** A task that needs the auditor's address is refused by a node that has none, long before this. */
function toldOf(auditor: Auditor | undefined): Auditor {
  if (auditor) return auditor;
  throw new ConcordatError('no-auditor-address', 'this node does not know where the auditor is');
}

const untilQuantum = (startedMs: number, nowMs: () => number): Promise<void> => {
  const elapsedMs = nowMs() - startedMs;
  const waitMs = Math.ceil(Math.max(elapsedMs, 1) / QUANTUM_MS) * QUANTUM_MS - elapsedMs;
  return new Promise((resolve) => setTimeout(resolve, waitMs));
};
