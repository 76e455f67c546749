/** What the operator names as the federation's identity provider: its own metadata and keys, fetched once, then pinned by the manifest. */
import { allowInsecureRequests, discovery, None } from 'openid-client';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { IdentityProvider, isDemoProvider } from '#libs/protocol';

const TIMEOUT_SECONDS = 20;
const MAX_KEYS = 16;

/** A key set (RFC 7517, section 5): what is not for signatures, or of a kind that is not taken, is left out. */
const KeySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), use: z.string().optional() })).max(100),
});
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['kty', 'kid', 'n', 'e'],
  EC: ['kty', 'kid', 'crv', 'x', 'y'],
  OKP: ['kty', 'kid', 'crv', 'x'],
};
const ProviderKeys = IdentityProvider.shape.keys;

const unfit = (why: string, cause?: unknown): ConcordatError =>
  new ConcordatError('identity-provider-unfit', why, { cause });

/** What the operator says; the rest the provider publishes. */
export type Naming = Pick<
  IdentityProvider,
  'clientId' | 'issuer' | 'roles' | 'rolesClaim' | 'scope'
>;

/**
 * Fetches metadata (OpenID Connect Discovery 1.0) and keys of `naming.issuer`. Throws `identity-provider-unfit` for one that cannot be reached
 * or offers no code flow with PKCE and no key we know, `malformed-message` for settings that are none.
 */
export async function discoverProvider(naming: Naming): Promise<IdentityProvider> {
  const shape = IdentityProvider.omit({ keys: true }).safeParse(naming);
  if (!shape.success) {
    const [issue] = shape.error.issues;
    throw new ConcordatError(
      'malformed-message',
      `${issue?.path.join('.') || 'the provider'} is not as it must be (${issue?.message}); see --help`,
    );
  }
  const { issuer, clientId } = shape.data;
  const isLocal = isDemoProvider(shape.data);
  let keySet: unknown;
  let methods: readonly string[];
  try {
    const found = await discovery(new URL(issuer), clientId, undefined, None(), {
      timeout: TIMEOUT_SECONDS,
      ...(isLocal ? { execute: [allowInsecureRequests] } : {}),
    });
    const metadata = found.serverMetadata();
    methods = metadata.code_challenge_methods_supported ?? [];
    const response = await fetch(metadata.jwks_uri ?? '', {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
    });
    keySet = await response.json();
  } catch (cause) {
    throw unfit(`${issuer} does not answer as an OpenID provider; check the address`, cause);
  }
  if (!methods.includes('S256'))
    throw unfit('the provider does not say that it supports PKCE with S256');
  const parsed = KeySet.safeParse(keySet);
  const keys = (parsed.data?.keys ?? []).flatMap((key) => {
    const members = MEMBERS[key.kty];
    if (!members || (key.use !== undefined && key.use !== 'sig')) return [];
    const kept = Object.fromEntries(members.map((member) => [member, key[member]]));
    const known = ProviderKeys.element.safeParse(kept);
    return known.success ? [known.data] : [];
  });
  if (keys.length === 0 || keys.length > MAX_KEYS)
    throw unfit(`the provider publishes no key that is taken here, or more than ${MAX_KEYS}`);
  return { ...shape.data, keys };
}
