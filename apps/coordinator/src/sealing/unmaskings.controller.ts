import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import { clientLeft, RequestVerifier, type SignedFastifyRequest } from '#libs/nest-kit';
import { SignedUnmasked, type Unmaskings as UnmaskingsMessage } from '#libs/protocol';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { Unmaskings } from './unmaskings.js';

const MAX_WAIT_SECONDS = 25;
const Cursor = z.strictObject({
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0),
});

/** What the auditor calls about sealed rounds, and nobody else. */
@Controller('v1')
export class UnmaskingsController {
  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(RequestVerifier) private readonly verifier: RequestVerifier,
    @Inject(Unmaskings) private readonly unmaskings: Unmaskings,
  ) {}

  @Get('unmaskings')
  async pending(
    @Req() request: SignedFastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
  ): Promise<UnmaskingsMessage> {
    this.fromAuditor(request);
    const cursor = Cursor.safeParse(query);
    if (!cursor.success) throw new ConcordatError('malformed-message', 'wait is an integer');
    return { items: await this.unmaskings.pending(cursor.data.wait * 1000, clientLeft(reply)) };
  }

  @Post('rounds/:id/unmasked')
  @HttpCode(204)
  unmasked(@Req() request: SignedFastifyRequest, @Param('id') id: string): void {
    const parsed = SignedUnmasked.safeParse(this.fromAuditor(request));
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not a message with sums');
    this.unmaskings.answer(id, parsed.data);
  }

  @Post('rounds/:id/unmask-refusal')
  @HttpCode(204)
  refusal(@Req() request: SignedFastifyRequest, @Param('id') id: string): void {
    this.unmaskings.refused(id, this.fromAuditor(request));
  }

  /** The body of a request that the auditor signed; undefined where there is none. */
  private fromAuditor(request: SignedFastifyRequest): unknown {
    const sender = this.verifier.verifyBuffered(request);
    if (sender !== this.coordinator.federation.manifest.auditor.id)
      throw new ConcordatError('not-the-auditor', 'only the auditor of the manifest may do this');
    return request.rawBody?.length ? parseCanonicalJson(request.rawBody) : undefined;
  }
}
