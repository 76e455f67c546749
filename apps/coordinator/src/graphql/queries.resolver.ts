import { Inject } from '@nestjs/common';
import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { DatasetsService } from './datasets.service.js';
import { Agency, Federation, LedgerLine } from './federation-models.js';
import { AssertionInput, Preview, QueryInput } from './question-models.js';
import { CellPage, LinkedCount, Release } from './release-models.js';
import { ReleaseQueries } from './release-queries.js';
import { RoundView } from './round-models.js';
import { RoundQueries } from './round-queries.js';

/** What analysts ask over GraphQL. Every field delegates to the service that decides. */
@Resolver()
export class QueriesResolver {
  constructor(
    @Inject(DatasetsService) private readonly datasets: DatasetsService,
    @Inject(RoundQueries) private readonly rounds: RoundQueries,
    @Inject(ReleaseQueries) private readonly published: ReleaseQueries,
  ) {}

  @Query(() => Federation, { description: 'What a client needs to write and sign a question.' })
  federation(): Federation {
    return this.datasets.federation();
  }

  @Query(() => [Agency])
  agencies(): Agency[] {
    return this.datasets.agencies();
  }

  @Query(() => Preview, {
    description: 'Cost and typical error of a question. Asks nobody, spends nothing.',
  })
  preview(@Args('query', { type: () => QueryInput }) query: QueryInput): Preview {
    return this.rounds.preview(query);
  }

  @Mutation(() => RoundView, {
    description: 'Opens a round. The assertion is signed by an analyst of the manifest.',
  })
  submitQuery(
    @Args('query', { type: () => QueryInput }) query: QueryInput,
    @Args('assertion', { type: () => AssertionInput }) assertion: AssertionInput,
  ): Promise<RoundView> {
    return this.rounds.submit(query, assertion);
  }

  @Query(() => RoundView, { nullable: true })
  round(@Args('id', { type: () => ID }) id: string): Promise<RoundView | null> {
    return this.rounds.round(id);
  }

  @Query(() => [Release], { description: 'Newest first.' })
  releases(
    @Args('first', { type: () => Int, defaultValue: 10 }) first: number,
  ): Promise<Release[]> {
    return this.published.list(first);
  }

  @Query(() => Release, { nullable: true })
  release(@Args('id', { type: () => ID }) id: string): Promise<Release | null> {
    return this.published.release(id);
  }

  @Query(() => CellPage, {
    description:
      'Cells of a release, at most 5,000 a page, summed over the categories and periods left out.',
  })
  cells(
    @Args('release', { type: () => ID }) release: string,
    @Args('resolution', { type: () => Int }) resolution: number,
    @Args('category', { type: () => String, nullable: true }) category: string | null = null,
    @Args('period', { type: () => String, nullable: true }) period: string | null = null,
    @Args('orderBy', { defaultValue: 'cell', description: 'cell, or estimate (highest first)' })
    orderBy: string,
    @Args('first', { type: () => Int, defaultValue: 1000 }) first: number,
    @Args('after', { type: () => String, nullable: true }) after: string | null = null,
  ): Promise<CellPage> {
    return this.published.cells({ release, resolution, category, period, orderBy, first, after });
  }

  @Query(() => [LinkedCount], { description: 'People known to two agencies, newest first.' })
  linkedCounts(@Args('first', { type: () => Int, defaultValue: 10 }) first: number): LinkedCount[] {
    return this.published.linkedCounts(first);
  }

  @Query(() => [LedgerLine], { description: 'What each agency has spent, proved by its receipts.' })
  ledger(): LedgerLine[] {
    return this.published.ledger();
  }
}
