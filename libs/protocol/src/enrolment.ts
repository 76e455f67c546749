/**
 * How a process comes into a federation and changes its keys: an enrolment is signed by the key that it enrols, a rotation by the old
 * key and the new. Both stand in the manifest that follows, so that every member can see why a key is there.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { z } from 'zod';
import { bytesToHex, domainDigest, fromBase64url, utf8ToBytes } from '#libs/bytes';
import { signedSchema } from './envelope.js';
import { ManifestAgency } from './member.js';
import { BoxPublicKey, Digest, Instant, Name, PublicKey, Signature } from './names.js';

/** Agency -> coordinator: "these are my keys and my area, for the coordinator with this key". Signed by the agency's new key. */
export const Enrolment = z.strictObject({
  version: z.literal(1),
  agency: ManifestAgency,
  coordinator: PublicKey,
  at: Instant,
});
export type Enrolment = z.infer<typeof Enrolment>;
export const SignedEnrolment = signedSchema(Enrolment);
export type SignedEnrolment = z.infer<typeof SignedEnrolment>;

/** Secret part of a token, 16 random bytes. Its hash alone is kept. */
const TokenSecret = z.string().regex(/^[0-9a-f]{32}$/);

/** `POST /v1/enrolments`, in a request signed by the new key: the enrolment, the one-time token, and the text of the domain file. */
export const EnrolmentPost = z.strictObject({
  version: z.literal(1),
  token: TokenSecret,
  enrolment: SignedEnrolment,
  domain: z.string().min(1).max(3_500_000),
});
export type EnrolmentPost = z.infer<typeof EnrolmentPost>;

/** Process -> coordinator: "my key changes from one to the other". Signed by the old key. */
export const Rotation = z.strictObject({
  version: z.literal(1),
  process: Name,
  oldKey: PublicKey,
  newKey: PublicKey,
  newBoxKey: BoxPublicKey,
  /** Manifest under which the old key is in force. */
  manifest: Digest,
  at: Instant,
});
export type Rotation = z.infer<typeof Rotation>;

/** `POST /v1/rotations`: the rotation, and the new key's signature over the same, which proves that its holder wants it. */
export const SignedRotation = z.strictObject({
  rotation: signedSchema(Rotation),
  possession: Signature,
});
export type SignedRotation = z.infer<typeof SignedRotation>;

/** What an operator hands to whoever may enrol: the coordinator's public key, to be pinned, and the secret. */
export interface EnrolmentToken {
  readonly coordinator: string;
  readonly secret: string;
}

const TOKEN = /^concordat1\.([A-Za-z0-9_-]{43})\.([0-9a-f]{32})$/;

/** One line without spaces. */
export const formatToken = ({ coordinator, secret }: EnrolmentToken): string =>
  `concordat1.${coordinator}.${secret}`;

/** Inverse of `formatToken`; undefined for any other text. */
export function parseToken(text: string): EnrolmentToken | undefined {
  const match = TOKEN.exec(text.trim());
  return match ? { coordinator: match[1] ?? '', secret: match[2] ?? '' } : undefined;
}

/** What the coordinator keeps of a token. */
export const tokenHash = (secret: string): string =>
  bytesToHex(domainDigest('concordat/enrolment-token/v1', utf8ToBytes(secret)));

/** What log entries name a public key by. */
export const keyFingerprint = (publicKey: string): string =>
  bytesToHex(domainDigest('concordat/key/v1', fromBase64url(publicKey)));

/** 11 bits each: 88 bits, so that nobody finds a second pair of keys with the same words. */
const WORDS = 8;

/**
 * The words that the two operators read to each other: over the coordinator's key and everything of the agency that the manifest will
 * name, its two keys first of all. Words of BIP-39, each 11 bits of the digest. Equal words mean that nobody stands between.
 */
export function enrolmentWords(
  coordinatorKey: string,
  { id, publicKey, boxKey, domain }: ManifestAgency,
): string[] {
  const digest = domainDigest(
    'concordat/enrolment-words/v1',
    fromBase64url(coordinatorKey),
    utf8ToBytes(id),
    fromBase64url(publicKey),
    fromBase64url(boxKey),
    utf8ToBytes(domain),
  );
  const bits = BigInt(`0x${bytesToHex(digest)}`);
  return Array.from({ length: WORDS }, (_, i) => {
    const index = Number((bits >> BigInt(256 - 11 * (i + 1))) & 0x7ffn);
    return wordlist[index] ?? '';
  });
}

/** Words as a person typed them: any case, any spaces. */
export const sameWords = (typed: string, words: readonly string[]): boolean =>
  typed
    .trim()
    .toLowerCase()
    .split(/[\s,]+/)
    .join(' ') === words.join(' ');
