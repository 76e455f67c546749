/**
 * How one manifest follows another. A change and the manifest before it determine the next one, so members recompute it instead of
 * believing it: a coordinator can add, rotate or remove only with the evidence that the change carries, and nothing in silence.
 */
import { z } from 'zod';
import { ConcordatError, fromBase64url } from '#libs/bytes';
import { isSoundPublicKey } from '#libs/tlog';
import { Enrolment, keyFingerprint, Rotation, type SignedRotation } from './enrolment.js';
import {
  type MessageSigner,
  openEnvelope,
  type Signed,
  seal,
  type VerifySignature,
} from './envelope.js';
import {
  assertSound,
  Manifest,
  ManifestChange,
  manifestHash,
  type SignedManifest,
} from './manifest.js';
import type { ManifestAgency, ManifestProcess } from './member.js';
import { PublicKey, Signature } from './names.js';

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/**
 * The manifest that follows `previous` by `change`. Throws `id-taken`, `key-taken`, `unknown-agency`, `unknown-process`,
 * `unknown-analyst`, `no-identity-provider`, `wrong-coordinator`, `wrong-manifest`, `weak-key`, `bad-manifest`, and what `openEnvelope` throws for the evidence.
 */
export function nextManifest(
  previous: Manifest,
  change: ManifestChange,
  verify: VerifySignature,
): Manifest {
  const next: Manifest = {
    ...previous,
    serial: previous.serial + 1,
    previous: manifestHash(previous),
    change,
    ...membersAfter(previous, change, verify),
  };
  const { keyHolders, ...others } = without(change, next);
  const stays = keyHolders?.every(
    (holder) => holder === next.auditor.id || next.agencies.some(({ id }) => id === holder),
  );
  const isKept = keyHolders && (stays || change.kind === 'key-holders-named');
  const kept = isKept ? { ...others, keyHolders } : others;
  assertSound(kept);
  return kept;
}

/** A provider that is no longer believed is not named at all. */
function without(change: ManifestChange, next: Manifest): Manifest {
  if (change.kind !== 'identity-provider-named' || change.provider !== null) return next;
  const { identityProvider: _, ...others } = next;
  return others;
}

type Members = Partial<
  Pick<
    Manifest,
    | 'agencies'
    | 'analysts'
    | 'auditor'
    | 'coordinator'
    | 'formerKeys'
    | 'identityProvider'
    | 'keyHolders'
    | 'quorum'
    | 'witnesses'
  >
>;

function membersAfter(
  previous: Manifest,
  change: ManifestChange,
  verify: VerifySignature,
): Members {
  switch (change.kind) {
    case 'founded':
      return refuse('bad-manifest', 'a federation is founded once');
    case 'enrolled': {
      const { agency } = openEnrolment(change.enrolment, previous, verify);
      return {
        agencies: [...previous.agencies, agency],
        ...(change.witness ? { witnesses: [...previous.witnesses, agency.id] } : {}),
      };
    }
    case 'rotated':
      return rotated(previous, openRotation(change.rotation, previous, verify));
    case 'revoked': {
      const agency = previous.agencies.find(({ id }) => id === change.agency);
      if (!agency) return refuse('unknown-agency', 'the manifest names no such agency');
      const witnesses = previous.witnesses.filter((id) => id !== agency.id);
      return {
        agencies: previous.agencies.filter(({ id }) => id !== agency.id),
        witnesses,
        quorum: Math.min(previous.quorum, witnesses.length),
        formerKeys: [...previous.formerKeys, former(agency, previous)],
      };
    }
    case 'key-holders-named':
      return { keyHolders: change.holders };
    case 'analyst-added':
      assertNew(previous, change.analyst);
      return { analysts: [...previous.analysts, change.analyst] };
    case 'analyst-removed': {
      const analysts = previous.analysts.filter(({ id }) => id !== change.analyst);
      if (analysts.length === previous.analysts.length)
        return refuse('unknown-analyst', 'the manifest names no such analyst');
      return { analysts };
    }
    case 'identity-provider-named': {
      const { provider } = change;
      if (provider === null && !previous.identityProvider)
        return refuse('no-identity-provider', 'the manifest names no identity provider');
      return provider ? { identityProvider: provider } : {};
    }
  }
}

const former = ({ id, publicKey }: ManifestProcess, { serial }: Manifest) => ({
  id,
  publicKey,
  until: serial,
});

/** A log's name is its owner's id and must stay unique for ever: an id is used once, also after a revocation. */
function assertNew(manifest: Manifest, { id, publicKey }: { id: string; publicKey: string }): void {
  const { coordinator, auditor, agencies, analysts, formerKeys } = manifest;
  const known = [coordinator, auditor, ...agencies, ...analysts, ...formerKeys];
  if (known.some((member) => member.id === id)) {
    refuse('id-taken', 'this id is, or was, of another member; choose a new one');
  }
  assertNewKey(manifest, publicKey);
}

function assertNewKey(manifest: Manifest, publicKey: string): void {
  const { coordinator, auditor, agencies, analysts, formerKeys } = manifest;
  const known = [coordinator, auditor, ...agencies, ...analysts, ...formerKeys];
  if (known.some((member) => member.publicKey === publicKey)) {
    refuse('key-taken', 'this key is, or was, of another member; make a new one');
  }
  if (!isSoundPublicKey(fromBase64url(publicKey))) {
    refuse('weak-key', 'not a public key that signatures can be trusted under');
  }
}

/** Checks an enrolment against the manifest that it would change, and returns it. Throws as `nextManifest` does. */
export function openEnrolment(
  signed: { readonly payload: Enrolment; readonly publicKey: string; readonly signature: string },
  manifest: Manifest,
  verify: VerifySignature,
): Enrolment {
  const enrolment = openEnvelope(
    'enrolment',
    Enrolment,
    signed,
    signed.payload.agency.publicKey,
    verify,
  );
  if (enrolment.coordinator !== manifest.coordinator.publicKey) {
    refuse('wrong-coordinator', 'the enrolment is for a coordinator with another key');
  }
  assertNew(manifest, enrolment.agency);
  return enrolment;
}

/** Signs a rotation with both keys. */
export function sealRotation(
  rotation: Rotation,
  oldKey: MessageSigner,
  newKey: MessageSigner,
): SignedRotation {
  return {
    rotation: seal('rotation', rotation, oldKey),
    possession: seal('possession', rotation, newKey).signature,
  };
}

/** Checks a rotation against the manifest that it would change, and returns it. Throws as `nextManifest` does. */
export function openRotation(
  { rotation: signed, possession }: SignedRotation,
  manifest: Manifest,
  verify: VerifySignature,
): Rotation {
  const { process: id } = signed.payload;
  const { coordinator, auditor, agencies } = manifest;
  const process = [coordinator, auditor, ...agencies].find((member) => member.id === id);
  if (!process) return refuse('unknown-process', 'the manifest names no process of this id');
  const rotation = openEnvelope('rotation', Rotation, signed, process.publicKey, verify);
  const byNewKey = { payload: rotation, publicKey: rotation.newKey, signature: possession };
  openEnvelope('possession', Rotation, byNewKey, rotation.newKey, verify);
  if (rotation.oldKey !== process.publicKey || rotation.manifest !== manifestHash(manifest)) {
    refuse('wrong-manifest', 'the rotation was signed under another manifest; sign it again');
  }
  assertNewKey(manifest, rotation.newKey);
  return rotation;
}

function rotated(previous: Manifest, { process: id, newKey, newBoxKey }: Rotation): Members {
  const change = <T extends ManifestAgency | ManifestProcess>(member: T): T =>
    member.id === id ? { ...member, publicKey: newKey, boxKey: newBoxKey } : member;
  const { coordinator, auditor, agencies } = previous;
  const old = [coordinator, auditor, ...agencies].find((member) => member.id === id);
  return {
    coordinator: change(coordinator),
    auditor: change(auditor),
    agencies: agencies.map(change),
    formerKeys: [...previous.formerKeys, ...(old ? [former(old, previous)] : [])],
  };
}

/** A change with the coordinator's signature over the whole manifest that it leads to. */
export const ManifestStep = z.strictObject({
  change: ManifestChange,
  publicKey: PublicKey,
  signature: Signature,
});
export type ManifestStep = z.infer<typeof ManifestStep>;

/** `GET /v1/manifests?after=SERIAL&wait=SECONDS`: the steps from there to the newest, in order. */
export const ManifestSteps = z.strictObject({
  version: z.literal(1),
  steps: z.array(ManifestStep).max(10_000),
});
export type ManifestSteps = z.infer<typeof ManifestSteps>;

/** Makes the step to the manifest that follows `previous` by `change`, signed by the coordinator's key that `previous` names. */
export function signStep(
  previous: Manifest,
  change: ManifestChange,
  key: MessageSigner,
  verify: VerifySignature,
): ManifestStep {
  const { publicKey, signature } = seal('manifest', nextManifest(previous, change, verify), key);
  return { change, publicKey, signature };
}

/**
 * The manifest that a step leads to. Throws as `nextManifest` does, and `wrong-signer` or `bad-signature` unless the coordinator's key of
 * `previous` signed exactly that: a new coordinator's key is signed for by the old one.
 */
export function takeStep(
  previous: Manifest,
  { change, publicKey, signature }: ManifestStep,
  verify: VerifySignature,
): Manifest {
  const payload = nextManifest(previous, change, verify);
  const signed: Signed<Manifest> = { payload, publicKey, signature };
  openEnvelope('manifest', Manifest, signed, previous.coordinator.publicKey, verify);
  return payload;
}

/** The signed manifest at the end of a step. */
export const signedBy = (
  manifest: Manifest,
  { publicKey, signature }: ManifestStep,
): SignedManifest => ({
  payload: manifest,
  publicKey,
  signature,
});

/** `key.rotated` entries name keys by their fingerprints. */
export const rotationFingerprints = ({ oldKey, newKey }: Pick<Rotation, 'newKey' | 'oldKey'>) => ({
  oldKeyFingerprint: keyFingerprint(oldKey),
  newKeyFingerprint: keyFingerprint(newKey),
});
