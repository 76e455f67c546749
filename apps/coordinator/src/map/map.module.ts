import { EventStreams } from '../event-streams.js';
import { MapController } from './map.controller.js';
import { MapService } from './map.service.js';

/** For a flat application module: add both lists, and provide `RELEASE_READER`. */
export const mapControllers = [MapController];
export const mapProviders = [MapService, EventStreams];
