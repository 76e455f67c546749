import { ConcordatError } from '#libs/bytes';
import {
  Assertion,
  isSubjectAnalyst,
  type Manifest,
  openEnvelope,
  type SignedAssertion,
  type VerifySignature,
} from '#libs/protocol';
import { verifyIdentity } from './verify-identity.js';

/** Who asks, and as what. */
export interface KnownAnalyst {
  readonly id: string;
  readonly roles: readonly string[];
}

/**
 * Says who signed a question: an analyst of the manifest by the key that it names, or somebody who signed in at its identity provider by
 * the ID token that comes along. The same for coordinator and node, which believe no word of each other about it.
 * Throws `unknown-analyst`, `malformed-message`, `wrong-signer`, `bad-signature`, `no-identity-provider`, `wrong-analyst` and what
 * `verifyIdentity` throws.
 */
export async function openAssertion(
  signed: SignedAssertion,
  { analysts, identityProvider }: Pick<Manifest, 'analysts' | 'identityProvider'>,
  verify: VerifySignature,
): Promise<{ readonly assertion: Assertion; readonly analyst: KnownAnalyst }> {
  const { analyst: id, identity, at } = signed.payload;
  const named = analysts.find((analyst) => analyst.id === id);
  if (identity === undefined) {
    if (!named || isSubjectAnalyst(id))
      throw new ConcordatError('unknown-analyst', 'the manifest names no such analyst');
    return { assertion: open(signed, named.publicKey, verify), analyst: named };
  }
  if (!identityProvider) {
    throw new ConcordatError('no-identity-provider', 'the manifest names no identity provider');
  }
  const assertion = open(signed, signed.publicKey, verify);
  const found = await verifyIdentity(identity, identityProvider, {
    publicKey: signed.publicKey,
    atMs: Date.parse(at),
  });
  if (found.analyst !== id) {
    throw new ConcordatError('wrong-analyst', 'the ID token is of another than the one named');
  }
  return { assertion, analyst: { id, roles: found.roles } };
}

const open = (signed: SignedAssertion, key: string, verify: VerifySignature): Assertion =>
  openEnvelope('assertion', Assertion, signed, key, verify);
