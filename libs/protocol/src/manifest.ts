/**
 * The federation manifest: who belongs to it, under which keys, for which area and which categories. Every process pins one;
 * every signed message is checked against the pinned keys. It changes by serial number, each naming the one before and what changed:
 * `succession.ts`.
 */

import { z } from 'zod';
import { ConcordatError, digestOf } from '#libs/bytes';
import { SignedEnrolment, SignedRotation } from './enrolment.js';
import { signedSchema } from './envelope.js';
import { IdentityProvider, isSubjectAnalyst } from './identity-provider.js';
import { ManifestAgency, ManifestAnalyst, ManifestProcess } from './member.js';
import { Digest, Name, PublicKey } from './names.js';

const Reason = z.string().min(1).max(200);

/** The auditor and two agencies, or three agencies. */
export const KeyHolders = z
  .tuple([Name, Name, Name])
  .refine((holders) => new Set(holders).size === 3, 'three different processes');

/** Why this manifest follows the one before, with the evidence. */
export const ManifestChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('founded') }),
  z.strictObject({
    kind: z.literal('enrolled'),
    enrolment: SignedEnrolment,
    /** Whether it also witnesses the logs of the others. */
    witness: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('rotated'), rotation: SignedRotation }),
  z.strictObject({ kind: z.literal('revoked'), agency: Name, reason: Reason }),
  z.strictObject({ kind: z.literal('key-holders-named'), holders: KeyHolders }),
  z.strictObject({ kind: z.literal('analyst-added'), analyst: ManifestAnalyst }),
  z.strictObject({ kind: z.literal('analyst-removed'), analyst: Name, reason: Reason }),
  z.strictObject({
    kind: z.literal('identity-provider-named'),
    /** Null: nobody is believed by signing in any more. */
    provider: IdentityProvider.nullable(),
    reason: Reason,
  }),
]);
export type ManifestChange = z.infer<typeof ManifestChange>;

/** A key that is not in force any more: logs that it signed stay verifiable. */
const FormerKey = z.strictObject({
  id: Name,
  publicKey: PublicKey,
  /** Serial of the last manifest that named it. */
  until: z.int().min(1),
});

export const Manifest = z.strictObject({
  version: z.literal(1),
  federation: Name,
  serial: z.int().min(1),
  previous: Digest.nullable(),
  change: ManifestChange,
  grid: z.strictObject({ name: Name, hash: Digest }),
  coordinator: ManifestProcess,
  auditor: ManifestProcess,
  agencies: z.array(ManifestAgency).max(10_000),
  analysts: z.array(ManifestAnalyst).max(10_000),
  /** The auditor and agencies that cosign the checkpoints of every log but their own. */
  witnesses: z.array(Name).max(64),
  /** Who holds the shares of linkage keys; left out where nobody links, and dropped when one of them is revoked. */
  keyHolders: KeyHolders.optional(),
  /** Who may ask by signing in, beside `analysts`; left out where nobody may. */
  identityProvider: IdentityProvider.optional(),
  /** How many of them must have seen a checkpoint before an auditor believes it; 0 where there are no witnesses. */
  quorum: z.int().min(0).max(64),
  formerKeys: z.array(FormerKey).max(100_000),
});
export type Manifest = z.infer<typeof Manifest>;

/** Signed by the coordinator's key, which every process is given out of band when it enrols. */
export const SignedManifest = signedSchema(Manifest);
export type SignedManifest = z.infer<typeof SignedManifest>;

/** What tasks, receipts and assertions name the manifest by. */
export const manifestHash = (manifest: Manifest): string =>
  digestOf('concordat/manifest/v1', manifest);

/** What the founder of a federation decides. */
export type Founding = Pick<
  Manifest,
  | 'agencies'
  | 'analysts'
  | 'auditor'
  | 'coordinator'
  | 'federation'
  | 'grid'
  | 'quorum'
  | 'witnesses'
> &
  Partial<Pick<Manifest, 'identityProvider' | 'keyHolders'>>;

/** Manifest of serial 1. Throws `bad-manifest` when ids or keys appear twice or witnesses are strangers. */
export function foundManifest(founding: Founding): Manifest {
  const manifest: Manifest = {
    version: 1,
    ...founding,
    serial: 1,
    previous: null,
    change: { kind: 'founded' },
    formerKeys: [],
  };
  assertSound(manifest);
  return manifest;
}

/** Everything that must hold between the members of one manifest. Throws `bad-manifest`. */
export function assertSound(manifest: Manifest): void {
  const { coordinator, auditor, agencies, analysts, witnesses, quorum, formerKeys } = manifest;
  const processes = [coordinator, auditor, ...agencies];
  const bad = (why: string): never => {
    throw new ConcordatError('bad-manifest', why);
  };
  const keys = [...processes, ...analysts, ...formerKeys].map(({ publicKey }) => publicKey);
  if (new Set(keys).size !== keys.length) bad('two members have the same key');
  const ids = [...processes, ...analysts].map(({ id }) => id);
  if (new Set(ids).size !== ids.length) bad('two members have the same id');
  if (analysts.some(({ id }) => isSubjectAnalyst(id))) {
    bad('an analyst has an id that is kept for who signs in');
  }
  const boxes = processes.map(({ boxKey }) => boxKey);
  if (new Set(boxes).size !== boxes.length) bad('two processes have the same box key');
  const isProcess = (id: string): boolean =>
    id !== coordinator.id && processes.some((process) => process.id === id);
  if (new Set(witnesses).size !== witnesses.length || !witnesses.every(isProcess)) {
    bad('witnesses are the auditor and agencies of the federation, each once');
  }
  if (!(manifest.keyHolders ?? []).every(isProcess)) {
    bad('key-holders are the auditor and agencies of the federation');
  }
  if (quorum > witnesses.length) bad('there are fewer witnesses than the quorum');
}
