import type { Provider } from '@nestjs/common';
import type { Coordinator } from '../coordinator.js';
import { storeDeprivation } from './deprivation-file.js';
import { DriftMonitor } from './drift-monitor.js';
import { ForecastBook } from './forecast-book.js';
import { ForecastsResolver } from './forecasts.resolver.js';
import { ForecastsService } from './forecasts.service.js';
import { LayerStore } from './layer-store.js';
import { LayersController } from './layers.controller.js';
import { LayersResolver } from './layers.resolver.js';
import { DEPRIVATION, LayersService } from './layers.service.js';

/** What layers and forecasts work with; opened once at the start of the process. */
export interface Analytics {
  readonly store: LayerStore;
  /** Filled from the log before the process serves. */
  readonly forecasts: ForecastBook;
  readonly deprivation: string;
}

export async function openAnalytics(
  coordinator: Coordinator,
  store: LayerStore,
): Promise<Analytics> {
  return {
    store,
    forecasts: new ForecastBook(),
    deprivation: await storeDeprivation(coordinator.blobs),
  };
}

export const analyticsControllers = [LayersController];

export const analyticsProviders = (analytics: Analytics): Provider[] => [
  { provide: LayerStore, useValue: analytics.store },
  { provide: ForecastBook, useValue: analytics.forecasts },
  { provide: DEPRIVATION, useValue: analytics.deprivation },
  LayersService,
  LayersResolver,
  ForecastsService,
  DriftMonitor,
  ForecastsResolver,
];
