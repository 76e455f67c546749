/** Inclusion proofs out of a log's published files, for whoever only reads it. */
import { ConcordatError } from '#libs/bytes';
import { inclusionProof, parseCheckpoint, tileHashReader, tilePath } from '#libs/tlog';
import { CHECKPOINT } from './layout.js';
import { readFromDirectory } from './log-source.js';

export interface StoredProofs {
  /** The published note, cosignatures included, under which `prove` proves. */
  readonly checkpoint: string;
  /** Proof for `verifyInclusion`. Rejects with `out-of-range`, `log-corrupt`. */
  prove(index: bigint): Promise<Uint8Array[]>;
}

/** Opens the published checkpoint and the tiles of a log in a directory; verify it first. Throws `log-corrupt`. */
export async function inclusionProofFrom(dir: string): Promise<StoredProofs> {
  const read = readFromDirectory(dir);
  const bytes = await read(CHECKPOINT);
  if (!bytes) throw new ConcordatError('log-corrupt', 'there is no checkpoint in this directory');
  const checkpoint = Buffer.from(bytes).toString('utf8');
  const { size } = parseCheckpoint(checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1));
  const reader = tileHashReader(size, async ({ level, index, width }) => {
    // the partial tile is gone once the full one is there
    const tile =
      (await read(tilePath(level, index, width))) ?? (await read(tilePath(level, index)));
    if (!tile) throw new ConcordatError('log-corrupt', 'a tile of the log is missing');
    return tile;
  });
  return { checkpoint, prove: (index) => inclusionProof(index, size, reader) };
}
