/** What the coordinator's operator can do to the federation, as one closed set of messages. */
import { z } from 'zod';
import {
  IdentityProvider,
  identityProviderDigest,
  KeyHolders,
  ManifestAnalyst,
  manifestHash,
  Name,
} from '#libs/protocol';
import type { Coordinator } from '../coordinator.js';
import { assertDemoStaysHere } from './demo-identity.js';
import type { EnrolmentDesk } from './enrolment-desk.js';
import type { Succession } from './succession.js';
import { turnKey } from './turn-key.js';

const Reason = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine((text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text), 'one printable line')
  .transform((text) => text.normalize('NFC'));

/** A week: whoever needs longer asks again. */
export const MAX_TOKEN_HOURS = 168;

export const Operation = z.discriminatedUnion('operation', [
  z.strictObject({
    operation: z.literal('token'),
    agency: Name,
    hours: z.int().min(1).max(MAX_TOKEN_HOURS),
  }),
  z.strictObject({ operation: z.literal('enrolments') }),
  z.strictObject({
    operation: z.literal('confirm'),
    agency: Name,
    words: z.string().min(1).max(400),
    witness: z.boolean(),
  }),
  z.strictObject({ operation: z.literal('decline'), agency: Name, reason: Reason }),
  z.strictObject({ operation: z.literal('revoke'), agency: Name, reason: Reason }),
  z.strictObject({ operation: z.literal('analyst-add'), analyst: ManifestAnalyst }),
  z.strictObject({ operation: z.literal('analyst-remove'), analyst: Name, reason: Reason }),
  z.strictObject({
    operation: z.literal('identity-provider'),
    provider: IdentityProvider.nullable(),
    reason: Reason,
  }),
  z.strictObject({ operation: z.literal('name-key-holders'), holders: KeyHolders }),
  z.strictObject({ operation: z.literal('rotate-key') }),
]);
export type Operation = z.infer<typeof Operation>;

export interface Office {
  readonly coordinator: Coordinator;
  readonly desk: EnrolmentDesk;
  readonly succession: Succession;
  readonly signingKeyPath: string;
}

/** Does it, durably, and returns what the operator is shown. Throws the codes of the parts. */
export async function perform(
  { coordinator, desk, succession, signingKeyPath }: Office,
  order: Operation,
): Promise<object> {
  const manifest = () => ({
    serial: coordinator.federation.manifest.serial,
    manifest: manifestHash(coordinator.federation.manifest),
  });
  switch (order.operation) {
    case 'token':
      return { agency: order.agency, ...(await desk.issueToken(order.agency, order.hours)) };
    case 'enrolments':
      return { enrolments: await desk.list() };
    case 'confirm':
      await desk.confirm(order.agency, order.words, order.witness);
      return { agency: order.agency, ...manifest() };
    case 'decline':
      await desk.decline(order.agency, order.reason);
      return { agency: order.agency };
    case 'revoke': {
      const { agency, reason } = order;
      await succession.publish({ kind: 'revoked', agency, reason });
      return { agency, ...manifest() };
    }
    case 'analyst-add':
      await succession.publish({ kind: 'analyst-added', analyst: order.analyst });
      return { analyst: order.analyst.id, ...manifest() };
    case 'analyst-remove': {
      const { analyst, reason } = order;
      await succession.publish({ kind: 'analyst-removed', analyst, reason });
      return { analyst, ...manifest() };
    }
    case 'identity-provider': {
      const { provider, reason } = order;
      assertDemoStaysHere(coordinator.config, provider);
      await succession.publish({ kind: 'identity-provider-named', provider, reason });
      return {
        provider: provider && { digest: identityProviderDigest(provider), ...provider },
        ...manifest(),
      };
    }
    case 'name-key-holders':
      await succession.publish({ kind: 'key-holders-named', holders: order.holders });
      return { holders: order.holders, ...manifest() };
    case 'rotate-key':
      await turnKey(coordinator, succession, signingKeyPath);
      return { publicKey: coordinator.key.publicKey, ...manifest() };
  }
}
