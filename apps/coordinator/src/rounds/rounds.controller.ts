import { Readable } from 'node:stream';
import {
  Controller,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import { WitnessedLog } from '#libs/journal';
import { verifySignature } from '#libs/keystore';
import { clientLeft, RequestVerifier } from '#libs/nest-kit';
import {
  Accept,
  CheckpointPost,
  Contribution,
  Digest,
  Hold,
  type Inbox,
  logOrigin,
  Offer,
  openEnvelope,
  Refusal,
  type Upload,
} from '#libs/protocol';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { Checkpoints } from '../federation/checkpoints.js';
import { Offers } from '../federation/offers.js';
import { Inboxes } from './inbox.js';
import { RoundsService } from './rounds.service.js';
import { VectorStore } from './vector-store.js';

type RawRequest = FastifyRequest & { rawBody?: Buffer | undefined };

const MAX_WAIT_SECONDS = 25;

const integerParameter = (text: string | undefined, max: number): number => {
  const value = text === undefined ? 0 : /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max))
    throw new ConcordatError(
      'malformed-message',
      `a query parameter is not an integer from 0 to ${max}`,
    );
  return value;
};

/** What nodes call. Every request is signed by a key of the manifest; every body is a signed message of the same agency. */
@Controller('v1')
export class RoundsController {
  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RequestVerifier) private readonly verifier: RequestVerifier,
    @Inject(RoundsService) private readonly rounds: RoundsService,
    @Inject(Inboxes) private readonly inboxes: Inboxes,
    @Inject(VectorStore) private readonly vectors: VectorStore,
    @Inject(Offers) private readonly offers: Offers,
    @Inject(Checkpoints) private readonly checkpoints: Checkpoints,
    @Inject(WitnessedLog) private readonly log: WitnessedLog,
  ) {}

  @Get('inbox')
  async inbox(
    @Req() request: RawRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query('after') after?: string,
    @Query('wait') wait?: string,
  ): Promise<Inbox> {
    const agency = this.verifier.verifyBuffered(request);
    const waitMs = integerParameter(wait, MAX_WAIT_SECONDS) * 1000;
    return this.inboxes.after(
      agency,
      integerParameter(after, Number.MAX_SAFE_INTEGER),
      waitMs,
      this.coordinator.nowMs(),
      clientLeft(reply),
    );
  }

  @Get('vectors/:digest')
  progress(@Req() request: RawRequest, @Param('digest') name: string): Promise<Upload> {
    const sender = this.verifier.verifyBuffered(request);
    return this.vectors.progress(this.digest(name), sender);
  }

  @Patch('vectors/:digest')
  @HttpCode(204)
  async patchVector(
    @Req() request: RawRequest,
    @Param('digest') name: string,
    @Query('offset') offset?: string,
    @Query('length') length?: string,
  ): Promise<void> {
    const sender = this.verifier.verifyHeaders(request);
    await this.vectors.receive(
      this.digest(name),
      {
        sender,
        offset: integerParameter(offset, Number.MAX_SAFE_INTEGER),
        length: integerParameter(length, Number.MAX_SAFE_INTEGER),
      },
      (request.body as Readable | undefined) ?? Readable.from([]),
      (sha256) => this.verifier.matchDigest(request, sha256),
    );
  }

  @Post('rounds/:id/contribution')
  @HttpCode(204)
  async contribution(@Req() request: RawRequest, @Param('id') id: string): Promise<void> {
    const contribution = this.message(request, 'contribution', Contribution);
    this.sameRound(contribution.round, id);
    await this.rounds.contribute(contribution);
  }

  @Post('rounds/:id/refusal')
  @HttpCode(204)
  async refusal(@Req() request: RawRequest, @Param('id') id: string): Promise<void> {
    const refusal = this.message(request, 'refusal', Refusal);
    this.sameRound(refusal.round, id);
    await this.rounds.refuse(refusal);
  }

  @Post('rounds/:id/hold')
  @HttpCode(204)
  async hold(@Req() request: RawRequest, @Param('id') id: string): Promise<void> {
    const hold = this.message(request, 'hold', Hold);
    this.sameRound(hold.round, id);
    await this.rounds.hold(hold);
  }

  @Post('rounds/:id/accept')
  @HttpCode(204)
  async accept(@Req() request: RawRequest, @Param('id') id: string): Promise<void> {
    const accept = this.message(request, 'accept', Accept);
    this.sameRound(accept.round, id);
    await this.rounds.accept(accept);
  }

  @Post('offers')
  @HttpCode(204)
  offer(@Req() request: RawRequest): void {
    this.offers.put(this.message(request, 'offer', Offer));
  }

  @Post('checkpoints')
  @HttpCode(204)
  checkpoint(@Req() request: RawRequest): void {
    const sender = this.verifier.verifyBuffered(request);
    const parsed = CheckpointPost.safeParse(this.body(request));
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not a checkpoint message');
    this.checkpoints.put(sender, parsed.data);
  }

  @Get('checkpoints')
  async allCheckpoints(): Promise<{ checkpoints: CheckpointPost[] }> {
    const { config, federation } = this.coordinator;
    const origin = logOrigin(federation.manifest.federation, config.id);
    this.checkpoints.put(config.id, { origin, note: await this.log.checkpoint() });
    return { checkpoints: this.checkpoints.all() };
  }

  /** A signed message whose sender, signer and named agency are one and the same. */
  private message<T extends z.ZodType<{ agency: string }>>(
    request: RawRequest,
    purpose: 'accept' | 'contribution' | 'hold' | 'offer' | 'refusal',
    schema: T,
  ): z.infer<T> {
    const sender = this.verifier.verifyBuffered(request);
    const agency = this.coordinator.federation.agency(sender);
    if (!agency)
      throw new ConcordatError('unknown-agency', 'only agencies of the manifest may send this');
    const payload = openEnvelope(
      purpose,
      schema,
      this.body(request),
      agency.publicKey,
      verifySignature,
    );
    if (payload.agency !== sender)
      throw new ConcordatError('wrong-agency', 'an agency speaks for itself only');
    return payload;
  }

  private digest(name: string): string {
    const digest = Digest.safeParse(name);
    if (digest.success) return digest.data;
    throw new ConcordatError('malformed-message', 'a vector is named by its SHA-256');
  }

  private body(request: RawRequest): unknown {
    return parseCanonicalJson(request.rawBody ?? new Uint8Array());
  }

  private sameRound(named: string, path: string): void {
    if (named !== path)
      throw new ConcordatError('wrong-round', 'the message names another round than its address');
  }
}
