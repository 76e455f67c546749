/**
 * ID tokens of the provider that the manifest names (OpenID Connect Core 1.0, section 3.1.3.7), checked against the keys that stand there: no
 * network, no key that the token brings along.
 */
import {
  errors,
  importJWK,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import { ConcordatError } from '#libs/bytes';
import { analystOfSubject, type IdentityProvider, nonceOfKey, rolesOfClaims } from '#libs/protocol';

/** Signatures with a public key. `none` and keyed hashes are not among them. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['RS256', 'PS256'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  Ed25519: ['EdDSA', 'Ed25519'],
};
/** Between the clocks of provider and analyst. */
const CLOCK_TOLERANCE_SECONDS = 60;
/** A token of longer life is good for so long only: who has left is soon out. */
const MAX_TOKEN_AGE = '12h';

/** Who an ID token says holds a key. */
export interface Identity {
  /** Id of the analyst: a hash of issuer and subject. */
  readonly analyst: string;
  readonly roles: readonly string[];
  /** Unix seconds. */
  readonly expiresSeconds: number;
}

const untrusted = (why: string, cause?: unknown): ConcordatError =>
  new ConcordatError('identity-untrusted', `sign in again: ${why}`, { cause });

/**
 * Checks signature, issuer, audience, validity at `atMs` and that the token was issued for the holder of `publicKey` (base64url).
 * Throws `identity-untrusted`, `identity-expired`, `identity-of-another`.
 */
export async function verifyIdentity(
  token: string,
  provider: IdentityProvider,
  { publicKey, atMs }: { readonly publicKey: string; readonly atMs: number },
): Promise<Identity> {
  let payload: JWTPayload;
  try {
    const verified = await jwtVerify(token, (header) => keyOf(header, provider), {
      algorithms: Object.values(ALGORITHMS).flat(),
      issuer: provider.issuer,
      audience: provider.clientId,
      currentDate: new Date(atMs),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      maxTokenAge: MAX_TOKEN_AGE,
      requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
    });
    payload = verified.payload;
  } catch (cause) {
    if (cause instanceof ConcordatError) throw cause;
    if (cause instanceof errors.JWTExpired) {
      throw new ConcordatError('identity-expired', 'sign in again: the ID token has expired', {
        cause,
      });
    }
    throw untrusted('the ID token is not one of the provider in the manifest', cause);
  }
  const { sub, exp, aud, azp, nonce } = payload;
  if (typeof sub !== 'string' || sub === '' || typeof exp !== 'number') {
    throw untrusted('the ID token names nobody');
  }
  const isShared = Array.isArray(aud) && aud.length > 1;
  if ((isShared || azp !== undefined) && azp !== provider.clientId) {
    throw untrusted('the ID token is for another client');
  }
  if (nonce !== nonceOfKey(publicKey)) {
    throw new ConcordatError('identity-of-another', 'the ID token was issued for another key');
  }
  return {
    analyst: analystOfSubject(provider.issuer, sub),
    roles: rolesOfClaims(payload, provider),
    expiresSeconds: exp,
  };
}

async function keyOf(header: ProtectedHeaderParameters, { keys }: IdentityProvider) {
  const { kid, alg = '' } = header as { kid?: string; alg?: string };
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  const [key, ...others] = named.filter((one) =>
    (ALGORITHMS[one.kty === 'RSA' ? 'RSA' : one.crv] ?? []).includes(alg),
  );
  if (!key || others.length > 0) {
    throw untrusted(
      'no key of the manifest signed the ID token (the provider may have changed its keys: the operator names it again)',
    );
  }
  return importJWK({ ...key }, alg);
}
