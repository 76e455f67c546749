/** The policy documents in a node's folder against the digests in its log. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isConcordatError } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import type { Ledger } from '#libs/ledger';
import { parseFederation, parsePolicy, policyDigest } from '#libs/policy';
import { Digest, type Manifest, Name, openEnvelope } from '#libs/protocol';
import type { AuditFault } from './process-folder.js';

const PolicyApproval = z.strictObject({ agency: Name, policyDigest: Digest });

/**
 * The documents that lie in the folder are those in force by the log, or signed by the agency to follow them at its next start. A folder
 * without documents (a coordinator's, or a log that was handed out alone) has nothing to compare.
 */
export function checkActivePolicy(
  dir: string,
  ledger: Ledger,
  manifest: Manifest | undefined,
  id: string | undefined,
): AuditFault[] {
  const agency = manifest?.agencies.find((candidate) => candidate.id === id);
  const path = join(dir, 'policy.yaml');
  if (!agency || !existsSync(path)) return [];
  const fault = (kind: string): AuditFault[] => [{ at: 'policy.yaml', kind }];
  try {
    const digest = policyDigest({
      agency: parsePolicy(readFileSync(path, 'utf8')),
      federation: parseFederation(readFileSync(join(dir, 'federation.yaml'), 'utf8')),
    });
    if (ledger.policy?.policyDigest === digest) return [];
    const approval = openEnvelope(
      'policy',
      PolicyApproval,
      JSON.parse(readFileSync(join(dir, 'policy.signature.json'), 'utf8')),
      agency.publicKey,
      verifySignature,
    );
    return approval.policyDigest === digest ? [] : fault('policy-unsigned');
  } catch (error) {
    if (isConcordatError(error)) return fault(error.code);
    if (error instanceof SyntaxError) return fault('policy-unsigned');
    return fault('policy-unreadable');
  }
}
