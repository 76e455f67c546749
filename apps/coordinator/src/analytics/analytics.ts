import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { type Jobs, openInlineJobs } from '#libs/jobs';
import type { Coordinator } from '../coordinator.js';
import { storeDeprivation } from './deprivation-file.js';
import { ForecastBook } from './forecast-book.js';
import { ForecastsResolver } from './forecasts.resolver.js';
import { ForecastsService } from './forecasts.service.js';
import { layerJob } from './layer-job.js';
import { LayerStore } from './layer-store.js';
import { LayersController } from './layers.controller.js';
import { LayersResolver } from './layers.resolver.js';
import { DEPRIVATION, JOBS, LayersService } from './layers.service.js';

/** What layers and forecasts work with; opened once at the start of the process. */
export interface Analytics {
  readonly store: LayerStore;
  readonly jobs: Jobs;
  /** Filled from the log before the process serves. */
  readonly forecasts: ForecastBook;
  readonly deprivation: string;
}

/** Opens the results in `folder`; releases are read from `blobs`. */
export async function openAnalytics(
  coordinator: Coordinator,
  { folder, blobs }: { readonly folder: string; readonly blobs: string },
): Promise<Analytics> {
  const store = await LayerStore.open(folder);
  return {
    store,
    jobs: openInlineJobs({
      kinds: [layerJob(store, blobs)],
      concurrency: 1,
      nowMs: coordinator.nowMs,
      scheduleFile: join(folder, 'schedules.json'),
      onEvent: ({ error, ...event }) => {
        if (event.type === 'failed')
          coordinator.logger.warn({ ...event, err: error }, 'job failed');
      },
    }),
    forecasts: new ForecastBook(),
    deprivation: await storeDeprivation(coordinator.blobs),
  };
}

export const analyticsControllers = [LayersController];

export const analyticsProviders = (analytics: Analytics): Provider[] => [
  { provide: LayerStore, useValue: analytics.store },
  { provide: JOBS, useValue: analytics.jobs },
  { provide: ForecastBook, useValue: analytics.forecasts },
  { provide: DEPRIVATION, useValue: analytics.deprivation },
  LayersService,
  LayersResolver,
  ForecastsService,
  ForecastsResolver,
];
