import { ConcordatError } from '#libs/bytes';
import { decodeEntry } from '#libs/tlog';
import type { Coordinator } from '../coordinator.js';
import { EnrolmentDesk } from './enrolment-desk.js';
import type { Office } from './operations.js';
import { Succession } from './succession.js';
import { finishTurn } from './turn-key.js';

/** Injection token of the one `Office` of the process. */
export const OFFICE = Symbol('Office');

/**
 * Opens what changes the federation, from the log: manifests that were published and did not reach `manifest.json`, a turn of the key that
 * was cut short, tokens, and enrolments that wait. Throws `wrong-key` when the manifest names a key that is not in the folder.
 */
export async function openOffice(
  coordinator: Coordinator,
  signingKeyPath: string,
  onRefused: (code: string) => void,
): Promise<Office> {
  const succession = new Succession(coordinator);
  const desk = new EnrolmentDesk(coordinator, succession, onRefused);
  for await (const { bytes } of coordinator.journal.entries()) {
    const entry = decodeEntry(bytes);
    if (entry.kind === 'manifest.published') await succession.replay(entry);
    desk.fold(entry);
  }
  await finishTurn(coordinator, signingKeyPath);
  if (coordinator.federation.manifest.coordinator.publicKey !== coordinator.key.publicKey) {
    throw new ConcordatError(
      'wrong-key',
      'the manifest names another key for the coordinator than the one in its folder',
    );
  }
  return { coordinator, desk, succession, signingKeyPath };
}
