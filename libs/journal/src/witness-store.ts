/**
 * A witness with a memory (C2SP tlog-witness): the latest checkpoint it cosigned of each log, one file each, the note with
 * its own cosignature; durable before the cosignature leaves, and never replaced by a smaller one.
 */

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError, sha256Hex, utf8ToBytes } from '#libs/bytes';
import { makeDirectory, replaceFile, TEMPORARY, verifyEd25519ByNode } from '#libs/host';
import {
  addSignatures,
  type Checkpoint,
  type NoteSigner,
  parseCheckpoint,
  parseWitnessRequest,
  type WitnessReply,
  witnessUpdate,
} from '#libs/tlog';
import { lockDirectory } from './lock.js';

export interface WitnessOptions {
  readonly dir: string;
  /** Keys of the logs it serves, `name+id+base64`, by origin. */
  readonly logKeys: ReadonlyMap<string, readonly string[]>;
  readonly signer: NoteSigner;
  /** POSIX milliseconds; dates the cosignatures. */
  readonly clock?: () => number;
}

export interface Witness {
  /**
   * Answers the body of an add-checkpoint request; a cosignature only once its checkpoint is durable. Requests are handled
   * one after another. Rejects with `witness-unavailable` when the disk fails: then nothing was cosigned.
   */
  addCheckpoint(body: string): Promise<WitnessReply>;
  /** Latest checkpoint it cosigned of a log; what `Journal.assertContains` takes. */
  latest(origin: string): Checkpoint | undefined;
  /** The note of that checkpoint, signed by the log and cosigned: proof to anyone that it was shown. */
  note(origin: string): string | undefined;
  close(): Promise<void>;
}

const LATEST = '.checkpoint';
/** Requests that prove a log signed two trees of one size. */
const EVIDENCE = 'evidence';

/**
 * Opens the witness's state in `dir`, or founds it. Throws `log-locked`, and `witness-corrupt` for a file it cannot read: a
 * witness that forgot could be shown a fork, so it does not begin again by itself.
 */
export async function openWitness(options: WitnessOptions): Promise<Witness> {
  const { dir, logKeys, signer, clock = Date.now } = options;
  await makeDirectory(dir);
  const lock = await lockDirectory(dir, clock());
  const latest = new Map<string, { readonly checkpoint: Checkpoint; readonly note: string }>();
  const pathOf = (origin: string): string =>
    join(dir, `${sha256Hex(utf8ToBytes(origin))}${LATEST}`);
  try {
    for (const name of await readdir(dir)) {
      if (name.endsWith(TEMPORARY)) await rm(join(dir, name), { force: true });
      if (!name.endsWith(LATEST)) continue;
      const note = await readFile(join(dir, name), 'utf8');
      const checkpoint = readState(note);
      if (pathOf(checkpoint.origin) !== join(dir, name)) throw corrupt();
      latest.set(checkpoint.origin, { checkpoint, note });
    }
  } catch (error) {
    await lock.release();
    throw error;
  }

  let queue: Promise<unknown> = Promise.resolve();
  const handle = async (body: string): Promise<WitnessReply> => {
    const reply = witnessUpdate(body, {
      logKeys,
      latest: (origin) => latest.get(origin)?.checkpoint,
      signer,
      timestamp: BigInt(Math.floor(clock() / 1000)),
      verify: verifyEd25519ByNode,
    });
    try {
      if (reply.status === 200) {
        const note = addSignatures(parseWitnessRequest(body).checkpoint, [reply.cosignature]);
        await replaceFile(pathOf(reply.latest.origin), note);
        latest.set(reply.latest.origin, { checkpoint: reply.latest, note });
      } else if (reply.code === 'fork') {
        await replaceFile(join(dir, EVIDENCE, `${sha256Hex(utf8ToBytes(body))}.txt`), body);
      }
    } catch (error) {
      throw new ConcordatError(
        'witness-unavailable',
        'the witness cannot store what it saw; check disk space and rights',
        { cause: error },
      );
    }
    return reply;
  };
  return {
    addCheckpoint(body) {
      const run = queue.then(() => handle(body));
      queue = run.catch(() => undefined);
      return run;
    },
    latest: (origin) => latest.get(origin)?.checkpoint,
    note: (origin) => latest.get(origin)?.note,
    async close() {
      await queue;
      await lock.release();
    },
  };
}

const corrupt = (): ConcordatError =>
  new ConcordatError(
    'witness-corrupt',
    'the state of a witness is damaged; restore it from a copy',
  );

function readState(note: string): Checkpoint {
  try {
    return parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
  } catch {
    throw corrupt();
  }
}
