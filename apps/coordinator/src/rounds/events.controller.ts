import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConcordatError } from '#libs/bytes';
import { lastEventId, type ServerSentEvent, sendEvents } from '#libs/nest-kit';
import { RoundId } from '#libs/protocol';
import { ReleaseStore } from '../releases/release-store.js';
import { RoundEvents } from './round-events.js';

/** Streams at once: each is one open connection. */
const MAX_STREAMS = 2_000;

/** What happens, as it happens, for whoever would otherwise ask again and again. */
@Controller('v1')
export class EventsController {
  private readonly closing = new AbortController();
  private streams = 0;

  constructor(
    @Inject(RoundEvents) private readonly rounds: RoundEvents,
    @Inject(ReleaseStore) private readonly releases: ReleaseStore,
  ) {}

  /** Ends every stream, so that the server can close. */
  close(): void {
    this.closing.abort();
  }

  /** Every step of a round from its opening, or from after the one that the client names, to its end; then 204, which tells a browser to stay away. */
  @Get('rounds/:id/events')
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
    await this.stream(reply, async function* (signal) {
      for await (const { index, kind, ...data } of rounds.after(id, after, signal))
        yield { id: String(index), event: kind, data };
    });
  }

  /** One event at once and one for every release that is published from then on: a reason to read `GET /v1/releases`. */
  @Get('releases/events')
  async published(@Res() reply: FastifyReply): Promise<void> {
    const { releases } = this;
    await this.stream(reply, async function* (signal) {
      for await (const count of releases.growth(signal))
        yield { event: 'releases', data: { count } };
    });
  }

  private async stream(
    reply: FastifyReply,
    make: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
  ): Promise<void> {
    if (this.streams >= MAX_STREAMS) {
      throw new ConcordatError('too-many-streams', 'too many watch at once; look again in a while');
    }
    this.streams += 1;
    try {
      await sendEvents(reply, make, this.closing.signal);
    } finally {
      this.streams -= 1;
    }
  }
}
