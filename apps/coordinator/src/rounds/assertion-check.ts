import { ConcordatError } from '#libs/bytes';
import { openAssertion } from '#libs/identity';
import { verifySignature } from '#libs/keystore';
import type { SignedAssertion } from '#libs/protocol';
import type { Federation } from '../federation/federation.js';

/** How old, or how far ahead of this clock, an analyst's assertion may be when it arrives. */
const MAX_AGE_MS = 10 * 60_000;
/** For so long an assertion could be taken, and its nonce must be known. */
export const NONCE_LIFE_MS = 2 * MAX_AGE_MS;

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/** Takes each assertion once. The nonces of a process that stopped are those of the rounds in its log. */
export class AssertionCheck {
  /** Nonces and when they expire, in the order they came. */
  private readonly nonces = new Map<string, number>();

  /**
   * Throws what `openAssertion` throws, `wrong-fingerprint`, `wrong-manifest`, `stale-assertion` or `repeated-assertion`.
   */
  async take(
    signed: SignedAssertion,
    asked: string,
    federation: Federation,
    nowMs: number,
  ): Promise<void> {
    const { assertion } = await openAssertion(signed, federation.manifest, verifySignature);
    if (assertion.fingerprint !== asked) {
      refuse('wrong-fingerprint', 'the analyst signed another question than the one submitted');
    }
    if (assertion.manifest !== federation.hash) {
      refuse(
        'wrong-manifest',
        'the analyst signed for another manifest; fetch the current one and sign again',
      );
    }
    if (Math.abs(nowMs - Date.parse(assertion.at)) > MAX_AGE_MS) {
      refuse(
        'stale-assertion',
        'sign the question again: the assertion is too old or ahead of time',
      );
    }
    for (const [old, expiresMs] of this.nonces) {
      if (expiresMs > nowMs) break;
      this.nonces.delete(old);
    }
    if (this.nonces.has(assertion.nonce)) {
      refuse('repeated-assertion', 'sign the question again: this assertion was used before');
    }
    this.remember(signed, nowMs);
  }

  /** Notes the nonce of an assertion that was taken at `takenMs`. To be called in the order of time. */
  remember({ payload }: SignedAssertion, takenMs: number): void {
    this.nonces.set(payload.nonce, takenMs + NONCE_LIFE_MS);
  }
}
