/**
 * HTTP message signatures of requests, RFC 9421 with Ed25519 (section 3.3.6), narrowed to one profile: label `sig1`, the components
 * `@method`, `@authority`, `@path`, `@query`, `content-digest` (RFC 9530, sha-256) in this order, and the parameters created,
 * nonce, keyid, alg, tag. The tag is the public key of the process that is addressed: a request for one process is none for another,
 * whatever its Host header says. Anything else is refused; the header is parsed by shape, not by a general structured-field parser.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64, fromBase64url, toBase64, utf8ToBytes } from '#libs/bytes';
import type { MessageSigner, VerifySignature } from './envelope.js';

/** Oldest and newest `created` that is accepted, against the receiver's clock. */
export const MAX_AGE_SECONDS = 300;

export interface SignableRequest {
  readonly method: string;
  /** Host and port as in the Host header, lower case. */
  readonly authority: string;
  readonly path: string;
  /** With its question mark; `?` alone when there is none (RFC 9421 section 2.2.7). */
  readonly query: string;
  readonly contentDigest: string;
}

export interface SignatureHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** Why a request is refused; the sender is told none of it. */
export type RequestFault =
  | 'no-signature'
  | 'other-profile'
  | 'stale'
  | 'future'
  | 'other-audience'
  | 'unknown-key'
  | 'bad-signature';

const COMPONENTS = '("@method" "@authority" "@path" "@query" "content-digest")';
const INPUT =
  /^sig1=\("@method" "@authority" "@path" "@query" "content-digest"\);created=(0|[1-9]\d{0,11});nonce="([0-9a-f]{32})";keyid="([a-z0-9-]{1,64})";alg="ed25519";tag="([A-Za-z0-9_-]{43})"$/;
const SIGNATURE = /^sig1=:([A-Za-z0-9+/]{86}==):$/;

/** `content-digest` header value of a body from its raw SHA-256. */
export const contentDigestOf = (digest: Uint8Array): string => `sha-256=:${toBase64(digest)}:`;

/** `content-digest` header value of a body held in memory. */
export const contentDigest = (body: Uint8Array): string => contentDigestOf(sha256(body));

/** The 64 bytes of a `signature` header of this profile; undefined for any other. */
export function signatureBytes(header: string): Uint8Array | undefined {
  const base64 = SIGNATURE.exec(header)?.[1];
  if (base64 === undefined) return undefined;
  try {
    return fromBase64(base64);
  } catch {
    return undefined;
  }
}

/** Value of a `signature` header of this profile. */
export const signatureHeader = (signature: Uint8Array): string => `sig1=:${toBase64(signature)}:`;

const signatureBase = (request: SignableRequest, parameters: string): Uint8Array =>
  utf8ToBytes(
    [
      `"@method": ${request.method.toUpperCase()}`,
      `"@authority": ${request.authority.toLowerCase()}`,
      `"@path": ${request.path}`,
      `"@query": ${request.query}`,
      `"content-digest": ${request.contentDigest}`,
      `"@signature-params": ${parameters}`,
    ].join('\n'),
  );

/** Who signs a request, to whom and when. */
export interface RequestSigning {
  readonly keyId: string;
  readonly signer: MessageSigner;
  /** Public key of the process that is addressed, base64url. */
  readonly audience: string;
  /** Unix time. */
  readonly createdSeconds: number;
  /** 16 fresh random bytes in hex. */
  readonly nonce: string;
}

/** Headers that sign `request`. */
export function signRequest(
  request: SignableRequest,
  { keyId, signer, audience, createdSeconds, nonce }: RequestSigning,
): SignatureHeaders {
  const parameters = `${COMPONENTS};created=${createdSeconds};nonce="${nonce}";keyid="${keyId}";alg="ed25519";tag="${audience}"`;
  return {
    'content-digest': request.contentDigest,
    'signature-input': `sig1=${parameters}`,
    signature: signatureHeader(signer.sign(signatureBase(request, parameters))),
  };
}

export interface VerifiedRequest {
  readonly keyId: string;
  readonly nonce: string;
  readonly createdSeconds: number;
}

/**
 * Verifies the signature headers of a request against the public key that `keyOf` gives for its key id. The caller compares
 * `contentDigest` with the body it read and refuses a nonce it has seen.
 */
export function verifyRequest(
  request: SignableRequest,
  headers: { readonly [name: string]: string | readonly string[] | undefined },
  receiver: {
    /** Public key of the receiving process. */
    readonly audience: string;
    readonly keyOf: (keyId: string) => string | undefined;
    readonly nowSeconds: number;
    readonly verify: VerifySignature;
  },
): VerifiedRequest | { readonly fault: RequestFault } {
  const { audience, keyOf, nowSeconds, verify } = receiver;
  const input = headers['signature-input'];
  const value = headers.signature;
  if (input === undefined || value === undefined) return { fault: 'no-signature' };
  const parameters = typeof input === 'string' ? INPUT.exec(input) : null;
  const signature = typeof value === 'string' ? signatureBytes(value) : undefined;
  if (!parameters || !signature) return { fault: 'other-profile' };
  const [whole, created = '', nonce = '', keyId = '', tag = ''] = parameters;
  if (tag !== audience) return { fault: 'other-audience' };
  const createdSeconds = Number(created);
  if (nowSeconds - createdSeconds > MAX_AGE_SECONDS) return { fault: 'stale' };
  if (createdSeconds - nowSeconds > MAX_AGE_SECONDS) return { fault: 'future' };
  const publicKey = keyOf(keyId);
  if (publicKey === undefined) return { fault: 'unknown-key' };
  const base = signatureBase(request, whole.slice('sig1='.length));
  if (!verify(fromBase64url(publicKey), base, signature)) return { fault: 'bad-signature' };
  return { keyId, nonce, createdSeconds };
}
