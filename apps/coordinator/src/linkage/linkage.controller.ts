import { Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import { clientLeft, RequestVerifier } from '#libs/nest-kit';
import {
  type LinkageMail,
  LinkagePost,
  type LinkageStatus,
  SignedLinkageInstruction,
} from '#libs/protocol';
import { LinkageService } from './linkage.service.js';

type RawRequest = FastifyRequest & { rawBody?: Buffer | undefined };

const MAX_WAIT_SECONDS = 25;
const Cursor = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0),
});

const bodyOf = (request: RawRequest): unknown =>
  parseCanonicalJson(request.rawBody ?? new Uint8Array());

/** The relay of linkage, whose requests are signed by a key of the manifest, and the door for what the operator signed. */
@Controller('v1/linkage')
export class LinkageController {
  constructor(
    @Inject(RequestVerifier) private readonly verifier: RequestVerifier,
    @Inject(LinkageService) private readonly linkage: LinkageService,
  ) {}

  @Post('mail')
  @HttpCode(204)
  post(@Req() request: RawRequest): void {
    const from = this.verifier.verifyBuffered(request);
    const parsed = LinkagePost.safeParse(bodyOf(request));
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not a box of linkage');
    this.linkage.relay.put(from, parsed.data.to, parsed.data.box);
  }

  @Get('mail')
  async mail(
    @Req() request: RawRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query() query: unknown,
  ): Promise<LinkageMail> {
    const process = this.verifier.verifyBuffered(request);
    const cursor = Cursor.safeParse(query);
    if (!cursor.success) {
      throw new ConcordatError('malformed-message', 'after and wait are integers');
    }
    const { after, wait } = cursor.data;
    return this.linkage.relay.after(process, after, wait * 1000, clientLeft(reply));
  }

  @Post('instructions')
  @HttpCode(200)
  instruct(@Req() request: RawRequest): Promise<LinkageStatus> {
    const parsed = SignedLinkageInstruction.safeParse(bodyOf(request));
    if (!parsed.success) {
      throw new ConcordatError('malformed-message', 'not a signed instruction of linkage');
    }
    return this.linkage.instruct(parsed.data);
  }
}
