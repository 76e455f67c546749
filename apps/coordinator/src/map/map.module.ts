import { type DynamicModule, Module } from '@nestjs/common';
import { RELEASE_READER, type ReleaseReader } from '../releases/release-reader.js';
import { MapController } from './map.controller.js';
import { MapService } from './map.service.js';

/** For a flat application module: add these, and provide `RELEASE_READER`. */
export const mapControllers = [MapController];
export const mapProviders = [MapService];

/** The map routes over one reader, for a process that serves nothing else. */
@Module({})
export class MapModule {
  static over(reader: ReleaseReader): DynamicModule {
    return {
      module: MapModule,
      controllers: mapControllers,
      providers: [...mapProviders, { provide: RELEASE_READER, useValue: reader }],
    };
  }
}
