import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { Jobs } from '#libs/jobs';
import { readFromDirectory, WitnessedLog } from '#libs/journal';
import { verifySignature } from '#libs/keystore';
import {
  PublishedLogController,
  publishedLog,
  type RefusedRequests,
  RequestVerifier,
} from '#libs/nest-kit';
import { processKey } from '#libs/protocol';
import { type Analytics, analyticsControllers, analyticsProviders } from './analytics/analytics.js';
import { coordinatorPaths } from './config.js';
import { COORDINATOR, type Coordinator } from './coordinator.js';
import { Checkpoints } from './federation/checkpoints.js';
import { DomainsController } from './federation/domains.controller.js';
import { CONTROL_TOKEN, EnrolmentController } from './federation/enrolment.controller.js';
import { Offers } from './federation/offers.js';
import { OFFICE } from './federation/office.js';
import type { Office } from './federation/operations.js';
import { WitnessRelay } from './federation/witness-relay.js';
import { WitnessingController } from './federation/witnessing.controller.js';
import type { Witnessing } from './federation/witnessing.js';
import { DatasetsService } from './graphql/datasets.service.js';
import { graphqlOptions } from './graphql/graphql-options.js';
import { QueriesResolver } from './graphql/queries.resolver.js';
import { ReleaseQueries } from './graphql/release-queries.js';
import { RoundQueries } from './graphql/round-queries.js';
import { JOBS } from './jobs/coordinator-jobs.js';
import { LinkageController } from './linkage/linkage.controller.js';
import { LinkageService } from './linkage/linkage.service.js';
import { mapControllers, mapProviders } from './map/map.module.js';
import { BlobsController } from './releases/blobs.controller.js';
import { mapReader } from './releases/map-reader.js';
import { RELEASE_READER } from './releases/release-reader.js';
import { ReleaseStore } from './releases/release-store.js';
import { ConcludeRound } from './rounds/conclude-round.js';
import { EventsController } from './rounds/events.controller.js';
import { Inboxes } from './rounds/inbox.js';
import { RoundBook } from './rounds/round-book.js';
import { RoundEvents } from './rounds/round-events.js';
import { RoundFiles } from './rounds/round-files.js';
import { RoundsController } from './rounds/rounds.controller.js';
import { RoundsService } from './rounds/rounds.service.js';
import { VectorStore } from './rounds/vector-store.js';
import { UnmaskingsController } from './sealing/unmaskings.controller.js';
import { Unmaskings } from './sealing/unmaskings.js';

@Module({})
class AppModule {}

/** What was opened at the start. */
export interface Opened {
  readonly coordinator: Coordinator;
  readonly dir: string;
  readonly releases: ReleaseStore;
  readonly book: RoundBook;
  readonly witnessing: Witnessing;
  readonly refused: RefusedRequests;
  readonly office: Office;
  readonly controlToken: string;
  readonly analytics: Analytics;
  readonly jobs: Jobs;
  readonly linkage: LinkageService;
}

/** Everything of the process, flat, over what was opened at its start. */
export function appModule({
  coordinator,
  dir,
  releases,
  book,
  witnessing,
  refused,
  office,
  controlToken,
  analytics,
  jobs,
  linkage,
}: Opened): DynamicModule {
  const { federation, key, logger, nowMs } = coordinator;
  const { coordinator: own } = federation.manifest;
  return {
    module: AppModule,
    imports: [
      GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, ...graphqlOptions }),
    ],
    controllers: [
      RoundsController,
      EventsController,
      UnmaskingsController,
      DomainsController,
      WitnessingController,
      EnrolmentController,
      BlobsController,
      PublishedLogController,
      LinkageController,
      ...mapControllers,
      ...analyticsControllers,
    ],
    providers: [
      { provide: COORDINATOR, useValue: coordinator },
      publishedLog(readFromDirectory(coordinatorPaths(dir).log)),
      { provide: Inboxes, useValue: new Inboxes(() => book.newestSequence) },
      { provide: RoundBook, useValue: book },
      { provide: RoundFiles, useValue: new RoundFiles(coordinator.roundBlobs) },
      { provide: JOBS, useValue: jobs },
      { provide: LinkageService, useValue: linkage },
      { provide: OFFICE, useValue: office },
      { provide: CONTROL_TOKEN, useValue: controlToken },
      { provide: Offers, useValue: new Offers() },
      { provide: Checkpoints, useValue: witnessing.checkpoints },
      { provide: WitnessRelay, useValue: witnessing.relay },
      { provide: WitnessedLog, useValue: witnessing.log },
      { provide: VectorStore, useValue: new VectorStore(coordinatorPaths(dir).uploads) },
      { provide: ReleaseStore, useValue: releases },
      { provide: RELEASE_READER, useValue: mapReader(releases) },
      {
        provide: RequestVerifier,
        useValue: new RequestVerifier({
          audience: () => key.publicKey,
          keyOf: (id) => (id === own.id ? undefined : processKey(federation.manifest, id)),
          verify: verifySignature,
          nowMs,
          onRefused: (because) => {
            logger.debug({ because }, 'refused a request');
            refused.note(because);
          },
        }),
      },
      Unmaskings,
      ConcludeRound,
      RoundsService,
      RoundEvents,
      DatasetsService,
      RoundQueries,
      ReleaseQueries,
      QueriesResolver,
      ...mapProviders,
      ...analyticsProviders(analytics),
    ],
  };
}
