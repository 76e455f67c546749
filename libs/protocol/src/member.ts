/** Who can be in a federation, as the manifest names them. */
import { z } from 'zod';
import { CATEGORIES } from '#libs/query';
import { BoxPublicKey, Digest, Name, PublicKey } from './names.js';

/** A process's keys: one signs (Ed25519), to the other boxes are made (X25519). */
export const ManifestProcess = z.strictObject({
  id: Name,
  publicKey: PublicKey,
  boxKey: BoxPublicKey,
});
export type ManifestProcess = z.infer<typeof ManifestProcess>;

export const ManifestAgency = z.strictObject({
  id: Name,
  name: z.string().min(1).max(120),
  kind: z.enum(['police', 'council', 'health', 'social-care']),
  publicKey: PublicKey,
  boxKey: BoxPublicKey,
  /** Hash of the agency's public domain (its area in resolution-9 cells). */
  domain: Digest,
  /** What it records at all: a category outside this list is "not covered" there, never zero. */
  categories: z.array(z.enum(CATEGORIES)).min(1),
});
export type ManifestAgency = z.infer<typeof ManifestAgency>;

export const ManifestAnalyst = z.strictObject({
  id: Name,
  publicKey: PublicKey,
  roles: z.array(Name).min(1).max(32),
});
export type ManifestAnalyst = z.infer<typeof ManifestAnalyst>;
