import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { residentsAsked } from '#libs/linkage-party';
import { inRound, RequestLimit, traceRound } from '#libs/nest-kit';
import {
  type Accept,
  type Contribution,
  closingCoverage,
  type Hold,
  hasSettled,
  isCollecting,
  isOpen,
  isOver,
  type Refusal,
  type RoundEvent,
  type RoundState,
  type SignedAssertion,
  seal,
  type Task,
  vectorDigest,
} from '#libs/protocol';
import { canonicaliseQuery, fingerprint, type Query } from '#libs/query';
import { DEFAULT_LIMITS } from '../config.js';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { agenciesConcerned, isSealed } from './asked-agencies.js';
import { AssertionCheck, NONCE_LIFE_MS } from './assertion-check.js';
import { checkContribution } from './check-contribution.js';
import { ConcludeRound } from './conclude-round.js';
import { Deadlines } from './deadlines.js';
import { Inboxes } from './inbox.js';
import type { AcceptedContribution, Round } from './round.js';
import { RoundBook } from './round-book.js';
import { RoundFiles } from './round-files.js';
import { VectorStore } from './vector-store.js';

/** What cannot be logged now is tried again this much later. */
const RETRY_MS = 1_000;

/** A round whose files are in memory. */
interface LiveRound {
  readonly query: Query;
  readonly assertion: SignedAssertion;
  readonly contributions: Map<string, AcceptedContribution>;
}

const refuse = (code: string, why: string): never => {
  throw new ConcordatError(code, why);
};

/** Digests of the vectors that agencies answered with. */
const vectorsOf = ({ standings }: Pick<RoundState, 'standings'>): string[] =>
  [...standings.values()].flatMap((standing) =>
    standing.status === 'answered' ? [standing.valueDigest] : [],
  );

/**
 * Rounds from the analyst's question to the close. Every step is in the log before it has an effect outside, and a start takes every
 * round up where its log ends; a round closes at its deadline with whoever answered. What follows is `ConcludeRound`.
 */
@Injectable()
export class RoundsService {
  /** Rounds that are not over. */
  private readonly live = new Map<string, LiveRound>();
  private readonly assertions = new AssertionCheck();
  /** Of each analyst, whose signature was checked before. */
  private readonly questions: RequestLimit;
  /** When rounds that collect close. */
  private readonly closings: Deadlines;
  /** When what the disk did not take is tried again. */
  private readonly retries: Deadlines;

  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RoundBook) private readonly book: RoundBook,
    @Inject(RoundFiles) private readonly files: RoundFiles,
    @Inject(Inboxes) private readonly inboxes: Inboxes,
    @Inject(VectorStore) private readonly vectors: VectorStore,
    @Inject(ConcludeRound) private readonly conclusion: ConcludeRound,
  ) {
    this.questions = new RequestLimit(
      coordinator.config.limits?.questionsPerAnalyst ?? DEFAULT_LIMITS.questionsPerAnalyst,
    );
    this.closings = new Deadlines(coordinator.nowMs, (id) => this.inBackground(id, this.due(id)));
    this.retries = new Deadlines(coordinator.nowMs, (id) => this.inBackground(id, this.goOn(id)));
  }

  /** A round with its files; undefined for one that this log does not know or ended too long ago. */
  async round(id: string): Promise<Round | undefined> {
    const state = this.book.state(id);
    return state && { state, ...(this.live.get(id) ?? (await this.load(state))) };
  }

  /** Takes up every round of the log that is not over. To be called once, before anything is served. */
  async recover(): Promise<void> {
    const { nowMs, logger, federation } = this.coordinator;
    for (const state of this.book.all()) {
      const openedMs = Date.parse(state.openedAt);
      if (isOver(state) && openedMs + NONCE_LIFE_MS < nowMs()) continue;
      try {
        const files = await this.load(state);
        this.assertions.remember(files.assertion, openedMs);
        if (isOver(state)) continue;
        if (!federation.at(files.assertion.payload.manifest)) {
          refuse(
            'wrong-manifest',
            'the round was opened under a manifest that is not of this federation',
          );
        }
        this.live.set(state.id, files);
      } catch (error) {
        if (isOver(state)) continue;
        const code = isConcordatError(error) ? error.code : 'internal';
        logger.error({ round: state.id, code, err: error }, 'a round cannot be taken up');
        await this.book.advance(state.id, () => ({
          kind: 'round.aborted',
          ...this.about(state.id),
          code,
        }));
        continue;
      }
      logger.info({ round: state.id, phase: state.phase }, 'round taken up');
      if (isCollecting(state)) this.offer(state);
      if (isCollecting(state)) this.closings.set(state.id, Date.parse(state.deadline));
      this.inBackground(state.id, this.goOn(state.id));
    }
    await this.vectors.discardAll(() => this.underWay().length === 0);
  }

  /**
   * Opens a round for a question that a known analyst asserts. Throws a query's own code, `wrong-grid`, `area-below-floor`, `area-not-covered`, what `AssertionCheck` throws,
   * `unknown-agency`, `no-agency-concerned`, `nothing-held` or `too-few-contributors`.
   */
  async open(input: unknown, signed: SignedAssertion): Promise<Round> {
    const { federation, nowMs, config, logger } = this.coordinator;
    const query = canonicaliseQuery(input);
    if (query.gridHash !== federation.manifest.grid.hash) {
      refuse('wrong-grid', 'the query names another version of the grid than this federation uses');
    }
    residentsAsked(query.linkage);
    const asked = fingerprint(query);
    await this.assertions.take(signed, asked, federation, nowMs());
    await this.questions.take(signed.payload.analyst);
    const agencies = agenciesConcerned(query, federation.manifest);
    const id = randomBytes(16).toString('hex');
    const question = await this.files.putQuestion({ query, assertion: signed });
    const deadline = new Date(nowMs() + config.roundDeadlineSeconds * 1000).toISOString();
    this.live.set(id, { query, assertion: signed, contributions: new Map() });
    const opening = {
      fingerprint: asked,
      question,
      agencies,
      deadline,
      sealed: isSealed(query, agencies, federation),
    };
    try {
      await inRound(id, 'round.open', () =>
        this.book.advance(id, () => ({ kind: 'round.opened', ...this.about(id), ...opening })),
      );
    } catch (error) {
      this.live.delete(id);
      throw error;
    }
    logger.info({ round: id, agencies: agencies.length }, 'asked');
    const offering = this.goOn(id);
    this.inBackground(id, offering);
    await offering.catch(() => undefined);
    return (await this.round(id)) ?? refuse('not-found', 'there is no such round');
  }

  /**
   * Takes an answer after every check; a repeated delivery of the same answer changes nothing, and one that was rejected is rejected
   * again by the same code.
   */
  contribute(contribution: Contribution): Promise<void> {
    return inRound(contribution.round, 'contribution.take', () => this.take(contribution));
  }

  private async take(contribution: Contribution): Promise<void> {
    const { round: id, agency, groups, receipt } = contribution;
    const valueDigest = vectorDigest(receipt.payload);
    const { live, state } = this.asked(id, agency);
    const standing = state.standings.get(agency);
    if (standing?.status === 'answered' && standing.valueDigest === valueDigest) return;
    if (standing?.status === 'rejected') refuse(standing.code, 'this answer was rejected before');
    if (!isCollecting(state) || !live) {
      return refuse('round-closed', 'the round closed before this arrived');
    }
    if (!isOpen(standing)) refuse('second-answer', 'this agency has ended this round already');
    const event = { ...this.about(id), agency };
    try {
      const round: Round = { state, ...live };
      const checked = checkContribution(contribution, round, this.coordinator.federation);
      await this.vectors.require(valueDigest, checked.vector);
    } catch (error) {
      if (isConcordatError(error, 'not-yet')) throw error;
      const code = isConcordatError(error) ? error.code : 'internal';
      await this.hear(id, { kind: 'contribution.rejected', ...event, code });
      throw error;
    }
    const file = await this.files.putContribution({ groups, receipt });
    // known before the state names it, so that nobody who reads the state misses it
    live.contributions.set(file, { groups, receipt });
    const accepted = { ...event, contribution: file, valueDigest };
    await this.hear(id, { kind: 'contribution.accepted', ...accepted });
  }

  /** Takes a refusal, which is a result like any other. */
  async refuse({ round: id, agency, fingerprint: asked, code }: Refusal): Promise<void> {
    this.sameQuestion(id, agency, asked);
    await this.hear(id, { kind: 'refusal.received', ...this.about(id), agency, code });
  }

  /** Notes that an agency's answer waits for a person. The round goes on collecting, and closes at its deadline all the same. */
  async hold({ round: id, agency, fingerprint: asked, until }: Hold): Promise<void> {
    this.sameQuestion(id, agency, asked);
    await this.hear(id, { kind: 'hold.received', ...this.about(id), agency, until });
  }

  /** Notes that a person agreed and that the answer is on its way. */
  async accept({ round: id, agency, fingerprint: asked }: Accept): Promise<void> {
    this.sameQuestion(id, agency, asked);
    await this.hear(id, { kind: 'accept.received', ...this.about(id), agency });
  }

  /** Stops the clocks and interrupts compositions under way, which the next start takes up again. */
  async stop(): Promise<void> {
    this.closings.stop();
    this.retries.stop();
    await this.conclusion.stop();
  }

  /** Logs what an agency said, and closes the round when it was the last one. */
  private async hear(id: string, event: RoundEvent): Promise<void> {
    const { state } = await this.book.advance(id, () => event);
    if (isCollecting(state) && hasSettled(state)) await this.close(id);
  }

  /** Does whatever comes next in a round, from wherever it stands. */
  private async goOn(id: string): Promise<void> {
    const state = this.book.state(id);
    if (!state || isOver(state)) return;
    if (isCollecting(state)) {
      if (hasSettled(state)) await this.close(id);
    } else if (state.phase === 'proposed') await this.propose(state);
    else await this.conclude(id);
  }

  /** Offers a round that was opened, or lets it expire when nobody could answer it in time any more. */
  private async propose({ id, deadline }: RoundState): Promise<void> {
    const isLate = this.coordinator.nowMs() >= Date.parse(deadline);
    const kind = isLate ? 'round.expired' : 'round.offered';
    const { state, hasMoved } = await this.book.advance(id, (now) =>
      now?.phase === 'proposed' ? { kind, ...this.about(id) } : undefined,
    );
    if (!hasMoved) return;
    if (isOver(state)) {
      this.live.delete(id);
      return;
    }
    this.closings.set(id, Date.parse(deadline));
    this.offer(state);
  }

  private async due(id: string): Promise<void> {
    await this.close(id).catch((error: unknown) => {
      this.closings.set(id, this.coordinator.nowMs() + RETRY_MS);
      throw error;
    });
  }

  private async close(id: string): Promise<void> {
    const { state, hasMoved } = await this.book.advance(id, (now) =>
      now && isCollecting(now)
        ? { kind: 'round.closed', ...this.about(id), coverage: closingCoverage(now) }
        : undefined,
    );
    if (!hasMoved) return;
    this.closings.clear(id);
    this.inboxes.forget(id);
    // whoever sent the last answer need not wait for the release
    this.inBackground(state.id, this.conclude(id));
  }

  private async conclude(id: string): Promise<void> {
    const round = await this.round(id);
    if (!round) return;
    const isConcluded = await inRound(id, 'round.conclude', () => this.conclusion.run(round));
    if (!isConcluded) return;
    const { openedAt, since, phase } = this.book.state(id) ?? round.state;
    traceRound(id, Date.parse(openedAt), Date.parse(since), phase);
    this.live.delete(id);
    await this.discardUploads(round.state);
  }

  /** Work that nobody waits for; when the log or the disk fails it is tried again. */
  private inBackground(id: string, work: Promise<void>): void {
    work.catch((error: unknown) => {
      const code = isConcordatError(error) ? error.code : 'internal';
      if (code === 'log-closed') return;
      this.coordinator.logger.error({ round: id, code, err: error }, 'a round is held up');
      this.retries.set(id, this.coordinator.nowMs() + RETRY_MS);
    });
  }

  /** A round that is over keeps its columns as blobs; what agencies uploaded for it is needed by no other round, or kept. */
  private async discardUploads({ standings }: RoundState): Promise<void> {
    const needed = new Set(this.underWay().flatMap(vectorsOf));
    for (const digest of vectorsOf({ standings })) {
      if (!needed.has(digest)) await this.vectors.discard(digest);
    }
    // what came too late, or was left by a process that died, belongs to no round
    await this.vectors.discardAll(() => this.underWay().length === 0);
  }

  private underWay(): RoundState[] {
    return this.book.all().filter((state) => !isOver(state));
  }

  private async load(state: RoundState): Promise<LiveRound> {
    const { query, assertion } = await this.files.question(state.question);
    const contributions = new Map<string, AcceptedContribution>();
    for (const standing of state.standings.values()) {
      if (standing.status !== 'answered') continue;
      const { contribution } = standing;
      contributions.set(contribution, await this.files.contribution(contribution));
    }
    return { query, assertion, contributions };
  }

  /** Puts the tasks into the inboxes of every agency that has not ended the round. The same round gives the same bytes again. */
  private offer(state: RoundState): void {
    const { id, fingerprint: asked, deadline, standings, sealed } = state;
    const { key } = this.coordinator;
    const live = this.live.get(id);
    if (!live) return;
    const { query, assertion } = live;
    // A round keeps the manifest that its analyst signed for, whatever follows.
    const { manifest } = assertion.payload;
    this.conclusion.prepare(state, query, manifest);
    for (const agency of standings.keys()) {
      const task: Task = {
        ...{ round: id, agency, query, fingerprint: asked, assertion, manifest, deadline },
        ...(sealed ? { sealed } : {}),
      };
      this.inboxes.put(agency, this.book.sequenceOf(id), seal('task', task, key));
    }
  }

  private asked(id: string, agency: string): { state: RoundState; live: LiveRound | undefined } {
    const state = this.book.state(id);
    if (!state) return refuse('not-found', 'there is no such round');
    if (!state.standings.has(agency))
      refuse('not-asked', 'this agency was not asked in this round');
    return { state, live: this.live.get(id) };
  }

  private sameQuestion(id: string, agency: string, asked: string): void {
    if (this.asked(id, agency).state.fingerprint !== asked)
      refuse('wrong-fingerprint', 'this is of another question');
  }

  private about(round: string): { at: string; actor: string; round: string } {
    const { config, nowMs } = this.coordinator;
    return { at: new Date(nowMs()).toISOString(), actor: config.id, round };
  }
}
