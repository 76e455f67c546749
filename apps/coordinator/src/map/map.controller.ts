import { Controller, Get, Header, Headers, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { EventStreams } from '../event-streams.js';
import {
  RELEASE_READER,
  type ReleaseHeader,
  type ReleaseReader,
} from '../releases/release-reader.js';
import { CHUNK_TYPE, type LayerAddress, MapService } from './map.service.js';
import { IMMUTABLE, type Reply, type RequestHeaders, sendStored } from './stored-body.js';

/** Published releases: headers as JSON, values as immutable chunks (docs/protocol/chunk.md). */
@Controller('v1')
export class MapController {
  constructor(
    @Inject(MapService) private readonly map: MapService,
    @Inject(RELEASE_READER) private readonly published: ReleaseReader,
    @Inject(EventStreams) private readonly streams: EventStreams,
  ) {}

  @Get('releases')
  @Header('Cache-Control', 'no-cache')
  releases(): readonly ReleaseHeader[] {
    return this.map.list();
  }

  /** One event at once and one for every release that is published from then on: a reason to read `GET /v1/releases`. */
  @Get('releases/events')
  async events(@Res() reply: FastifyReply): Promise<void> {
    const { published } = this;
    await this.streams.send(reply, async function* (signal) {
      for await (const count of published.growth(signal))
        yield { event: 'releases', data: { count } };
    });
  }

  @Get('releases/:id')
  @Header('Cache-Control', 'no-cache')
  release(@Param('id') id: string): ReleaseHeader {
    return this.map.header(id);
  }

  @Get('grid/:release/cells')
  async cells(
    @Param('release') release: string,
    @Headers() headers: RequestHeaders,
    @Res() reply: Reply,
  ): Promise<void> {
    sendStored(reply, headers, await this.map.cells(release), IMMUTABLE);
  }

  @Get('grid/:release/:layer/:period/:resolution')
  async summary(
    @Param() address: LayerAddress,
    @Headers() headers: RequestHeaders,
    @Res() reply: Reply,
  ): Promise<void> {
    sendStored(reply, headers, await this.map.summary(address), IMMUTABLE);
  }

  @Get('grid/:release/:layer/:period/:resolution/:parent')
  async chunk(
    @Param() { parent, ...address }: LayerAddress & { parent: string },
    @Headers() headers: RequestHeaders,
    @Res() reply: Reply,
  ): Promise<void> {
    const body = wantsJson(headers.accept)
      ? await this.map.json(address, parent)
      : await this.map.chunk(address, parent);
    sendStored(reply, headers, body, IMMUTABLE);
  }
}

const wantsJson = (accept: string | string[] = ''): boolean =>
  accept.includes('application/json') && !accept.includes(CHUNK_TYPE);
