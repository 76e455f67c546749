/** A key-holder's answer to one batch: evaluated or refused with a code, and in the log of its process before anybody hears of it. */
import { ConcordatError, canonicalBytes, parseCanonicalJson, toBase64url } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import type { BatchRequest, HolderPair } from '#libs/linkage';
import { LinkageBody } from '#libs/protocol';
import type { Entry } from '#libs/tlog';
import { joinElements, splitElements } from './elements.js';
import { answerFile, type HeldEpoch } from './held-epoch.js';

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
  readonly append: (entry: Entry) => Promise<unknown>;
  readonly random: RandomSource;
  readonly nowMs: () => number;
}

/** The last answer to a node, when the letter is the one it answered: the letter came again because the answer got lost. */
async function answeredBefore({ from, id, epoch }: AskedBatch): Promise<LinkageBody | undefined> {
  const bytes = await epoch?.folder.read(answerFile(from));
  if (!bytes) return undefined;
  const kept = parseCanonicalJson(bytes) as { id?: unknown; answer?: unknown };
  return kept.id === id ? LinkageBody.parse(kept.answer) : undefined;
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
export async function answerBatch(
  asked: AskedBatch,
  isOver: boolean,
  { me, append, random, nowMs }: HolderProcess,
): Promise<LinkageBody> {
  const { from, id, body, epoch } = asked;
  if (epoch && !epoch.holder && !isOver) {
    throw new ConcordatError('not-yet', 'the key is not made yet');
  }
  const before = await answeredBefore(asked);
  if (before) return before;
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
  await append({
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
  });
  if (!decision?.ok) throw new ConcordatError(code ?? 'other-epoch', 'the batch was refused');
  const { index, evaluated, proof } = decision.response;
  const answer: LinkageBody = {
    kind: 'evaluation',
    index,
    evaluated: joinElements(evaluated),
    proof: toBase64url(proof),
  };
  await epoch?.folder.write(answerFile(from), canonicalBytes({ id, answer }));
  return answer;
}
