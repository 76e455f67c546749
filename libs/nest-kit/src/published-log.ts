/** A process's own log as anyone may read it: checkpoint, tiles and entry bundles below one prefix (C2SP tlog-tiles). */
import { Controller, Get, Header, Inject, type Provider, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { parseTilePath } from '#libs/tlog';

const READ = Symbol('ReadPublishedLog');

/** Bytes of the file at a path below the log's directory; undefined when there is none. */
type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

const PREFIX = '/v1/log/';

const absent = (): ConcordatError =>
  new ConcordatError('not-found', 'the log has no such tile; see C2SP tlog-tiles for its paths');

/** Serves what is signed and nothing else: the record file and the history stay with the owner. */
@Controller('v1/log')
export class PublishedLogController {
  constructor(@Inject(READ) private readonly read: ReadFile) {}

  @Get('checkpoint')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @Header('x-content-type-options', 'nosniff')
  async checkpoint(): Promise<string> {
    const note = await this.read('checkpoint');
    if (!note) throw absent();
    return Buffer.from(note).toString('utf8');
  }

  /** A tile of one width never changes, so that any cache may keep it. */
  @Get('tile/*')
  async tile(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const path = request.url.slice(PREFIX.length);
    try {
      parseTilePath(path);
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      throw absent();
    }
    const bytes = await this.read(path);
    if (!bytes) throw absent();
    await reply
      .header('content-type', 'application/octet-stream')
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('x-content-type-options', 'nosniff')
      .send(bytes);
  }
}

/** What `PublishedLogController` reads from, such as `readFromDirectory` of libs/journal. */
export const publishedLog = (read: ReadFile): Provider => ({ provide: READ, useValue: read });
