/** A key-holder's answer to one batch: evaluated or refused with a code, and in the log of its process before anybody hears of it. */
import { z } from 'zod';
import { ConcordatError, canonicalBytes, parseCanonicalJson, toBase64url } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import type { BatchRequest, HolderPair } from '#libs/linkage';
import { LinkageBody } from '#libs/protocol';
import { decodeEntry, type Entry, type EntryOf } from '#libs/tlog';
import { joinElements, splitElements } from './elements.js';
import { epochFolder } from './epoch.js';
import { answerFile, type HeldEpoch } from './held-epoch.js';
import type { HolderLog } from './holder-log.js';

interface AskedBatch {
  readonly from: string;
  /** Of the letter. */
  readonly id: string;
  readonly body: Extract<LinkageBody, { kind: 'batch' }>;
  /** Undefined where this holder has no such epoch. */
  readonly epoch: HeldEpoch | undefined;
}

interface HolderProcess {
  readonly me: string;
  readonly log: HolderLog;
  readonly append: (entry: Entry) => Promise<unknown>;
  readonly random: RandomSource;
  readonly nowMs: () => number;
}

/** The last answer to a node as it is kept, and the entry that says so. */
const Kept = z.strictObject({ id: z.string(), answer: LinkageBody, entry: z.unknown() });
type Batch = EntryOf<'linkage.batch'>;

/**
 * The answer kept for a node. One whose entry is not in the log, because of a kill or a full disk, is logged first: it was paid for when it
 * was made, and is neither made nor paid for again.
 */
async function keptAnswer(
  { project, folder }: HeldEpoch,
  node: string,
  { log, append }: Pick<HolderProcess, 'log' | 'append'>,
): Promise<{ readonly id: string; readonly answer: LinkageBody } | undefined> {
  const bytes = await folder.read(answerFile(node));
  const { data: kept } = Kept.safeParse(bytes && parseCanonicalJson(bytes));
  if (!kept) return undefined;
  const entry = decodeEntry(canonicalBytes(kept.entry)) as Batch;
  if (!log.hasBatch(epochFolder(project), entry)) {
    await append(entry);
    log.take(entry);
  }
  return kept;
}

/** Logs what an earlier process of this holder kept and could not log. To be called before its quotas are read from the log. */
export async function logKeptAnswers(
  epoch: HeldEpoch,
  process: Pick<HolderProcess, 'log' | 'append'>,
): Promise<void> {
  for (const node of [epoch.project.left, epoch.project.right]) {
    await keptAnswer(epoch, node, process);
  }
}

/** Elements that cannot be told apart are an empty batch, which is refused and logged like any other. */
function elementsOf(text: string): Uint8Array[] {
  try {
    return splitElements(text);
  } catch {
    return [];
  }
}

/**
 * Throws the code of a refusal, `not-yet` before there is a key. One batch at a time: the caller lets no other work of this holder come in
 * between.
 */
export async function answerBatch(asked: AskedBatch, process: HolderProcess): Promise<LinkageBody> {
  const { me, log, append, random, nowMs } = process;
  const { from, id, body, epoch } = asked;
  const isOver = log.isDestroyed(epochFolder(body));
  if (epoch && !epoch.holder && !isOver) {
    throw new ConcordatError('not-yet', 'the key is not made yet');
  }
  // the last letter again: its answer got lost
  const before = epoch && (await keptAnswer(epoch, from, process));
  if (before?.id === id) return before.answer;
  const elements = elementsOf(body.elements);
  const request: BatchRequest = {
    project: body.project,
    epoch: body.epoch,
    node: from,
    sequence: body.sequence,
    pair: body.pair as unknown as HolderPair,
    elements,
  };
  const decision = epoch?.holder?.evaluate(request, random);
  const refusal = decision && !decision.ok ? decision.code : undefined;
  const code = decision ? refusal : isOver ? 'share-destroyed' : 'other-epoch';
  const entry: Batch = {
    kind: 'linkage.batch',
    at: new Date(nowMs()).toISOString(),
    actor: me,
    project: body.project,
    epoch: body.epoch,
    node: from,
    sequence: body.sequence,
    elements: elements.length,
    digest: decision?.entry.digest ?? '',
    used: decision?.entry.used ?? 0,
    quota: decision?.entry.quota ?? 0,
    ...(code === undefined ? {} : { code }),
  };
  if (!decision?.ok) {
    await append(entry);
    throw new ConcordatError(code ?? 'other-epoch', 'the batch was refused');
  }
  const { index, evaluated, proof } = decision.response;
  const answer: LinkageBody = {
    kind: 'evaluation',
    index,
    evaluated: joinElements(evaluated),
    proof: toBase64url(proof),
  };
  // kept before it is logged: a kill between the two leaves an answer that is logged when the letter comes again
  await epoch?.folder.write(answerFile(from), canonicalBytes({ id, answer, entry }));
  await append(entry);
  log.take(entry);
  return answer;
}
