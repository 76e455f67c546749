/** A policy set: the agency's document and the federation's floor under it, read, checked and hashed together. */
import { ConcordatError, digestOf } from '#libs/bytes';
import { floorFaults } from './floor.js';
import { type PolicySet, parseFederation, parsePolicy } from './policy.js';

/**
 * Reads both documents. Throws as `parsePolicy` does, and `looser-than-floor` when the agency's document allows anything
 * that the federation's does not.
 */
export function parsePolicySet(texts: {
  readonly federation: string;
  readonly agency: string;
}): PolicySet {
  const set = { federation: parseFederation(texts.federation), agency: parsePolicy(texts.agency) };
  const [fault] = floorFaults(set);
  if (!fault) return set;
  throw new ConcordatError(
    'looser-than-floor',
    `the policy is looser than the federation's floor at ${fault.at}; tighten it, see: concordat policy test`,
  );
}

/**
 * SHA-256 over `concordat/policy-set/v1` and the RFC 8785 JSON of both documents, in hex. It is what an agency signs, what
 * `policy.activated` logs, and what stands in every receipt.
 */
export const policyDigest = (set: PolicySet): string =>
  digestOf('concordat/policy-set/v1', { agency: set.agency, federation: set.federation });
