import { ConcordatError } from '#libs/bytes';
import { type IdentityProvider, isDemoProvider, isLoopbackHost } from '#libs/protocol';
import type { CoordinatorConfig } from '../config.js';

/** A provider on this machine is a demonstration, and believed on this machine only. Throws `demo-identity-exposed`. */
export function assertDemoStaysHere(
  { listen }: Pick<CoordinatorConfig, 'listen'>,
  provider: IdentityProvider | null | undefined,
): void {
  if (!provider || !isDemoProvider(provider) || isLoopbackHost(listen.host)) return;
  throw new ConcordatError(
    'demo-identity-exposed',
    'an identity provider on this machine is for a demonstration: name a real one, or listen on 127.0.0.1',
  );
}
