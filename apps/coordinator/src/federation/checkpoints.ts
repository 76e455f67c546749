import { ConcordatError, fromBase64url } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { type CheckpointPost, logOrigin } from '#libs/protocol';
import { formatVerifierKey, openCheckpoint } from '#libs/tlog';
import type { Federation } from './federation.js';

/** Relay for witnesses: the newest checkpoint of every log of the federation, each signed by its own process. */
export class Checkpoints {
  private readonly newest = new Map<
    string,
    { readonly size: bigint; readonly post: CheckpointPost }
  >();

  constructor(private readonly federation: Federation) {}

  /** Takes a checkpoint of the sender's own log; an older one than the newest is ignored. */
  put(sender: string, post: CheckpointPost): void {
    const { manifest } = this.federation;
    const origin = logOrigin(manifest.federation, sender);
    const key = [manifest.coordinator, manifest.auditor, ...manifest.agencies].find(
      ({ id }) => id === sender,
    );
    if (post.origin !== origin || !key) {
      throw new ConcordatError('wrong-origin', 'a process posts checkpoints of its own log only');
    }
    const { checkpoint } = openCheckpoint(post.note, {
      origin,
      logKeys: [formatVerifierKey({ name: origin, publicKey: fromBase64url(key.publicKey) })],
      verify: (signature, message, publicKey) => verifySignature(publicKey, message, signature),
    });
    const known = this.newest.get(origin);
    if (!known || checkpoint.size >= known.size)
      this.newest.set(origin, { size: checkpoint.size, post });
  }

  all(): CheckpointPost[] {
    return [...this.newest.values()].map(({ post }) => post);
  }
}
