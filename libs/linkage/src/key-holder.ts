/**
 * What a key-holder does with a batch of blinded elements: checks that it is meant for this key, new, and within the
 * node's quota, then multiplies and proves. Everything asked is an entry for the holder's log, refusals too; the entry is
 * written before the answer leaves.
 */
import { ConcordatError, domainDigest, isConcordatError, toBase64url } from '#libs/bytes';
import type { RandomSource } from '#libs/dp';
import { MAX_BATCH, proveBatch } from './dleq.js';
import {
  evaluationKey,
  evaluationPublicKey,
  type HolderIndex,
  type HolderPair,
  isDestroyed,
  isOfPair,
  type KeyShare,
} from './key-share.js';
import { multiplyElement, randomScalar } from './ristretto.js';

/** One batch a node asks for. The channel proves who `node` is. */
export interface BatchRequest {
  readonly project: string;
  readonly epoch: string;
  readonly node: string;
  /** Counts up from 1 per node and holder; a number is used once. */
  readonly sequence: number;
  readonly pair: HolderPair;
  readonly elements: readonly Uint8Array[];
}

/** One holder's answer: the elements times lambda_i * share_i, and the proof of it. */
export interface BatchResponse {
  readonly index: HolderIndex;
  readonly evaluated: readonly Uint8Array[];
  readonly proof: Uint8Array;
}

/** How many people a node declared for the epoch and how many match keys it makes of each. */
export interface QuotaGrant {
  readonly node: string;
  readonly people: number;
  readonly keys: number;
}

export type BatchRefusalCode =
  | 'share-destroyed'
  | 'other-epoch'
  | 'unknown-node'
  | 'bad-pair'
  | 'bad-batch'
  | 'replayed-batch'
  | 'quota-exhausted'
  | 'malformed-element'
  | 'identity-element';

/** The log entry of one request. `used` and `quota` are in elements. */
export interface BatchEntry {
  readonly kind: 'linkage-batch-evaluated' | 'linkage-batch-refused';
  readonly code: BatchRefusalCode | null;
  readonly project: string;
  readonly epoch: string;
  readonly node: string;
  readonly sequence: number;
  readonly elements: number;
  readonly digest: string;
  readonly used: number;
  readonly quota: number;
}

export type BatchDecision =
  | { readonly ok: true; readonly response: BatchResponse; readonly entry: BatchEntry }
  | { readonly ok: false; readonly code: BatchRefusalCode; readonly entry: BatchEntry };

/** Declared distinct people x keys + 5 %, rounded down. Throws `bad-quota` unless both are positive integers. */
export function quotaOf({
  people,
  keys,
}: {
  readonly people: number;
  readonly keys: number;
}): number {
  const exact = people * keys;
  if (
    !(people > 0 && keys > 0) ||
    !Number.isSafeInteger(people) ||
    !Number.isSafeInteger(exact * 105)
  ) {
    throw new ConcordatError(
      'bad-quota',
      'declare how many people and how many keys as positive integers',
    );
  }
  return Math.floor((exact * 105) / 100);
}

const digestOfElements = (elements: readonly Uint8Array[]): string =>
  toBase64url(domainDigest('concordat/linkage/batch/v1', ...elements));

/** lambda_i * share_i times each element (BlindEvaluate, RFC 9497 section 3.3.1), without quota, proof or log. */
export function evaluateElements(
  share: KeyShare,
  pair: HolderPair,
  elements: readonly Uint8Array[],
): Uint8Array[] {
  const secret = evaluationKey(share, pair);
  return elements.map((element) => multiplyElement(secret, element));
}

interface NodeState {
  readonly quota: number;
  used: number;
  lastSequence: number;
  readonly seen: Set<string>;
}

/** One share at work. Holds what each node used, and rebuilds it from the log with `replay` after a restart. */
export class KeyHolder {
  private readonly nodes = new Map<string, NodeState>();

  constructor(
    private readonly share: KeyShare,
    grants: readonly QuotaGrant[],
  ) {
    for (const grant of grants) this.grant(grant);
  }

  /** Gives a node its quota for the epoch. Throws `bad-quota`, and `already-declared` for a node that has one. */
  grant(grant: QuotaGrant): void {
    if (this.nodes.has(grant.node)) {
      throw new ConcordatError('already-declared', 'a node declares its people once an epoch');
    }
    const quota = quotaOf(grant);
    this.nodes.set(grant.node, { quota, used: 0, lastSequence: 0, seen: new Set<string>() });
  }

  /** Takes an entry of this holder's own log into account. */
  replay(entry: BatchEntry): void {
    const state = this.nodes.get(entry.node);
    if (!state || entry.kind !== 'linkage-batch-evaluated') return;
    state.used += entry.elements;
    state.lastSequence = Math.max(state.lastSequence, entry.sequence);
    state.seen.add(entry.digest);
  }

  /** Evaluates or refuses one batch. Never throws for what a node sent. `random` makes the proof's nonce. */
  evaluate(request: BatchRequest, random: RandomSource): BatchDecision {
    const state = this.nodes.get(request.node);
    const count = request.elements.length;
    const digest = count <= MAX_BATCH ? digestOfElements(request.elements) : '';
    const entry = (code: BatchRefusalCode | null): BatchEntry => ({
      kind: code === null ? 'linkage-batch-evaluated' : 'linkage-batch-refused',
      code,
      project: this.share.context.project,
      epoch: this.share.context.epoch,
      node: request.node,
      sequence: request.sequence,
      elements: count,
      digest,
      used: state?.used ?? 0,
      quota: state?.quota ?? 0,
    });
    const refuse = (code: BatchRefusalCode): BatchDecision => ({
      ok: false,
      code,
      entry: entry(code),
    });

    const code = this.refusalOf(request, state, digest);
    if (code !== null || !state) return refuse(code ?? 'unknown-node');
    try {
      const response = this.multiply(request, random);
      const evaluated = entry(null);
      this.replay(evaluated);
      return { ok: true, response, entry: { ...evaluated, used: state.used } };
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      return refuse(error.code as BatchRefusalCode);
    }
  }

  private refusalOf(
    request: BatchRequest,
    state: NodeState | undefined,
    digest: string,
  ): BatchRefusalCode | null {
    const { context, index } = this.share;
    if (isDestroyed(this.share)) return 'share-destroyed';
    if (request.project !== context.project || request.epoch !== context.epoch)
      return 'other-epoch';
    if (!state) return 'unknown-node';
    if (!isOfPair(request.pair, index)) return 'bad-pair';
    const count = request.elements.length;
    if (count < 1 || count > MAX_BATCH || !Number.isSafeInteger(request.sequence))
      return 'bad-batch';
    if (request.sequence <= state.lastSequence || state.seen.has(digest)) return 'replayed-batch';
    if (state.used + count > state.quota) return 'quota-exhausted';
    return null;
  }

  private multiply(request: BatchRequest, random: RandomSource): BatchResponse {
    const secret = evaluationKey(this.share, request.pair);
    const evaluated = evaluateElements(this.share, request.pair, request.elements);
    const publicKey = evaluationPublicKey(this.share, request.pair, this.share.index);
    const nonce = randomScalar(random);
    const proof = proveBatch(secret, publicKey, request.elements, evaluated, nonce);
    secret.fill(0);
    nonce.fill(0);
    return { index: this.share.index, evaluated, proof };
  }
}
