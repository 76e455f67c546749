import { readFileSync, writeFileSync } from 'node:fs';
import { ConcordatError, fromUtf8, sha256Hex } from '#libs/bytes';
import { type SigningKey, verifySignature } from '#libs/keystore';
import {
  floorFaults,
  type PolicySet,
  parseFederation,
  parsePolicy,
  policyDigest,
} from '#libs/policy';
import { openEnvelope, PolicyApproval, seal } from '#libs/protocol';
import type { nodePaths } from './config.js';

type Paths = ReturnType<typeof nodePaths>;

interface ReadPolicies {
  readonly policies: PolicySet;
  /** What is to be signed, or was, about exactly these two files. */
  readonly approval: Omit<PolicyApproval, 'agency'>;
}

/** The two documents of a node's folder. Throws `policy-missing`, `policy-too-wide`, or what parsing them throws. */
function readPolicies(paths: Paths): ReadPolicies {
  let agencyBytes: Uint8Array;
  let federationBytes: Uint8Array;
  try {
    agencyBytes = readFileSync(paths.policy);
    federationBytes = readFileSync(paths.federationPolicy);
  } catch {
    throw new ConcordatError(
      'policy-missing',
      'policy.yaml and federation.yaml must lie in the folder of the node',
    );
  }
  const policies = {
    agency: parsePolicy(fromUtf8(agencyBytes)),
    federation: parseFederation(fromUtf8(federationBytes)),
  };
  if (floorFaults(policies).length > 0) {
    throw new ConcordatError(
      'policy-too-wide',
      "the policy allows more than the federation's floor; run: concordat policy lint",
    );
  }
  const documents = { policy: sha256Hex(agencyBytes), federation: sha256Hex(federationBytes) };
  return { policies, approval: { policyDigest: policyDigest(policies), documents } };
}

/**
 * The policy set in force. Throws `policy-unsigned` unless the agency's own key signed exactly these documents: one of `publicKeys`, of
 * which there are two while a key is being replaced.
 */
export function loadPolicies(
  paths: Paths,
  agency: string,
  publicKeys: readonly [string, ...string[]],
): { readonly policies: PolicySet; readonly digest: string } {
  const { policies, approval } = readPolicies(paths);
  let envelope: unknown;
  try {
    envelope = JSON.parse(readFileSync(paths.policySignature, 'utf8'));
  } catch {
    throw new ConcordatError(
      'policy-unsigned',
      'the policy is not signed; run: concordat node sign-policy',
    );
  }
  const signer = publicKeys.find(
    (key) => key === (envelope as { publicKey?: unknown } | null)?.publicKey,
  );
  const signed = openEnvelope(
    'policy',
    PolicyApproval,
    envelope,
    signer ?? publicKeys[0],
    verifySignature,
  );
  const isSame =
    signed.agency === agency &&
    signed.policyDigest === approval.policyDigest &&
    signed.documents.policy === approval.documents.policy &&
    signed.documents.federation === approval.documents.federation;
  if (!isSame) {
    throw new ConcordatError(
      'policy-unsigned',
      'the policy changed since it was signed; review it and run: concordat node sign-policy',
    );
  }
  if (policies.agency.agency !== agency) {
    throw new ConcordatError('policy-of-another', 'the policy document is another agency’s');
  }
  return { policies, digest: approval.policyDigest };
}

/** Signs the policy documents in a node's folder as they are. Returns their digest. */
export function signPolicies(paths: Paths, agency: string, key: SigningKey): string {
  const { approval } = readPolicies(paths);
  const signed = seal('policy', { agency, ...approval }, key);
  writeFileSync(paths.policySignature, `${JSON.stringify(signed, null, 2)}\n`);
  return approval.policyDigest;
}
