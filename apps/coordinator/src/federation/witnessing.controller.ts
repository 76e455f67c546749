import { Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import { clientLeft, RequestVerifier } from '#libs/nest-kit';
import { type WitnessMail, WitnessPost } from '#libs/protocol';
import { WitnessRelay } from './witness-relay.js';

type RawRequest = FastifyRequest & { rawBody?: Buffer | undefined };

const MAX_WAIT_SECONDS = 25;
const Cursor = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0),
});

/** The relay of witnessing: every request is signed by a key of the manifest, which is whom the message is from. */
@Controller('v1/witnessing')
export class WitnessingController {
  constructor(
    @Inject(RequestVerifier) private readonly verifier: RequestVerifier,
    @Inject(WitnessRelay) private readonly relay: WitnessRelay,
  ) {}

  @Post()
  @HttpCode(204)
  post(@Req() request: RawRequest): void {
    const from = this.verifier.verifyBuffered(request);
    const parsed = WitnessPost.safeParse(parseCanonicalJson(request.rawBody ?? new Uint8Array()));
    if (!parsed.success) {
      throw new ConcordatError('malformed-message', 'not a message of witnessing');
    }
    this.relay.putAll(from, parsed.data.items);
  }

  @Get()
  async mail(
    @Req() request: RawRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
  ): Promise<WitnessMail> {
    const process = this.verifier.verifyBuffered(request);
    const cursor = Cursor.safeParse(query);
    if (!cursor.success) {
      throw new ConcordatError('malformed-message', 'after and wait are integers');
    }
    const { after, wait } = cursor.data;
    return this.relay.after(process, after, wait * 1000, clientLeft(reply));
  }
}
