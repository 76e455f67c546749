import { bytesToHex, ConcordatError, fromUtf8 } from '#libs/bytes';
import { type Receipt, type Signed, seal, type Task } from '#libs/protocol';
import { encodeEntry } from '#libs/tlog';
import type { Node } from './node.js';
import type { Answer } from './outcome.js';

/** Signs what an answer is and proves that it is in the log: a checkpoint over it and the inclusion proof. */
export async function writeReceipt(
  task: Task,
  answer: Answer,
  node: Node,
  sealed?: Receipt['sealed'],
): Promise<Signed<Receipt>> {
  const { entry, index } = answer;
  const checkpoint = await node.journal.checkpoint();
  const { size } = node.journal;
  if (index >= size)
    throw new ConcordatError('log-unavailable', 'the release is not in the log yet');
  const proof = await node.journal.inclusionProof(index, size);
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
        proof: proof.map(bytesToHex),
      },
      at: new Date(node.nowMs()).toISOString(),
    },
    node.key,
  );
}
