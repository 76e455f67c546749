import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { ConcordatError, canonicalBytes, sha256Hex } from '#libs/bytes';
import { verifySignature } from '#libs/keystore';
import { type LayerResult, layerKey, type ModelCard, modelCard } from '#libs/layers';
import {
  Digest,
  FORECAST_OWNER,
  type ForecastDefinition,
  ForecastOrder,
  openEnvelope,
  SignedForecastOrder,
} from '#libs/protocol';
import type { Entry } from '#libs/tlog';
import { COORDINATOR, type Coordinator } from '../coordinator.js';
import { ForecastBook, type ForecastLayerState } from './forecast-book.js';
import { LayerStore } from './layer-store.js';
import { type LayerState, LayersService } from './layers.service.js';

/** How old a signed order may be when it arrives. */
const ORDER_MAX_AGE_MS = 10 * 60_000;

const off = (): ConcordatError =>
  new ConcordatError(
    'forecast-off',
    'no owner has switched this forecast on: concordat forecast enable --help says how, concordat forecast list shows which are on',
  );

/** True when a result of these parameters is one of a layer so defined. */
const agrees = (
  definition: ForecastDefinition,
  parameters: Readonly<Record<string, unknown>>,
): boolean => Object.entries(definition).every(([member, value]) => parameters[member] === value);

/**
 * Forecast layers exist only while a named owner has them switched on. Every switch is a signed order, and takes effect with its entry in
 * the log.
 */
@Injectable()
export class ForecastsService {
  /** What was last put into the log's queue: orders and alarms one at a time, so that what they are checked against holds when logged. */
  private logging: Promise<unknown> = Promise.resolve();
  /** Runs under way, by layer and content key: their drift is noted whether or not anybody comes back for the result. */
  private readonly runs = new Map<string, Promise<void>>();

  constructor(
    @Inject(COORDINATOR) private readonly coordinator: Coordinator,
    @Inject(ForecastBook) private readonly book: ForecastBook,
    @Inject(LayersService) private readonly layers: LayersService,
    @Inject(LayerStore) private readonly store: LayerStore,
  ) {}

  all(): readonly ForecastLayerState[] {
    return this.book.all();
  }

  /** A layer, on or off. Throws `not-found`. */
  layer(name: string): ForecastLayerState {
    const known = this.book.get(name);
    if (!known) throw new ConcordatError('not-found', 'there is no forecast layer of this name');
    return known;
  }

  /**
   * Carries out a signed order. Throws `malformed-message`, `unknown-analyst`, `bad-signature`, `wrong-manifest`, `stale-order`,
   * `repeated-order`, `role-missing`, `already-on`, `already-off`.
   */
  switch(signed: unknown): Promise<ForecastLayerState> {
    return this.inTurn(() => this.carryOut(signed));
  }

  /** State of a layer's forecast from these releases. Throws `forecast-off`, and as `LayersService.ask`. */
  async ask(
    name: string,
    range: Readonly<Record<string, unknown>>,
    releases: readonly string[],
    waitSeconds: number,
  ): Promise<LayerState> {
    const known = this.book.get(name);
    if (!known?.isOn) throw off();
    const parameters = { ...known.definition, ...range };
    const state = await this.layers.ask(
      this.layers.request('forecast', parameters, releases),
      waitSeconds,
    );
    const { result } = state;
    if (result) await this.inTurn(() => this.noteRun(name, result));
    else if (state.fault === null) this.watch(name, state);
    // It may have been switched off meanwhile.
    if (!this.book.get(name)?.isOn) throw off();
    return state;
  }

  /**
   * Has the forecast from these releases computed and its drift noted, though nobody asks for it; does not wait. Throws as
   * `LayersService.request`.
   */
  judge(name: string, releases: readonly string[]): void {
    const request = this.layers.request('forecast', this.layer(name).definition, releases);
    this.watch(name, { key: layerKey(request), request });
  }

  /** Waits for what is being noted. Call it once the jobs are closed. */
  async stop(): Promise<void> {
    await Promise.all(this.runs.values());
    await this.logging;
  }

  /** Refuses a forecast result that no layer which is on would give. Throws `forecast-off`. */
  checkServed(method: string, parameters: Readonly<Record<string, unknown>>): void {
    if (method === 'forecast' && !this.book.permits(parameters)) throw off();
  }

  /** What a layer is and how it does, from its newest run. Throws `not-found`. */
  async card(name: string): Promise<ModelCard> {
    const state = this.layer(name);
    const key = await this.lastRun(name);
    const result = key === undefined ? undefined : await this.store.result(key);
    const { definition } = state;
    // A run from before the layer was redefined is not a run of this layer.
    const isCurrent = result !== undefined && agrees(definition, result.parameters);
    return modelCard(state, isCurrent ? result : undefined);
  }

  private watch(name: string, { key, request }: Pick<LayerState, 'key' | 'request'>): void {
    const run = `${name} ${key}`;
    if (this.runs.has(run)) return;
    const noted = this.layers
      .finished(request)
      .then((result) => (result ? this.inTurn(() => this.noteRun(name, result)) : undefined))
      .catch((error: unknown) => {
        this.coordinator.logger.error({ err: error, layer: name }, 'a forecast run was not noted');
      })
      .finally(() => this.runs.delete(run));
    this.runs.set(run, noted);
  }

  private async carryOut(signed: unknown): Promise<ForecastLayerState> {
    const { federation, nowMs, blobs } = this.coordinator;
    const envelope = SignedForecastOrder.safeParse(signed);
    if (!envelope.success) {
      throw new ConcordatError('malformed-message', 'not a well-formed signed forecast order');
    }
    const analyst = federation.manifest.analysts.find(
      ({ id }) => id === envelope.data.payload.analyst,
    );
    if (!analyst) {
      throw new ConcordatError('unknown-analyst', 'the manifest names no such analyst');
    }
    const order = openEnvelope(
      'forecast',
      ForecastOrder,
      envelope.data,
      analyst.publicKey,
      verifySignature,
    );
    if (order.manifest !== federation.hash) {
      throw new ConcordatError(
        'wrong-manifest',
        'the order is for another manifest: sign it again',
      );
    }
    if (Math.abs(nowMs() - Date.parse(order.at)) > ORDER_MAX_AGE_MS) {
      throw new ConcordatError(
        'stale-order',
        'sign the order again: it is too old or ahead of time',
      );
    }
    const bytes = canonicalBytes(envelope.data);
    if (this.book.knows(sha256Hex(bytes))) {
      throw new ConcordatError('repeated-order', 'sign the order again: this one was carried out');
    }
    const known = this.book.get(order.layer);
    if (order.action === 'enable' && !analyst.roles.includes(FORECAST_OWNER)) {
      throw new ConcordatError(
        'role-missing',
        `only an analyst with the role ${FORECAST_OWNER} in the manifest may own a forecast`,
      );
    }
    if (order.action === 'enable' && known?.isOn) {
      throw new ConcordatError('already-on', 'switch the layer off before giving it another owner');
    }
    if (order.action === 'disable' && !known?.isOn) {
      throw new ConcordatError('already-off', 'no forecast layer of this name is on');
    }
    const common = {
      at: new Date(nowMs()).toISOString(),
      actor: order.analyst,
      layer: order.layer,
      order: await blobs.put(bytes),
    };
    await this.log(
      order.action === 'enable'
        ? {
            kind: 'forecast.enabled',
            ...common,
            purpose: order.purpose,
            definition: order.definition,
          }
        : { kind: 'forecast.disabled', ...common, reason: order.reason },
    );
    return this.layer(order.layer);
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const next = this.logging.then(action);
    this.logging = next.catch(() => undefined);
    return next;
  }

  /** Remembers the newest run and logs its drift alarm, once. A layer that was switched off or redefined meanwhile has no part in it. */
  private async noteRun(name: string, { key, parameters, summary }: LayerResult): Promise<void> {
    const { isOn, definition, alarms } = this.layer(name);
    if (!(isOn && agrees(definition, parameters))) return;
    await writeFile(this.lastRunFile(name), `${key}\n`);
    const { alarm } = summary.drift as { readonly alarm?: boolean };
    if (alarm !== true || alarms.includes(key)) return;
    const { config, logger, nowMs } = this.coordinator;
    logger.warn({ layer: name, result: key }, 'a forecast drifts');
    await this.log({
      kind: 'forecast.alarm',
      at: new Date(nowMs()).toISOString(),
      actor: config.id,
      layer: name,
      result: key,
    });
  }

  private async lastRun(name: string): Promise<string | undefined> {
    const text = await readFile(this.lastRunFile(name), 'utf8').catch(() => '');
    const key = Digest.safeParse(text.trim());
    return key.success ? key.data : undefined;
  }

  private lastRunFile(name: string): string {
    return join(this.store.folder, `forecast-${name}.txt`);
  }

  private async log(entry: Entry): Promise<void> {
    await this.coordinator.append(entry);
    this.book.apply(entry);
  }
}
