/** The two keys of a process, and how both are replaced while it runs: the old one signs for the new, the manifest names it, then it is in force. */
import { ConcordatError } from '#libs/bytes';
import {
  keyFingerprint,
  type ManifestProcess,
  type SignedRotation,
  sealRotation,
} from '#libs/protocol';
import type { EntryOf } from '#libs/tlog';
import { BoxKeyRing } from './box-key-ring.js';
import { installNextKey, prepareNextKey, waitingNextKey } from './next-key.js';
import { loadSigningKey, type SigningKey, type TurnableKey, turnableKey } from './signing-key.js';

/** Whether the keys of a folder are those that the manifest names: `turning` where the next ones are, which wait to be installed. */
export type KeyStanding = 'fit' | 'turning' | 'other-box-key' | 'other-key';

export class ProcessKeys {
  private constructor(
    private readonly signingPath: string,
    readonly key: TurnableKey,
    readonly box: BoxKeyRing,
  ) {}

  /** Throws as `loadSigningKey` and `loadBoxKey` do. */
  static open(paths: { readonly signingKey: string; readonly boxKey: string }): ProcessKeys {
    const key = turnableKey(loadSigningKey(paths.signingKey));
    return new ProcessKeys(paths.signingKey, key, BoxKeyRing.open(paths.boxKey));
  }

  standing(member: ManifestProcess): KeyStanding {
    const isSigning = member.publicKey === this.key.publicKey;
    const isBox = member.boxKey === this.box.publicKey;
    if (isSigning && isBox) return 'fit';
    if (!isSigning && waitingNextKey(this.signingPath)?.publicKey !== member.publicKey)
      return 'other-key';
    if (!isBox && this.box.waitingNext()?.publicKey !== member.boxKey) return 'other-box-key';
    return 'turning';
  }

  /** Whether a turn has to be finished. Throws `wrong-key` when the manifest names keys that are not in the folder. */
  isTurning(member: ManifestProcess): boolean {
    const standing = this.standing(member);
    if (standing === 'other-key' || standing === 'other-box-key') {
      const which = standing === 'other-key' ? 'key' : 'box key';
      throw new ConcordatError(
        'wrong-key',
        `the manifest names another ${which} for ${member.id} than the one in its folder`,
      );
    }
    return standing === 'turning';
  }

  /** Signs for new keys of both kinds, which wait in the folder. After a fault it is the same new keys. */
  rotation({ id }: ManifestProcess, manifest: string, nowMs: number): SignedRotation {
    const next = prepareNextKey(this.signingPath);
    const rotation = {
      version: 1 as const,
      process: id,
      oldKey: this.key.publicKey,
      newKey: next.publicKey,
      newBoxKey: this.box.prepareNext().publicKey,
      manifest,
      at: new Date(nowMs).toISOString(),
    };
    return sealRotation(rotation, this.key, next);
  }

  /**
   * Installs the keys that the manifest names now: `key.rotated` entries for both, the one about the signing key last before the new one
   * signs the log. `beforeSigning` runs with the new key first. Cut short anywhere, it is called again at the next start.
   */
  async finish(
    member: ManifestProcess,
    options: {
      readonly append: (entry: EntryOf<'key.rotated'>) => Promise<unknown>;
      readonly nowMs: number;
      readonly beforeSigning?: (next: SigningKey) => void;
    },
  ): Promise<void> {
    if (!this.isTurning(member)) return;
    const { append, nowMs, beforeSigning } = options;
    const log = (use: 'box' | 'sign', oldKey: string, newKey: string) =>
      append({
        kind: 'key.rotated',
        at: new Date(nowMs).toISOString(),
        actor: member.id,
        agency: member.id,
        use,
        oldKeyFingerprint: keyFingerprint(oldKey),
        newKeyFingerprint: keyFingerprint(newKey),
      });
    if (member.boxKey !== this.box.publicKey) {
      await log('box', this.box.publicKey, member.boxKey);
      this.box.installNext(nowMs);
    }
    const next = waitingNextKey(this.signingPath);
    if (member.publicKey === this.key.publicKey || !next) return;
    beforeSigning?.(next);
    await log('sign', this.key.publicKey, next.publicKey);
    installNextKey(this.signingPath);
    this.key.turn(next);
  }
}
