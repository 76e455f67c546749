import { bytesToHex, ConcordatError, fromUtf8 } from '#libs/bytes';
import type { Journal } from '#libs/journal';
import { type Receipt, type Signed, seal, type Task } from '#libs/protocol';
import { encodeEntry, parseCheckpoint } from '#libs/tlog';
import type { Node } from './node.js';
import type { Answer } from './outcome.js';

/**
 * A checkpoint over an entry, and the proof under that checkpoint's size: the log may grow while it is signed. Throws `log-unavailable` for an
 * entry that is not durable yet.
 */
export async function provenInLog(
  journal: Pick<Journal, 'checkpoint' | 'inclusionProof'>,
  index: bigint,
): Promise<{ readonly checkpoint: string; readonly proof: readonly string[] }> {
  const checkpoint = await journal.checkpoint();
  const { size } = parseCheckpoint(checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1));
  if (index >= size)
    throw new ConcordatError('log-unavailable', 'the release is not in the log yet');
  const proof = await journal.inclusionProof(index, size);
  return { checkpoint, proof: proof.map(bytesToHex) };
}

/** Signs what an answer is and proves that it is in the log: a checkpoint over it and the inclusion proof. */
export async function writeReceipt(
  task: Task,
  answer: Answer,
  node: Node,
  sealed?: Receipt['sealed'],
): Promise<Signed<Receipt>> {
  const { entry, index } = answer;
  const { checkpoint, proof } = await provenInLog(node.journal, index);
  return seal(
    'receipt',
    {
      agency: node.agency.id,
      round: task.round,
      manifest: node.manifestHash,
      fingerprint: entry.fingerprint,
      dataset: entry.dataset,
      versionDigest: entry.versionDigest,
      privacy: entry.privacy,
      mechanism: entry.mechanism as Receipt['mechanism'],
      levelVariances: [...answer.levelVariances],
      rho: entry.rho,
      policyDigest: entry.policyDigest,
      grant: entry.grant,
      valueDigest: entry.valueDigest,
      ...(sealed ? { sealed } : {}),
      log: {
        origin: node.logOrigin,
        checkpoint,
        entry: fromUtf8(encodeEntry(entry)),
        index: String(index),
        proof: [...proof],
      },
      at: new Date(node.nowMs()).toISOString(),
    },
    node.key,
  );
}
