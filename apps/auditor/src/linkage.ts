/** The auditor as a key-holder: the part of linkage that a process without records has. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { bytesToHex, ConcordatError } from '#libs/bytes';
import { osRandom } from '#libs/host';
import type { Journal } from '#libs/journal';
import { type BoxKeyRing, verifySignature } from '#libs/keystore';
import {
  type Correspondence,
  Holder,
  postOver,
  SealedFolder,
  startCorrespondence,
} from '#libs/linkage-party';
import type { Logger, SignedClient } from '#libs/nest-kit';
import { LinkageInstruction, type Manifest, openEnvelope, processBoxKey } from '#libs/protocol';
import { decodeEntry, type Entry, encodeEntry } from '#libs/tlog';

export interface HolderProcess {
  readonly id: string;
  readonly manifest: () => Manifest;
  readonly box: BoxKeyRing;
  readonly journal: Journal;
  readonly client: SignedClient;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

async function* entriesOf(journal: Journal): AsyncIterable<Entry> {
  for await (const { bytes } of journal.entries()) yield decodeEntry(bytes);
}

/** Opens the folder of shares in `dir` and starts fetching mail. Returns how to stop. */
export async function startKeyHolding(
  { id, manifest, box, journal, client, logger, nowMs }: HolderProcess,
  dir: string,
): Promise<() => Promise<void>> {
  const folder = new SealedFolder(dir, box);
  if (box.hasFormer) await folder.reclose();
  box.forget(nowMs());
  let letters: Correspondence | undefined;
  const holder = await Holder.open({
    me: id,
    manifest,
    folder: folder.folder('shares'),
    entries: entriesOf(journal),
    append: (entry) => journal.append(encodeEntry(entry)),
    ask: (to, body) => {
      if (!letters) throw new ConcordatError('not-yet', 'this process is still starting');
      return letters.ask(to, body);
    },
    random: osRandom(),
    nowMs,
    pause: (ms) => pause(ms),
  });
  const started = startCorrespondence({
    me: id,
    box,
    boxKeyOf: (process) => processBoxKey(manifest(), process),
    post: postOver(client),
    answer: async (from, body, letterId) => {
      if (body.kind !== 'instruction') return holder.answer(from, body, letterId);
      const { coordinator } = manifest();
      if (from !== coordinator.id) {
        throw new ConcordatError('wrong-signer', 'only the coordinator passes instructions on');
      }
      const { action, project } = openEnvelope(
        'linkage',
        LinkageInstruction,
        body.signed,
        coordinator.publicKey,
        verifySignature,
      );
      if (action === 'keygen') await holder.keygen(project);
      if (action === 'destroy') await holder.destroy(project);
      return { kind: 'parts', parts: [holder.state(project)] };
    },
    newId: () => bytesToHex(randomBytes(16)),
    log: logger,
  });
  letters = started;
  return async () => {
    const ended = holder.stop();
    await started.stop();
    await ended;
  };
}
