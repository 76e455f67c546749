import { type Journal, openBlobs } from '#libs/journal';
import type { BoxKey, SigningKey } from '#libs/keystore';
import type { Logger } from '#libs/nest-kit';
import { applyToSealBook, emptySealBook, isSealEvent } from '#libs/protocol';
import { decodeEntry, encodeEntry } from '#libs/tlog';
import { AgencyTrees } from './agency-trees.js';
import type { Sealing } from './sealing.js';

/** Opens what the auditor keeps of sealed rounds and replays its log into the book. */
export async function openSealing(options: {
  readonly id: string;
  readonly pinned: Sealing['pinned'];
  readonly key: SigningKey;
  readonly box: BoxKey;
  readonly journal: Journal;
  readonly paths: { readonly seeds: string; readonly sums: string; readonly domains: string };
  readonly coordinatorUrl: string;
  readonly nowMs: () => number;
  readonly logger: Logger;
}): Promise<Sealing> {
  const { id, pinned, key, box, journal, paths, coordinatorUrl, nowMs, logger } = options;
  const book = emptySealBook();
  for await (const { bytes } of journal.entries()) {
    const entry = decodeEntry(bytes);
    if (isSealEvent(entry)) applyToSealBook(book, entry);
  }
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...{ id, pinned, key, box, book, nowMs, logger },
    seeds: await openBlobs({ dir: paths.seeds }),
    sums: await openBlobs({ dir: paths.sums }),
    trees: new AgencyTrees(paths.domains, coordinatorUrl),
    append: async (event) => {
      await journal.append(encodeEntry(event));
      applyToSealBook(book, event);
    },
    inTurn: (work) => {
      const turn = last.then(work, work);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
