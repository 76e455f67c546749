import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { Jobs } from '#libs/jobs';
import {
  type Analytics,
  analyticsControllers,
  analyticsProviders,
} from '../analytics/analytics.js';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { DomainsController } from '../federation/domains.controller.js';
import { Offers } from '../federation/offers.js';
import { DatasetsService } from '../graphql/datasets.service.js';
import { graphqlOptions } from '../graphql/graphql-options.js';
import { QueriesResolver } from '../graphql/queries.resolver.js';
import { ReleaseQueries } from '../graphql/release-queries.js';
import { RoundQueries } from '../graphql/round-queries.js';
import { JOBS } from '../jobs/coordinator-jobs.js';
import { mapControllers, mapProviders } from '../map/map.module.js';
import { BlobsController } from '../releases/blobs.controller.js';
import { mapReader } from '../releases/map-reader.js';
import { RELEASE_READER } from '../releases/release-reader.js';
import { ReleaseStore } from '../releases/release-store.js';
import { Inboxes } from '../rounds/inbox.js';
import { RoundsService } from '../rounds/rounds.service.js';

@Module({})
class ReplicaModule {}

/** What a replica serves: releases, their chunks and layers. No service that writes is here. */
export function replicaModule({
  coordinator,
  releases,
  analytics,
  jobs,
}: {
  readonly coordinator: Coordinator;
  readonly releases: ReleaseStore;
  readonly analytics: Analytics;
  readonly jobs: Jobs;
}): DynamicModule {
  // refuses every question, and every look at a round, by the code of the log that is not its own
  const refuse = async (): Promise<never> => {
    await coordinator.append({} as never);
    throw new Error('a replica appended to a log');
  };
  return {
    module: ReplicaModule,
    imports: [
      GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, ...graphqlOptions }),
    ],
    controllers: [DomainsController, BlobsController, ...mapControllers, ...analyticsControllers],
    providers: [
      { provide: COORDINATOR, useValue: coordinator },
      { provide: ReleaseStore, useValue: releases },
      { provide: RELEASE_READER, useValue: mapReader(releases) },
      { provide: JOBS, useValue: jobs },
      { provide: Offers, useValue: new Offers() },
      { provide: Inboxes, useValue: new Inboxes(() => 0) },
      { provide: RoundsService, useValue: { open: refuse, round: refuse } },
      DatasetsService,
      RoundQueries,
      ReleaseQueries,
      QueriesResolver,
      ...mapProviders,
      ...analyticsProviders(analytics),
    ],
  };
}
