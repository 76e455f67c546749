import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConcordatError } from '#libs/bytes';
import { lastEventId } from '#libs/nest-kit';
import { RoundId } from '#libs/protocol';
import { EventStreams } from '../event-streams.js';
import { RoundEvents } from './round-events.js';

/** What happens in a round, as it happens, for whoever would otherwise ask again and again. */
@Controller('v1/rounds')
export class EventsController {
  constructor(
    @Inject(RoundEvents) private readonly rounds: RoundEvents,
    @Inject(EventStreams) private readonly streams: EventStreams,
  ) {}

  /** Every step of a round from its opening, or from after the one that the client names, to its end; then 204, which tells a browser to stay away. */
  @Get(':id/events')
  async round(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('id') id: string,
  ): Promise<void> {
    if (!RoundId.safeParse(id).success)
      throw new ConcordatError('malformed-message', 'a round is named by 32 hex digits');
    const after = lastEventId(request.headers['last-event-id']) ?? -1n;
    if (this.rounds.isDone(id, after)) {
      await reply.status(204).header('cache-control', 'no-store').send();
      return;
    }
    const { rounds } = this;
    await this.streams.send(reply, async function* (signal) {
      for await (const { index, kind, ...data } of rounds.after(id, after, signal))
        yield { id: String(index), event: kind, data };
    });
  }
}
