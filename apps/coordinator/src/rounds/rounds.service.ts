import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError, canonicalBytes, isConcordatError, sha256Hex } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import {
  type Accept,
  Assertion,
  type Contribution,
  type Hold,
  openEnvelope,
  type Refusal,
  type SignedAssertion,
  seal,
} from '#libs/protocol';
import { canonicaliseQuery, fingerprint, type Query } from '#libs/query';
import type { Entry } from '#libs/tlog';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { composeRelease } from '../releases/compose-release.js';
import { ReleaseStore } from '../releases/release-store.js';
import { checkContribution } from './check-contribution.js';
import { Inboxes } from './inbox.js';
import type { Party, Round } from './round.js';
import { VectorStore } from './vector-store.js';

/** How old an analyst's assertion may be when it arrives. */
const ASSERTION_MAX_AGE_MS = 10 * 60_000;

/** Whether an agency may still answer in its round. */
const isOpen = (
  party: Party | undefined,
): party is Extract<Party, { status: 'held' | 'waiting' }> =>
  party?.status === 'waiting' || party?.status === 'held';

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/** Digests of the vectors that a round's agencies answered with. */
const answeredWith = (round: Round): string[] =>
  [...round.parties.values()].flatMap((party) =>
    party.status === 'answered' ? [party.contribution.receipt.payload.valueDigest] : [],
  );

/**
 * Rounds from the analyst's question to the release. Every step is in the log before it has an effect outside; a round closes at
 * its deadline with whoever answered.
 */
@Injectable()
export class RoundsService {
  private readonly rounds = new Map<string, Round>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly composing = new Set<Promise<void>>();
  /** Nonces of assertions and when they expire, in the order they came. */
  private readonly nonces = new Map<string, number>();

  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(Inboxes) private readonly inboxes: Inboxes,
    @Inject(VectorStore) private readonly vectors: VectorStore,
    @Inject(ReleaseStore) private readonly releases: ReleaseStore,
  ) {}

  round(id: string): Round | undefined {
    return this.rounds.get(id);
  }

  /**
   * Opens a round for a question that a known analyst asserts. Throws a query's own code, `wrong-grid`, `unknown-analyst`,
   * `bad-signature`, `wrong-fingerprint`, `wrong-manifest`, `stale-assertion`, `unknown-agency` or `no-agency-concerned`.
   */
  async open(input: unknown, signed: SignedAssertion): Promise<Round> {
    const { federation, nowMs, config } = this.coordinator;
    const query = canonicaliseQuery(input);
    if (query.gridHash !== federation.manifest.grid.hash) {
      refuse('wrong-grid', 'the query names another version of the grid than this federation uses');
    }
    const asked = fingerprint(query);
    this.checkAssertion(signed, asked);
    const concerned = this.concerned(query);
    const round: Round = {
      id: randomBytes(16).toString('hex'),
      query,
      fingerprint: asked,
      assertion: signed,
      openedAtMs: nowMs(),
      deadlineMs: nowMs() + config.roundDeadlineSeconds * 1000,
      parties: new Map(concerned.map((agency) => [agency, { agency, status: 'waiting' }])),
      phase: 'collecting',
      release: null,
      code: null,
    };
    await this.log({
      kind: 'round.opened',
      at: this.at(round.openedAtMs),
      actor: config.id,
      round: round.id,
      fingerprint: asked,
      agencies: concerned,
      deadline: this.at(round.deadlineMs),
      sealed: false,
    });
    this.rounds.set(round.id, round);
    for (const agency of concerned) this.offer(round, agency);
    this.timers.set(
      round.id,
      setTimeout(() => this.close(round), round.deadlineMs - round.openedAtMs),
    );
    return round;
  }

  /** Takes an answer after every check; a repeated delivery of the same answer changes nothing. */
  async contribute(contribution: Contribution): Promise<void> {
    const round = this.collecting(contribution.round, contribution.agency);
    const party = round.parties.get(contribution.agency);
    if (party?.status === 'answered') {
      const same =
        party.contribution.receipt.payload.valueDigest === contribution.receipt.payload.valueDigest;
      if (same) return;
      refuse('second-answer', 'this agency has answered this round with another vector');
    }
    try {
      const { receipt, vectorBytes } = checkContribution(
        contribution,
        round,
        this.coordinator.federation,
      );
      await this.vectors.require(receipt.valueDigest, vectorBytes);
    } catch (error) {
      if (isConcordatError(error, 'not-yet')) throw error;
      const code = isConcordatError(error) ? error.code : 'internal';
      this.settle(round, { agency: contribution.agency, status: 'rejected', code });
      throw error;
    }
    this.settle(round, {
      agency: contribution.agency,
      status: 'answered',
      contribution: { groups: contribution.groups, receipt: contribution.receipt },
    });
  }

  /** Takes a refusal, which is a result like any other. */
  refuse(refusal: Refusal): void {
    const round = this.collecting(refusal.round, refusal.agency);
    if (refusal.fingerprint !== round.fingerprint) {
      refuse('wrong-fingerprint', 'the refusal is of another question');
    }
    if (!isOpen(round.parties.get(refusal.agency))) return;
    this.settle(round, { agency: refusal.agency, status: 'refused', code: refusal.code });
  }

  /** Notes that an agency's answer waits for a person. The round goes on collecting, and closes at its deadline all the same. */
  hold({ round: id, agency, fingerprint }: Hold): void {
    this.mark(id, agency, fingerprint, 'held');
  }

  /** Notes that a person agreed and that the answer is on its way. */
  accept({ round: id, agency, fingerprint }: Accept): void {
    this.mark(id, agency, fingerprint, 'waiting');
  }

  /** Stops the clocks and waits for compositions under way. */
  async stop(): Promise<void> {
    for (const timer of this.timers.values()) clearTimeout(timer);
    await Promise.allSettled(this.composing);
  }

  private checkAssertion(signed: SignedAssertion, asked: string): void {
    const { federation, nowMs } = this.coordinator;
    const analyst = federation.manifest.analysts.find(({ id }) => id === signed.payload.analyst);
    if (!analyst) {
      throw new ConcordatError('unknown-analyst', 'the manifest names no such analyst');
    }
    const assertion = openEnvelope(
      'assertion',
      Assertion,
      signed,
      analyst.publicKey,
      verifySignature,
    );
    if (assertion.fingerprint !== asked) {
      refuse('wrong-fingerprint', 'the analyst signed another question than the one submitted');
    }
    if (assertion.manifest !== federation.hash) {
      refuse(
        'wrong-manifest',
        'the analyst signed for another manifest; fetch the current one and sign again',
      );
    }
    if (Math.abs(nowMs() - Date.parse(assertion.at)) > ASSERTION_MAX_AGE_MS) {
      refuse(
        'stale-assertion',
        'sign the question again: the assertion is too old or ahead of time',
      );
    }
    for (const [old, expiresMs] of this.nonces) {
      if (expiresMs > nowMs()) break;
      this.nonces.delete(old);
    }
    if (this.nonces.has(assertion.nonce)) {
      refuse('repeated-assertion', 'sign the question again: this assertion was used before');
    }
    this.nonces.set(assertion.nonce, nowMs() + 2 * ASSERTION_MAX_AGE_MS);
  }

  /** Agencies that record any of the categories, or those of them that the query names. */
  private concerned(query: Query): string[] {
    const { manifest } = this.coordinator.federation;
    const unknown = query.agencies?.find(
      (id) => !manifest.agencies.some((agency) => agency.id === id),
    );
    if (unknown !== undefined)
      refuse('unknown-agency', 'the query names an agency that is not in the manifest');
    const concerned = manifest.agencies
      .filter(({ id }) => query.agencies?.includes(id) ?? true)
      .filter(({ categories }) =>
        query.categories.some((category) => categories.includes(category)),
      )
      .map(({ id }) => id);
    if (concerned.length === 0) {
      refuse('no-agency-concerned', 'no agency asked records any of these categories');
    }
    return concerned;
  }

  private offer(round: Round, agency: string): void {
    const { federation, key } = this.coordinator;
    this.inboxes.put(
      agency,
      seal(
        'task',
        {
          round: round.id,
          agency,
          query: round.query,
          fingerprint: round.fingerprint,
          assertion: round.assertion,
          manifest: federation.hash,
          deadline: this.at(round.deadlineMs),
        },
        key,
      ),
    );
  }

  private collecting(id: string, agency: string): Round {
    const round = this.rounds.get(id);
    if (!round) return refuse('not-found', 'there is no such round');
    if (!round.parties.has(agency)) refuse('not-asked', 'this agency was not asked in this round');
    if (round.phase !== 'collecting')
      refuse('round-closed', 'the round closed before this arrived');
    return round;
  }

  private mark(id: string, agency: string, asked: string, status: 'held' | 'waiting'): void {
    const round = this.collecting(id, agency);
    if (asked !== round.fingerprint) refuse('wrong-fingerprint', 'this is of another question');
    if (isOpen(round.parties.get(agency))) round.parties.set(agency, { agency, status });
  }

  private settle(round: Round, party: Party): void {
    round.parties.set(party.agency, party);
    if (![...round.parties.values()].some(isOpen)) this.close(round);
  }

  private close(round: Round): void {
    if (round.phase !== 'collecting') return;
    round.phase = 'composing';
    clearTimeout(this.timers.get(round.id));
    this.timers.delete(round.id);
    this.inboxes.forget(round.id);
    for (const { agency, status } of round.parties.values()) {
      if (status === 'waiting') round.parties.set(agency, { agency, status: 'silent' });
      if (status === 'held')
        round.parties.set(agency, { agency, status: 'refused', code: 'approval-needed' });
    }
    const work = this.finish(round)
      .catch((error: unknown) => {
        round.phase = 'aborted';
        round.code = isConcordatError(error) ? error.code : 'internal';
        this.coordinator.logger.error(
          { round: round.id, code: round.code, err: error },
          'round aborted',
        );
      })
      .then(() => this.discardVectors(round));
    this.composing.add(work);
    void work.finally(() => this.composing.delete(work));
  }

  /** A round that is over keeps its columns as blobs; what agencies uploaded for it is needed by no other round, or kept. */
  private async discardVectors(over: Round): Promise<void> {
    const needed = new Set(
      [...this.rounds.values()]
        .filter(({ phase }) => phase === 'collecting' || phase === 'composing')
        .flatMap(answeredWith),
    );
    for (const digest of answeredWith(over)) {
      if (!needed.has(digest)) await this.vectors.discard(digest);
    }
  }

  private async finish(round: Round): Promise<void> {
    const { config, logger, nowMs, federation } = this.coordinator;
    const answered = [...round.parties.values()].some(({ status }) => status === 'answered');
    await this.log({
      kind: 'round.closed',
      at: this.at(nowMs()),
      actor: config.id,
      round: round.id,
      outcome: answered ? 'composing' : 'aborted',
      ...(answered ? {} : { code: 'no-contribution' }),
      coverage: [...round.parties.values()].map((party) => ({
        agency: party.agency,
        status: isOpen(party) ? 'silent' : party.status,
        ...('code' in party ? { code: party.code } : {}),
      })),
    });
    if (!answered) {
      round.phase = 'aborted';
      round.code = 'no-contribution';
      return;
    }
    const header = await composeRelease({
      round,
      federation,
      vectors: this.vectors,
      blobs: this.coordinator.blobs,
      releasedAt: this.at(nowMs()),
      receiptDigest: (receipt) => sha256Hex(canonicalBytes(receipt)),
    });
    const id = await this.releases.publish(header);
    await this.log({
      kind: 'round.released',
      verb: 'combination',
      at: this.at(nowMs()),
      actor: config.id,
      recipient: round.assertion.payload.analyst,
      purpose: round.query.purpose,
      round: round.id,
      fingerprint: round.fingerprint,
      releaseDigest: id,
      blob: id,
    });
    await this.releases.announce(id);
    round.release = id;
    round.phase = 'released';
    logger.info({ round: round.id, release: id }, 'released');
  }

  private log(entry: Entry): Promise<unknown> {
    return this.coordinator.append(entry);
  }

  private at(ms: number): string {
    return new Date(ms).toISOString();
  }
}
