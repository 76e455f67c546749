/** What an agency's key signs when a person puts a policy in force. */
import { z } from 'zod';
import { Digest, Name } from './names.js';

/**
 * Payload of the envelope `policy`: what the documents mean (`policyDigest` of libs/policy), which the log names, and SHA-256 of
 * the two files as they were read, comments and all.
 */
export const PolicyApproval = z.strictObject({
  agency: Name,
  policyDigest: Digest,
  documents: z.strictObject({ policy: Digest, federation: Digest }),
});
export type PolicyApproval = z.infer<typeof PolicyApproval>;
