import { Inject, Injectable } from '@nestjs/common';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { type Announced, ReleaseStore } from '../releases/release-store.js';
import type { ForecastLayerState } from './forecast-book.js';
import { ForecastsService } from './forecasts.service.js';
import { releaseSeries } from './release-series.js';

/** A release that a forecast of this layer can be made from. */
const concerns = ({ header }: Announced, { definition }: ForecastLayerState): boolean =>
  header.query.resolution >= definition.resolution &&
  header.groups.some(({ category }) => category === definition.category);

/**
 * Judges every forecast that is switched on as soon as a release continues its series, whether or not anybody asks for the forecast. The
 * newest release is judged when a forecast is switched on, and after a start, in case the process ended before it was.
 */
@Injectable()
export class DriftMonitor {
  private readonly stopping = new AbortController();
  private following: Promise<void> = Promise.resolve();
  /** Releases that were looked at; undefined before the first look. */
  private seen: number | undefined;

  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(ReleaseStore) private readonly releases: ReleaseStore,
    @Inject(ForecastsService) private readonly forecasts: ForecastsService,
  ) {}

  start(): void {
    this.following = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  /** Judges the newest release that a layer just switched on can be made from, where there is one. Does not wait. */
  judgeNewest(layer: ForecastLayerState): void {
    const all = this.releases.all();
    const newest = all.find((release) => concerns(release, layer));
    if (newest) this.judge(layer.layer, releaseSeries(newest, all));
  }

  private async follow(): Promise<void> {
    for await (const _ of this.releases.growth(this.stopping.signal)) this.look();
  }

  private look(): void {
    const all = this.releases.all();
    const fresh = all.slice(0, all.length - (this.seen ?? 0));
    for (const layer of this.forecasts.all().filter(({ isOn }) => isOn)) {
      const concerned = fresh.filter((release) => concerns(release, layer));
      const due = this.seen === undefined ? concerned.slice(0, 1) : concerned;
      for (const release of due) this.judge(layer.layer, releaseSeries(release, all));
    }
    this.seen = all.length;
  }

  private judge(layer: string, series: readonly string[]): void {
    try {
      this.forecasts.judge(layer, series);
    } catch (error) {
      this.coordinator.logger.error({ err: error, layer }, 'a forecast was not judged');
    }
  }
}
