/**
 * The OpenID provider that may say who an analyst is. It stands in the manifest with its public keys: whoever signs in there signs a
 * question with a key of their own, and an ID token whose nonce is the hash of that key says whose key it is.
 */
import { z } from 'zod';
import {
  bytesToHex,
  digestOf,
  domainDigest,
  fromBase64url,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import { Name } from './names.js';

const Base64url = (max: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(max);
const keyName = { kid: z.string().min(1).max(200) };

/** Public keys as providers publish them (RFC 7517, 7518, 8037), without anything that a verifier does not need. */
const ProviderKey = z.discriminatedUnion('kty', [
  z.strictObject({ ...keyName, kty: z.literal('RSA'), n: Base64url(1_400), e: Base64url(12) }),
  z.strictObject({
    ...keyName,
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384']),
    x: Base64url(64),
    y: Base64url(64),
  }),
  z.strictObject({
    ...keyName,
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: Base64url(43),
  }),
]);

/** Hosts that are this machine, whatever a name service says. */
export const isLoopbackHost = (host: string): boolean =>
  /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/.test(host);

/** Plain HTTP is for a provider on the same machine, which only a federation on that machine may believe. */
const Issuer = z
  .url()
  .max(400)
  .refine((text) => {
    const { protocol, hostname, search, hash } = new URL(text);
    const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
    return isSafe && search === '' && hash === '';
  }, 'https, or http on this machine, without query');

export const IdentityProvider = z.strictObject({
  issuer: Issuer,
  /** As which the command line and the map page are registered there: public clients, with PKCE. */
  clientId: z.string().min(1).max(200),
  /** What to ask the provider for, so that the ID token has the claim below. */
  scope: z.string().regex(/^openid(?: [\x21-\x7e]+)*$/),
  keys: z.array(ProviderKey).min(1).max(16),
  /** Where in the ID token the roles are: member after member. A text, or a list of texts. */
  rolesClaim: z.array(z.string().min(1).max(120)).min(1).max(6),
  /** What each value of the claim is here. A value that is not listed gives no role. */
  roles: z
    .array(z.strictObject({ claim: z.string().min(1).max(200), role: Name }))
    .min(1)
    .max(200),
});
export type IdentityProvider = z.infer<typeof IdentityProvider>;

/** Name of a provider with its keys and roles: what a node pins. */
export const identityProviderDigest = (provider: IdentityProvider): string =>
  digestOf('concordat/identity-provider/v1', provider);

/** Whether the provider runs on the machine itself, as in a demo: no other machine may believe it. */
export const isDemoProvider = ({ issuer }: Pick<IdentityProvider, 'issuer'>): boolean =>
  isLoopbackHost(new URL(issuer).hostname);

/** Nonce of the ID token that is for the holder of an Ed25519 key: the hash of its public part. */
export const nonceOfKey = (publicKey: string): string =>
  toBase64url(domainDigest('concordat/analyst-key/v1', fromBase64url(publicKey)));

/**
 * Who somebody is in logs and policies: a hash of issuer and subject (OpenID Connect Core 1.0, section 2: the two together name one person for
 * ever). No name or address of a person enters a log.
 */
export const analystOfSubject = (issuer: string, subject: string): string =>
  `oidc-${bytesToHex(
    domainDigest('concordat/analyst/v1', utf8ToBytes(issuer), utf8ToBytes(subject)),
  ).slice(0, 56)}`;

const OIDC_ANALYST = /^oidc-[0-9a-f]{56}$/;

/** Whether an analyst's id is one that `analystOfSubject` gives: no manifest may give it to a key. */
export const isSubjectAnalyst = (id: string): boolean => OIDC_ANALYST.test(id);

/** The roles that the claims of an ID token give: sorted, each once; none where the claim is missing or says nothing known. */
export function rolesOfClaims(
  claims: Readonly<Record<string, unknown>>,
  { rolesClaim, roles }: Pick<IdentityProvider, 'roles' | 'rolesClaim'>,
): string[] {
  let value: unknown = claims;
  for (const member of rolesClaim) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject || !Object.hasOwn(value as object, member)) return [];
    value = (value as Record<string, unknown>)[member];
  }
  const said = new Set<unknown>(Array.isArray(value) ? value : [value]);
  return [...new Set(roles.filter(({ claim }) => said.has(claim)).map(({ role }) => role))].sort();
}
