import { Controller, Get, Header, Headers, Inject, Param, Res, UseFilters } from '@nestjs/common';
import type { ReleaseHeader } from '../releases/release-reader.js';
import { type Body, type LayerAddress, MapService } from './map.service.js';
import { ProblemFilter } from './problem.filter.js';

/** The part of a Fastify reply that an immutable answer needs. */
interface Reply {
  code(status: number): this;
  header(name: string, value: string): this;
  send(payload?: unknown): unknown;
}

const CHUNK_TYPE = 'application/vnd.concordat.chunk';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Published releases: headers as JSON, values as immutable chunks (docs/protocol/chunk.md). */
@Controller('v1')
@UseFilters(ProblemFilter)
export class MapController {
  constructor(@Inject(MapService) private readonly map: MapService) {}

  @Get('releases')
  @Header('Cache-Control', 'no-cache')
  releases(): readonly ReleaseHeader[] {
    return this.map.list();
  }

  @Get('releases/:id')
  @Header('Cache-Control', 'no-cache')
  release(@Param('id') id: string): ReleaseHeader {
    return this.map.header(id);
  }

  @Get('grids/:hash')
  async domain(
    @Param('hash') hash: string,
    @Headers() headers: Record<string, string | undefined>,
    @Res() reply: Reply,
  ): Promise<void> {
    sendImmutable(reply, headers, 'text/plain; charset=utf-8', await this.map.domain(hash));
  }

  @Get('grid/:release/:layer/:period/:resolution')
  async summary(
    @Param() address: LayerAddress,
    @Headers() headers: Record<string, string | undefined>,
    @Res() reply: Reply,
  ): Promise<void> {
    sendImmutable(reply, headers, JSON_TYPE, await this.map.summary(address));
  }

  @Get('grid/:release/:layer/:period/:resolution/:parent')
  async chunk(
    @Param() { parent, ...address }: LayerAddress & { parent: string },
    @Headers() headers: Record<string, string | undefined>,
    @Res() reply: Reply,
  ): Promise<void> {
    if (wantsJson(headers['accept'])) {
      sendImmutable(reply, headers, JSON_TYPE, await this.map.json(address, parent));
    } else {
      sendImmutable(reply, headers, CHUNK_TYPE, await this.map.chunk(address, parent));
    }
  }
}

const wantsJson = (accept = ''): boolean =>
  accept.includes('application/json') && !accept.includes(CHUNK_TYPE);

const takesBrotli = (encodings = ''): boolean =>
  encodings.split(',').some((one) => /^\s*br\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/.test(one));

function sendImmutable(
  reply: Reply,
  headers: Record<string, string | undefined>,
  type: string,
  { bytes, brotli, hash }: Body,
): void {
  // Weak, because one hash stands for both content codings (RFC 9110, section 8.8.1).
  const etag = `W/"${hash}"`;
  reply
    .header('Cache-Control', 'public, max-age=31536000, immutable')
    .header('ETag', etag)
    .header('Vary', 'Accept, Accept-Encoding')
    .header('X-Content-Type-Options', 'nosniff');
  if (headers['if-none-match']?.split(',').some((tag) => tag.trim() === etag)) {
    reply.code(304).send();
    return;
  }
  const coded = takesBrotli(headers['accept-encoding']);
  if (coded) reply.header('Content-Encoding', 'br');
  reply.header('Content-Type', type).send(Buffer.from(coded ? brotli : bytes));
}
