import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ConcordatError } from '#libs/bytes';
import { type ServerSentEvent, sendEvents } from '#libs/nest-kit';

/** Streams at once: each is one open connection. */
const MAX_STREAMS = 2_000;

/** Every open stream of server-sent events of the process: so many at once, and all ended before the server closes. */
@Injectable()
export class EventStreams {
  private readonly closing = new AbortController();
  private streams = 0;

  /** Ends every stream, so that the server can close. */
  close(): void {
    this.closing.abort();
  }

  /** Answers with every event of `make` until the stream ends. Throws `too-many-streams`. */
  async send(
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
