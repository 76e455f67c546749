/**
 * A policy set as bytes whose plain SHA-256 is its digest, so that every policy that ever was in force can be kept as a blob under
 * the name that the log, the receipts and the agency's signature give it.
 */
import { z } from 'zod';
import {
  ConcordatError,
  canonicalBytes,
  domainMessage,
  equalBytes,
  parseCanonicalJson,
  sha256Hex,
} from '#libs/bytes';
import { AgencyPolicy, FederationPolicy, type PolicySet } from './policy.js';

const TAG = 'concordat/policy-set/v1';
/** Bytes of the tag, its length and the body's length. */
const HEADER_BYTES = domainMessage(TAG, new Uint8Array()).length;

const Body = z.strictObject({ agency: AgencyPolicy, federation: FederationPolicy });

/** `concordat/policy-set/v1` and the RFC 8785 JSON of both documents, each after its length (`domainMessage`). */
export const encodePolicySet = ({ agency, federation }: PolicySet): Uint8Array =>
  domainMessage(TAG, canonicalBytes({ agency, federation }));

/** Inverse of `encodePolicySet`; only exactly its bytes are read. Throws `bad-policy`. */
export function decodePolicySet(bytes: Uint8Array): PolicySet {
  try {
    const parsed = Body.safeParse(parseCanonicalJson(bytes.subarray(HEADER_BYTES)));
    if (parsed.success && equalBytes(encodePolicySet(parsed.data), bytes)) return parsed.data;
  } catch {
    // told below, as every other way not to be one
  }
  throw new ConcordatError('bad-policy', 'not the bytes of a policy set of this version');
}

/**
 * SHA-256 of `encodePolicySet`, in hex. It is what an agency signs, what `policy.activated` logs, what stands in every receipt,
 * and the name of the blob that keeps the set.
 */
export const policyDigest = (set: PolicySet): string => sha256Hex(encodePolicySet(set));
