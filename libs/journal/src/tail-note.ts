/**
 * What a writer leaves that stops with entries which no checkpoint signs yet, because its witnesses were not heard (a command that runs
 * beside no server, a process that found nobody): a note over all of them, signed by the log's key. It says to whoever is handed the
 * directory that these entries are the writer's own. It is no checkpoint, and cannot be taken for one: it is never published or cosigned,
 * and nothing follows from two that disagree.
 */

import { ConcordatError, fromBase64, toBase64 } from '#libs/bytes';
import { verifyEd25519ByNode } from '#libs/host';
import {
  type Checkpoint,
  labelOf,
  type NoteSigner,
  openNote,
  signNote,
  type VerifyEd25519,
} from '#libs/tlog';

/** A checkpoint has a number on its second line; here it is the log's name. */
const MAGIC = 'concordat-tail/v1';

export interface OpenedTail extends Checkpoint {
  /** Name and id of the log's key that signed, `name+c74f20a3`. */
  readonly logKey: string;
}

/** The note over the first `size` entries. */
export const signTail = ({ origin, size, root }: Checkpoint, signer: NoteSigner): string =>
  signNote(`${MAGIC}\n${origin}\n${size}\n${toBase64(root)}\n`, signer);

/** Inverse of `signTail`, under the log's own keys. Throws `malformed-tail`, and what `openNote` throws. */
export function openTail(
  note: string | Uint8Array,
  logKeys: readonly string[],
  verify: VerifyEd25519 = verifyEd25519ByNode,
): OpenedTail {
  const { text, signers } = openNote(note, logKeys, verify);
  const signer = signers.find(({ type }) => type === 'ed25519');
  const [magic, origin = '', size = '', root = '', end] = text.split('\n');
  const isTail = magic === MAGIC && end === '' && /^(?:0|[1-9]\d{0,19})$/.test(size);
  if (!signer || !isTail || text.split('\n').length !== 5) {
    throw new ConcordatError('malformed-tail', 'not a note over entries that no checkpoint signs');
  }
  return { origin, size: BigInt(size), root: fromBase64(root), logKey: labelOf(signer) };
}
