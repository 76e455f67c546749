import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { type SigningKey, verifySignature } from '#libs/keystore';
import {
  floorFaults,
  type PolicySet,
  parseFederation,
  parsePolicy,
  policyDigest,
} from '#libs/policy';
import { Digest, Name, openEnvelope, seal } from '#libs/protocol';
import type { nodePaths } from './config.js';

/** What the controller's key signs: exactly this set of documents, for this agency. */
const PolicyApproval = z.strictObject({ agency: Name, policyDigest: Digest });

type Paths = ReturnType<typeof nodePaths>;

/** The two documents of a node's folder. Throws `policy-missing`, `policy-too-wide`, or what parsing them throws. */
function readPolicies(paths: Paths): PolicySet {
  let agencyText: string;
  let federationText: string;
  try {
    agencyText = readFileSync(paths.policy, 'utf8');
    federationText = readFileSync(paths.federationPolicy, 'utf8');
  } catch {
    throw new ConcordatError(
      'policy-missing',
      'policy.yaml and federation.yaml must lie in the folder of the node',
    );
  }
  const policies = { agency: parsePolicy(agencyText), federation: parseFederation(federationText) };
  if (floorFaults(policies).length > 0) {
    throw new ConcordatError(
      'policy-too-wide',
      "the policy allows more than the federation's floor; run: concordat policy lint",
    );
  }
  return policies;
}

/** The policy set in force. Throws `policy-unsigned` unless the agency's own key signed exactly these documents. */
export function loadPolicies(
  paths: Paths,
  agency: string,
  publicKey: string,
): { readonly policies: PolicySet; readonly digest: string } {
  const policies = readPolicies(paths);
  const digest = policyDigest(policies);
  let envelope: unknown;
  try {
    envelope = JSON.parse(readFileSync(paths.policySignature, 'utf8'));
  } catch {
    throw new ConcordatError(
      'policy-unsigned',
      'the policy is not signed; run: concordat node sign-policy',
    );
  }
  const approval = openEnvelope('policy', PolicyApproval, envelope, publicKey, verifySignature);
  if (approval.agency !== agency || approval.policyDigest !== digest) {
    throw new ConcordatError(
      'policy-unsigned',
      'the policy changed since it was signed; review it and run: concordat node sign-policy',
    );
  }
  if (policies.agency.agency !== agency) {
    throw new ConcordatError('policy-of-another', 'the policy document is another agency’s');
  }
  return { policies, digest };
}

/** Signs the policy documents in a node's folder as they are. Returns their digest. */
export function signPolicies(paths: Paths, agency: string, key: SigningKey): string {
  const digest = policyDigest(readPolicies(paths));
  const approval = seal('policy', { agency, policyDigest: digest }, key);
  writeFileSync(paths.policySignature, `${JSON.stringify(approval, null, 2)}\n`);
  return digest;
}
