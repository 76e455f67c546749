import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { ConcordatError } from '#libs/bytes';
import { Digest } from '#libs/protocol';
import {
  IMMUTABLE,
  type Reply,
  type RequestHeaders,
  sendStored,
  storedBody,
} from '../map/stored-body.js';
import { ForecastsService } from './forecasts.service.js';
import { LayerStore } from './layer-store.js';

/** Results by content key: the bytes that anybody can compute again. */
@Controller('v1/layers')
export class LayersController {
  constructor(
    @Inject(LayerStore) private readonly store: LayerStore,
    @Inject(ForecastsService) private readonly forecasts: ForecastsService,
  ) {}

  @Get(':key')
  async layer(
    @Param('key') name: string,
    @Headers() headers: RequestHeaders,
    @Res() reply: Reply,
  ): Promise<void> {
    const key = Digest.safeParse(name);
    const bytes = key.success ? await this.store.bytes(key.data) : undefined;
    const result = key.success && bytes ? await this.store.result(key.data) : undefined;
    if (!bytes || !result) {
      throw new ConcordatError(
        'not-found',
        'no layer of this key is computed; ask for it over GraphQL',
      );
    }
    this.forecasts.checkServed(result.method, result.parameters);
    const body = await storedBody('application/json', bytes);
    // A forecast may be switched off: nobody shall go on serving it from a cache.
    sendStored(reply, headers, body, result.method === 'forecast' ? 'no-store' : IMMUTABLE);
  }
}
