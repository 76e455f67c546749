/**
 * What a process keeps of the manifest, `manifest.json`: the founding one as the coordinator signed it and every step since. The newest
 * manifest alone is a history without steps.
 */
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { openEnvelope, type VerifySignature } from './envelope.js';
import { processBoxKey } from './log-keys.js';
import { Manifest, manifestHash, SignedManifest } from './manifest.js';
import { type ManifestStep, ManifestStep as Step, signedBy, takeStep } from './succession.js';

export const ManifestHistoryFile = z.strictObject({
  version: z.literal(1),
  founding: SignedManifest,
  steps: z.array(Step).max(100_000),
});
export type ManifestHistoryFile = z.infer<typeof ManifestHistoryFile>;

/** A verified succession of manifests, which only grows. */
export class ManifestHistory {
  private readonly byHash = new Map<string, Manifest>();
  private newest: Manifest;
  private newestHash: string;

  private constructor(
    private readonly founding: SignedManifest,
    private readonly steps: ManifestStep[],
    private readonly verify: VerifySignature,
  ) {
    this.newest = founding.payload;
    this.newestHash = this.keep(founding.payload);
  }

  /**
   * Opens a signed manifest or a history. `publicKey` is the coordinator's that the reader pinned, or undefined to take the file at its
   * word: it must be the key of one of the manifests, and each manifest must be signed by the key of the one before.
   * Throws `manifest-outdated`, `malformed-message`, `wrong-signer`, `bad-signature`, and what `takeStep` throws.
   */
  static open(
    document: unknown,
    publicKey: string | undefined,
    verify: VerifySignature,
  ): ManifestHistory {
    const file = isHistory(document)
      ? ManifestHistoryFile.safeParse(document).data
      : { founding: document, steps: [] };
    const parsed = SignedManifest.safeParse(file?.founding);
    if (!file || !parsed.success) {
      if (isOutdated(file?.founding)) {
        throw new ConcordatError(
          'manifest-outdated',
          'the manifest is of an earlier version; make the folders anew with init and found the federation again',
        );
      }
      throw new ConcordatError('malformed-message', 'not a well-formed signed manifest');
    }
    const founding = parsed.data;
    // A later manifest alone cannot show who signed for its key: then the pinned key itself must have signed it.
    const founder = isHistory(document)
      ? founding.payload.coordinator.publicKey
      : (publicKey ?? founding.publicKey);
    openEnvelope('manifest', Manifest, founding, founder, verify);
    const history = new ManifestHistory(founding, [], verify);
    const keys = new Set([founder]);
    for (const step of file.steps) keys.add(history.extend(step).coordinator.publicKey);
    if (publicKey !== undefined && !keys.has(publicKey)) {
      throw new ConcordatError(
        'wrong-signer',
        'the manifest is signed by another key than expected',
      );
    }
    return history;
  }

  get manifest(): Manifest {
    return this.newest;
  }

  get hash(): string {
    return this.newestHash;
  }

  /** A manifest of this history by its hash. */
  named(hash: string): Manifest | undefined {
    return this.byHash.get(hash);
  }

  /** Every box key that a process had under a manifest of this history, newest first. */
  boxKeysOf(id: string): string[] {
    const keys = [...this.byHash.values()].flatMap((manifest) => processBoxKey(manifest, id) ?? []);
    return [...new Set(keys.reverse())];
  }

  /** Takes one more step; changes nothing and throws as `takeStep` does when it does not follow. */
  extend(step: ManifestStep): Manifest {
    const next = takeStep(this.newest, step, this.verify);
    this.steps.push(step);
    this.newestHash = this.keep(next);
    this.newest = next;
    return next;
  }

  /** Steps after a serial, oldest first; none for one that is not of this history. */
  stepsAfter(serial: number): readonly ManifestStep[] {
    const first = this.founding.payload.serial;
    return serial < first ? [] : this.steps.slice(serial - first);
  }

  /** The newest manifest as the coordinator signed it. */
  signed(): SignedManifest {
    const last = this.steps.at(-1);
    return last ? signedBy(this.newest, last) : this.founding;
  }

  /** What `open` reads: this history, with `added` steps that were verified to follow. */
  file(...added: readonly ManifestStep[]): ManifestHistoryFile | SignedManifest {
    const steps = [...this.steps, ...added];
    return steps.length === 0 ? this.founding : { version: 1, founding: this.founding, steps };
  }

  private keep(manifest: Manifest): string {
    const hash = manifestHash(manifest);
    this.byHash.set(hash, manifest);
    return hash;
  }
}

const isHistory = (document: unknown): boolean =>
  typeof document === 'object' && document !== null && 'founding' in document;

/** A manifest of a version before processes had box keys or manifests said what changed: well-formed once. */
const isOutdated = (signed: unknown): boolean => {
  const payload = (signed as { payload?: unknown } | null | undefined)?.payload;
  if (typeof payload !== 'object' || payload === null || !('coordinator' in payload)) return false;
  const { coordinator } = payload;
  const hasBoxKey =
    typeof coordinator !== 'object' || coordinator === null || 'boxKey' in coordinator;
  return !hasBoxKey || !('change' in payload);
};

/** The newest manifest of a signed manifest or a history. Throws as `ManifestHistory.open` does. */
export const openSignedManifest = (
  document: unknown,
  publicKey: string | undefined,
  verify: VerifySignature,
): Manifest => ManifestHistory.open(document, publicKey, verify).manifest;
