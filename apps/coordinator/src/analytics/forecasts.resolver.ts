import { Inject } from '@nestjs/common';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { canonicalJson } from '#libs/bytes';
import { modelCardMarkdown } from '#libs/layers';
import { DriftMonitor } from './drift-monitor.js';
import { ForecastLayer, ForecastOrderInput, ModelCardView } from './forecast-models.js';
import { ForecastsService } from './forecasts.service.js';
import { layerView } from './layers.resolver.js';
import { ForecastArgs, Layer } from './models.js';

/** Forecasts over GraphQL: what is on, its card, and the switch. */
@Resolver()
export class ForecastsResolver {
  constructor(
    @Inject(ForecastsService) private readonly forecasts: ForecastsService,
    @Inject(DriftMonitor) private readonly drift: DriftMonitor,
  ) {}

  @Query(() => Layer, {
    description:
      'Where will it be next? Only of a layer that a named owner has switched on; back-test, drift and fairness figures are in the same result.',
  })
  async forecast(
    @Args({ type: () => ForecastArgs })
    { layer, releases, waitSeconds, ...range }: ForecastArgs,
  ): Promise<Layer> {
    return layerView(await this.forecasts.ask(layer, range, releases, waitSeconds));
  }

  @Query(() => [ForecastLayer], { description: 'Every layer that was ever switched on, by name.' })
  forecastLayers(): ForecastLayer[] {
    return this.forecasts.all().map((state) => ({ ...state, alarms: [...state.alarms] }));
  }

  @Query(() => ModelCardView, {
    description: 'What a layer is and how it does, from its newest run.',
  })
  async forecastCard(@Args('layer') layer: string): Promise<ModelCardView> {
    const card = await this.forecasts.card(layer);
    return { json: canonicalJson(card), markdown: modelCardMarkdown(card) };
  }

  @Mutation(() => ForecastLayer, {
    description:
      'Switches a layer on or off by a signed order; takes effect at once and is logged.',
  })
  async switchForecast(
    @Args('order', { type: () => ForecastOrderInput })
    { payload, publicKey, signature }: ForecastOrderInput,
  ): Promise<ForecastLayer> {
    const state = await this.forecasts.switch({ payload: parse(payload), publicKey, signature });
    if (state.isOn) this.drift.judgeNewest(state);
    return { ...state, alarms: [...state.alarms] };
  }
}

/** A payload that is no JSON is refused with the other malformed orders. */
function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
