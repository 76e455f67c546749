/**
 * HTTP message signatures, RFC 9421 with Ed25519 (section 3.3.6), narrowed to one profile: label `sig1`, the components
 * `@method`, `@authority`, `@path`, `@query`, `content-digest` (RFC 9530, sha-256) in this order, and the parameters created, nonce, keyid.
 * Anything else is refused; the header is parsed by shape, not by a general structured-field parser.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { ConcordatError, fromBase64, fromBase64url, toBase64, utf8ToBytes } from '#libs/bytes';
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

const COMPONENTS = '("@method" "@authority" "@path" "@query" "content-digest")';
const INPUT =
  /^sig1=\("@method" "@authority" "@path" "@query" "content-digest"\);created=(\d{1,12});nonce="([0-9a-f]{32})";keyid="([a-z0-9-]{1,64})";alg="ed25519"$/;
const SIGNATURE = /^sig1=:([A-Za-z0-9+/]{86}==):$/;

/** `content-digest` header value of a body from its raw SHA-256. */
export const contentDigestOf = (digest: Uint8Array): string => `sha-256=:${toBase64(digest)}:`;

/** `content-digest` header value of a body held in memory. */
export const contentDigest = (body: Uint8Array): string => contentDigestOf(sha256(body));

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

/** Headers that sign `request` as `keyId`, at `createdSeconds` (Unix time), with a fresh 16-byte hex nonce. */
export function signRequest(
  request: SignableRequest,
  keyId: string,
  createdSeconds: number,
  nonce: string,
  signer: MessageSigner,
): SignatureHeaders {
  const parameters = `${COMPONENTS};created=${createdSeconds};nonce="${nonce}";keyid="${keyId}";alg="ed25519"`;
  const signature = signer.sign(signatureBase(request, parameters));
  return {
    'content-digest': request.contentDigest,
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${toBase64(signature)}:`,
  };
}

export interface VerifiedRequest {
  readonly keyId: string;
  readonly nonce: string;
  readonly createdSeconds: number;
}

const refuse = (why: string): never => {
  throw new ConcordatError('bad-request-signature', why);
};

/**
 * Verifies the signature headers of a request against the public key that `keyOf` gives for its key id. The caller compares
 * `contentDigest` with the body it read and refuses a nonce it has seen. Throws `bad-request-signature`.
 */
export function verifyRequest(
  request: SignableRequest,
  headers: { readonly [name: string]: string | readonly string[] | undefined },
  keyOf: (keyId: string) => string | undefined,
  nowSeconds: number,
  verify: VerifySignature,
): VerifiedRequest {
  const input = headers['signature-input'];
  const value = headers.signature;
  if (typeof input !== 'string' || typeof value !== 'string') return refuse('no signature');
  const parameters = INPUT.exec(input);
  const signature = SIGNATURE.exec(value);
  if (!parameters || !signature) return refuse('not the signature profile of this federation');
  const [, created = '', nonce = '', keyId = ''] = parameters;
  const createdSeconds = Number(created);
  if (Math.abs(nowSeconds - createdSeconds) > MAX_AGE_SECONDS) return refuse('stale or future');
  const publicKey = keyOf(keyId);
  if (publicKey === undefined) return refuse('unknown key');
  const base = signatureBase(request, input.slice('sig1='.length));
  if (!verify(fromBase64url(publicKey), base, fromBase64(signature[1] ?? ''))) {
    return refuse('does not verify');
  }
  return { keyId, nonce, createdSeconds };
}
