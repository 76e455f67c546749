/**
 * A signed message: the payload and one Ed25519 signature over `concordat/<purpose>/v1`, a newline and the canonical
 * JSON of the payload. The purpose keeps a signature for one kind of message from being shown as another.
 */

import { z } from 'zod';
import {
  ConcordatError,
  canonicalBytes,
  concatBytes,
  fromBase64url,
  toBase64url,
  utf8ToBytes,
} from '#libs/bytes';
import { PublicKey, Signature } from './names.js';

export type Purpose =
  | 'accept'
  | 'assertion'
  | 'contribution'
  | 'enrolment'
  | 'forecast'
  | 'hold'
  | 'linkage'
  | 'manifest'
  | 'offer'
  | 'policy'
  | 'possession'
  | 'receipt'
  | 'refusal'
  | 'rotation'
  | 'seed'
  | 'seed-receipt'
  | 'task'
  | 'unmask'
  | 'unmask-refusal'
  | 'unmasked';

/** Whoever holds a private key: signs bytes, names its public key. */
export interface MessageSigner {
  readonly publicKey: string;
  sign(message: Uint8Array): Uint8Array;
}

/** Strict Ed25519 verification (RFC 8032, canonical S, no small-order keys). */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

export interface Signed<T> {
  readonly payload: T;
  readonly publicKey: string;
  readonly signature: string;
}

/** Schema of an envelope around `payload`. */
export const signedSchema = <T extends z.ZodType>(payload: T) =>
  z.strictObject({ payload, publicKey: PublicKey, signature: Signature });

const signingBytes = (purpose: Purpose, payload: unknown): Uint8Array =>
  concatBytes(utf8ToBytes(`concordat/${purpose}/v1\n`), canonicalBytes(payload));

/** Signs `payload` for one purpose. */
export function seal<T>(purpose: Purpose, payload: T, signer: MessageSigner): Signed<T> {
  const signature = signer.sign(signingBytes(purpose, payload));
  return { payload, publicKey: signer.publicKey, signature: toBase64url(signature) };
}

/**
 * Checks shape, key and signature of an envelope and returns its payload.
 * Throws `malformed-message`, `wrong-signer` or `bad-signature`.
 */
export function openEnvelope<T extends z.ZodType>(
  purpose: Purpose,
  schema: T,
  envelope: unknown,
  publicKey: string,
  verify: VerifySignature,
): z.infer<T> {
  const parsed = signedSchema(schema).safeParse(envelope);
  if (!parsed.success) {
    throw new ConcordatError('malformed-message', `not a well-formed signed ${purpose}`);
  }
  const signed = parsed.data as Signed<z.infer<T>>;
  if (signed.publicKey !== publicKey) {
    throw new ConcordatError(
      'wrong-signer',
      `the ${purpose} is signed by another key than expected`,
    );
  }
  const bytes = signingBytes(purpose, signed.payload);
  if (!verify(fromBase64url(publicKey), bytes, fromBase64url(signed.signature))) {
    throw new ConcordatError('bad-signature', `the signature on the ${purpose} does not verify`);
  }
  return signed.payload;
}
