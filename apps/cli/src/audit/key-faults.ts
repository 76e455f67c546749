/** Whether a log changed its signing key where it says it did. */

import { toBase64url } from '#libs/bytes';
import type { VerifyReport } from '#libs/journal';
import { keyFingerprint } from '#libs/protocol';
import { type EntryOf, labelOf, parseVerifierKey } from '#libs/tlog';
import type { AuditFault } from './process-folder.js';

/**
 * Checkpoints in their order, each by the key that signed it: a later key signs only trees that hold the `key.rotated` entry which names it
 * (`key-not-rotated`), and once it has, no earlier key signs again (`key-superseded`).
 */
export function keyFaults(
  signedBy: VerifyReport['signedBy'],
  logKeys: readonly string[],
  rotations: readonly { readonly index: bigint; readonly entry: EntryOf<'key.rotated'> }[],
): AuditFault[] {
  const keys = logKeys.map((text) => {
    const key = parseVerifierKey(text);
    const fingerprint = keyFingerprint(toBase64url(key.publicKey));
    const named = rotations.find(({ entry }) => entry.newKeyFingerprint === fingerprint);
    return { label: labelOf(key), from: named?.index };
  });
  const faults: AuditFault[] = [];
  let newest = 0;
  for (const { at, size, key } of signedBy) {
    const index = keys.findIndex(({ label }) => label === key);
    if (index < newest) faults.push({ at, kind: 'key-superseded' });
    const from = keys[index]?.from;
    if (index > 0 && (from === undefined || size <= from))
      faults.push({ at, kind: 'key-not-rotated' });
    newest = Math.max(newest, index);
  }
  return faults;
}
