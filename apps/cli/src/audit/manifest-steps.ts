/** The manifests that a coordinator's log says it published, against the signed steps that made them. */
import {
  ConcordatError,
  canonicalBytes,
  equalBytes,
  isConcordatError,
  parseCanonicalJson,
} from '#libs/bytes';
import { type ManifestHistory, ManifestStep } from '#libs/protocol';
import type { EntryOf } from '#libs/tlog';
import type { NamedBlobs } from './named-blobs.js';
import type { AuditFault } from './process-folder.js';

/**
 * Every `manifest.published` entry names a step that is there and a manifest of `history`. One that is newer than the history is taken up by its
 * step, whose signatures are verified; one that is older than the manifest that the reader was given cannot be judged, and its step must only
 * be there.
 */
export async function checkManifests(
  published: readonly { readonly index: bigint; readonly entry: EntryOf<'manifest.published'> }[],
  blobs: NamedBlobs,
  history: ManifestHistory | undefined,
): Promise<AuditFault[]> {
  const faults: AuditFault[] = [];
  for (const { index, entry } of published) {
    const at = `entry ${index}`;
    const bytes = await blobs.read(entry.step);
    if (!bytes) {
      if ((await blobs.look(entry.step)) === 'missing') faults.push({ at, kind: 'blob-missing' });
      continue;
    }
    if (!history) continue;
    try {
      if (entry.serial > history.manifest.serial) history.extend(parseStep(bytes));
      const [step] = history.stepsAfter(entry.serial - 1);
      // before the first manifest that the reader was given
      if (!step) continue;
      const isSame =
        equalBytes(bytes, canonicalBytes(step)) &&
        history.named(entry.manifestDigest)?.serial === entry.serial;
      if (!isSame) faults.push({ at, kind: 'manifest-differs' });
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      faults.push({ at, kind: error.code });
    }
  }
  return faults;
}

function parseStep(bytes: Uint8Array): ManifestStep {
  const parsed = ManifestStep.safeParse(parseCanonicalJson(bytes));
  if (parsed.success) return parsed.data;
  throw new ConcordatError('malformed-message', 'not a step from one manifest to the next');
}
