import { Inject } from '@nestjs/common';
import { Args, ID, Int, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { ConcordatError, canonicalJson } from '#libs/bytes';
import type { LayerRequest } from '#libs/layers';
import { LayerStore } from './layer-store.js';
import { type LayerState, LayersService } from './layers.service.js';
import {
  ConcentrationArgs,
  EmergingArgs,
  EvaluationArgs,
  FairnessArgs,
  HotspotsArgs,
  Layer,
  LayerPage,
  PlanArgs,
  TrendArgs,
  WarningsArgs,
} from './models.js';

const MOST_ROWS = 5_000;

/** A state as GraphQL serves it. */
export function layerView({ request, key, status, progress, fault, result }: LayerState): Layer {
  return {
    key,
    method: request.method,
    methodVersion: request.methodVersion,
    parameters: canonicalJson({ ...request.parameters }),
    releases: [...request.releases],
    status,
    progress,
    code: fault?.code ?? null,
    message: fault?.message ?? null,
    question: result?.question ?? null,
    citation: result?.citation ?? null,
    uncertainty: result?.uncertainty ?? null,
    limitations: result?.limitations ?? null,
    summary: result ? canonicalJson(result.summary) : null,
    listed: result?.listed ?? null,
    columns: result?.columns ?? null,
  };
}

/** Layers over GraphQL: one field a method, pages of at most 5,000 rows. */
@Resolver(() => Layer)
export class LayersResolver {
  constructor(
    @Inject(LayersService) private readonly layers: LayersService,
    @Inject(LayerStore) private readonly store: LayerStore,
  ) {}

  @Query(() => Layer, { description: 'How concentrated is crime?' })
  concentration(@Args({ type: () => ConcentrationArgs }) args: ConcentrationArgs): Promise<Layer> {
    return this.ask('concentration', args);
  }

  @Query(() => Layer, { description: 'Which cells are hotter than the average of the area?' })
  hotspots(@Args({ type: () => HotspotsArgs }) args: HotspotsArgs): Promise<Layer> {
    return this.ask('hotspots', args);
  }

  @Query(() => Layer, { description: 'Which places are getting better or worse?' })
  trend(@Args({ type: () => TrendArgs }) args: TrendArgs): Promise<Layer> {
    return this.ask('trend', args);
  }

  @Query(() => Layer, { description: 'What is new, growing or fading?' })
  emerging(@Args({ type: () => EmergingArgs }) args: EmergingArgs): Promise<Layer> {
    return this.ask('emerging', args);
  }

  @Query(() => Layer, { description: 'Where should somebody look now?' })
  warnings(@Args({ type: () => WarningsArgs }) args: WarningsArgs): Promise<Layer> {
    return this.ask('warnings', args);
  }

  @Query(() => Layer, { description: 'Whom would attention serve, and whom does the noise fail?' })
  fairness(@Args({ type: () => FairnessArgs }) args: FairnessArgs): Promise<Layer> {
    return this.ask('fairness', args);
  }

  @Query(() => Layer, { description: 'Did an intervention work, and could we have seen it?' })
  evaluation(@Args({ type: () => EvaluationArgs }) args: EvaluationArgs): Promise<Layer> {
    return this.ask('evaluation', args);
  }

  @Query(() => Layer, { description: 'How fine may each category be asked, with which budget?' })
  plan(@Args({ type: () => PlanArgs }) args: PlanArgs): Promise<Layer> {
    return this.ask('plan', args);
  }

  @Mutation(() => Layer, { description: 'Ends a computation that waits or runs.' })
  async cancelLayer(@Args('key', { type: () => ID }) key: string): Promise<Layer> {
    return layerView(await this.layers.cancel(key));
  }

  @ResolveField(() => LayerPage, { nullable: true, description: 'null until it is done' })
  async rows(
    @Parent() { key, status }: Layer,
    @Args('first', { type: () => Int, defaultValue: 1000 }) first: number,
    @Args('after', { type: () => String, nullable: true }) after: string | null = null,
  ): Promise<LayerPage | null> {
    if (!(first >= 1 && first <= MOST_ROWS)) {
      throw new ConcordatError('bad-page', `ask for 1 to ${MOST_ROWS} rows a page`);
    }
    if (after !== null && !/^\d{1,9}$/.test(after)) {
      throw new ConcordatError('bad-cursor', 'after is the endCursor of another page');
    }
    const result = status === 'done' ? await this.store.result(key) : undefined;
    if (!result) return null;
    const from = Number(after ?? 0);
    const nodes = result.rows.slice(from, from + first).map((row) => ({
      values: row.map((value) => (value === null ? null : String(value))),
    }));
    const next = from + nodes.length;
    return {
      nodes,
      endCursor: next < result.rows.length ? String(next) : null,
      totalCount: result.rows.length,
    };
  }

  private async ask(
    method: LayerRequest['method'],
    { releases, waitSeconds, ...parameters }: { releases: string[]; waitSeconds: number },
  ): Promise<Layer> {
    const request = this.layers.request(method, parameters, releases);
    return layerView(await this.layers.ask(request, waitSeconds));
  }
}
