import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ConcordatError, fromBase64, toBase64 } from '#libs/bytes';
import { decodeShare, encodeShare, type KeyShare } from '#libs/linkage';

/** Finished columns of labels of a run that can be taken up again, and the shares they were made with. */
export interface Checkpoint {
  readonly shares: readonly [KeyShare, KeyShare, KeyShare];
  /** The labels of a column of `rows` rows, if the run got that far. */
  find(column: string, rows: number): readonly (string | null)[] | undefined;
  save(column: string, labels: readonly (string | null)[]): void;
}

const HEADER = z.strictObject({
  digest: z.string(),
  shares: z.tuple([z.string(), z.string(), z.string()]),
});
const COLUMN = z.strictObject({ column: z.string(), labels: z.array(z.string().nullable()) });

/** Runs file work; a path that cannot be read or written is refused by one code, whatever the system calls it. */
const onFile = <T>(work: () => T): T => {
  try {
    return work();
  } catch {
    throw new ConcordatError(
      'unwritable-file',
      'the checkpoint cannot be read and written: name a file in a folder of yours',
    );
  }
};

const refuse = (): never => {
  throw new ConcordatError(
    'other-checkpoint',
    'the checkpoint is of other files, keys or options: delete it or name another',
  );
};

/**
 * Opens or starts a checkpoint file: a header line with the digest of what is computed and the shares, then a line for each
 * column. A line that was cut off by a crash is computed again. Throws `other-checkpoint`, `unwritable-file`. The file holds key shares: it is
 * written for its owner only and is for evaluation, never for a deployment's key.
 */
export function openCheckpoint(
  path: string,
  digest: string,
  makeShares: () => readonly [KeyShare, KeyShare, KeyShare],
): Checkpoint {
  const done = new Map<string, (string | null)[]>();
  let shares: readonly [KeyShare, KeyShare, KeyShare];
  if (existsSync(path)) {
    const [header = '', ...lines] = onFile(() => readFileSync(path, 'utf8')).split('\n');
    try {
      const start = HEADER.parse(JSON.parse(header));
      if (start.digest !== digest) refuse();
      const [one, two, three] = start.shares.map((share) => decodeShare(fromBase64(share)));
      shares = [one as KeyShare, two as KeyShare, three as KeyShare];
    } catch {
      return refuse();
    }
    for (const line of lines) {
      try {
        const { column, labels } = COLUMN.parse(JSON.parse(line));
        done.set(column, labels);
      } catch {
        // The last line of an interrupted run: its column is computed again.
      }
    }
    // Start a fresh line after a torn one.
    onFile(() => appendFileSync(path, '\n'));
  } else {
    shares = makeShares();
    const header = JSON.stringify({
      digest,
      shares: shares.map((share) => toBase64(encodeShare(share))),
    });
    onFile(() => writeFileSync(path, `${header}\n`, { mode: 0o600 }));
  }
  return {
    shares,
    find(column, rows) {
      const labels = done.get(column);
      return labels?.length === rows ? labels : undefined;
    },
    save(column, labels) {
      onFile(() => appendFileSync(path, `${JSON.stringify({ column, labels })}\n`));
    },
  };
}
