/**
 * The federation manifest: who belongs to it, under which keys, for which area and which categories. Every process pins one;
 * every signed message is checked against the pinned keys. It changes by serial number, each naming the one before.
 */

import { z } from 'zod';
import { ConcordatError, digestOf } from '#libs/bytes';
import { CATEGORIES } from '#libs/query';
import { openEnvelope, signedSchema, type VerifySignature } from './envelope.js';
import { BoxPublicKey, Digest, Name, PublicKey } from './names.js';

const Categories = z.array(z.enum(CATEGORIES)).min(1);

export const ManifestAgency = z.strictObject({
  id: Name,
  name: z.string().min(1).max(120),
  kind: z.enum(['police', 'council', 'health', 'social-care']),
  publicKey: PublicKey,
  boxKey: BoxPublicKey,
  /** Hash of the agency's public domain (its area in resolution-9 cells). */
  domain: Digest,
  /** What it records at all: a category outside this list is "not covered" there, never zero. */
  categories: Categories,
});
export type ManifestAgency = z.infer<typeof ManifestAgency>;

export const Manifest = z.strictObject({
  version: z.literal(1),
  federation: Name,
  serial: z.int().min(1),
  previous: Digest.nullable(),
  grid: z.strictObject({ name: Name, hash: Digest }),
  coordinator: z.strictObject({ id: Name, publicKey: PublicKey, boxKey: BoxPublicKey }),
  auditor: z.strictObject({ id: Name, publicKey: PublicKey, boxKey: BoxPublicKey }),
  agencies: z.array(ManifestAgency).min(1).max(10_000),
  analysts: z.array(
    z.strictObject({ id: Name, publicKey: PublicKey, roles: z.array(Name).min(1) }),
  ),
  /** The auditor and agencies that cosign the checkpoints of every log but their own. */
  witnesses: z.array(Name).max(64),
  /** How many of them must have seen a checkpoint before an auditor believes it; 0 where there are no witnesses. */
  quorum: z.int().min(0).max(64),
});
export type Manifest = z.infer<typeof Manifest>;

/** Signed by the coordinator's key, which every process is given out of band when it enrols. */
export const SignedManifest = signedSchema(Manifest);
export type SignedManifest = z.infer<typeof SignedManifest>;

/** What tasks, receipts and assertions name the manifest by. */
export const manifestHash = (manifest: Manifest): string =>
  digestOf('concordat/manifest/v1', manifest);

/** A manifest of a version before processes had box keys: well-formed once, and without the members that are needed now. */
const hasBoxKeys = (signed: unknown): boolean => {
  const coordinator = (signed as { payload?: { coordinator?: unknown } } | null)?.payload
    ?.coordinator;
  return typeof coordinator !== 'object' || coordinator === null || 'boxKey' in coordinator;
};

/**
 * The manifest of a signed manifest file that `publicKey`, the coordinator's, must have signed. Throws `manifest-outdated`,
 * or what `openEnvelope` throws.
 */
export function openSignedManifest(
  signed: unknown,
  publicKey: string,
  verify: VerifySignature,
): Manifest {
  if (!hasBoxKeys(signed)) {
    throw new ConcordatError(
      'manifest-outdated',
      'the manifest is of a version without box keys; make the folders anew with init and sign a manifest that names their box keys',
    );
  }
  return openEnvelope('manifest', Manifest, signed, publicKey, verify);
}
