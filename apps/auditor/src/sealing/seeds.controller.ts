import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ConcordatError, parseCanonicalJson } from '#libs/bytes';
import { inRound, RequestVerifier, type SignedFastifyRequest } from '#libs/nest-kit';
import { SignedSeed, type SignedSeedReceipt } from '#libs/protocol';
import { SEALING, type Sealing } from './sealing.js';
import { takeSeed } from './take-seed.js';

/** What nodes call. Every request is signed by a key of the manifest; every body is a message of the same agency. */
@Controller('v1')
export class SeedsController {
  constructor(
    @Inject(SEALING) private readonly sealing: Sealing,
    @Inject(RequestVerifier) private readonly verifier: RequestVerifier,
  ) {}

  @Post('rounds/:id/seed')
  @HttpCode(200)
  async seed(
    @Req() request: SignedFastifyRequest,
    @Param('id') id: string,
  ): Promise<SignedSeedReceipt> {
    const sender = this.verifier.verifyBuffered(request);
    const agency = this.sealing.pinned.manifest.agencies.find(
      (candidate) => candidate.id === sender,
    );
    if (!agency)
      throw new ConcordatError('unknown-agency', 'only agencies of the manifest may send this');
    const parsed = SignedSeed.safeParse(parseCanonicalJson(request.rawBody ?? new Uint8Array()));
    if (!parsed.success) throw new ConcordatError('malformed-message', 'not a message with a seed');
    if (parsed.data.payload.round !== id)
      throw new ConcordatError('wrong-round', 'the message names another round than its address');
    return inRound(id, 'seed.take', () => takeSeed(agency, parsed.data, this.sealing));
  }
}
