import type { ForecastDefinition } from '#libs/protocol';
import type { Entry, EntryOf } from '#libs/tlog';

/** A forecast layer as the log tells it. */
export interface ForecastLayerState {
  readonly layer: string;
  readonly isOn: boolean;
  readonly owner: string;
  readonly purpose: string;
  readonly definition: ForecastDefinition;
  readonly enabledAt: string;
  readonly disabledAt: string | null;
  readonly disabledBy: string | null;
  readonly reason: string | null;
  /** Content keys of the results that raised the drift alarm since it was switched on. */
  readonly alarms: readonly string[];
}

/** Which forecasts are switched on: a fold of the coordinator's log. */
export class ForecastBook {
  private readonly layers = new Map<string, ForecastLayerState>();
  private readonly orders = new Set<string>();

  apply(entry: Entry): void {
    if (entry.kind === 'forecast.enabled') this.enable(entry);
    if (entry.kind === 'forecast.disabled') this.disable(entry);
    if (entry.kind === 'forecast.alarm') {
      const known = this.layers.get(entry.layer);
      if (known) this.set({ ...known, alarms: [...known.alarms, entry.result] });
    }
  }

  /** By name. */
  all(): readonly ForecastLayerState[] {
    return [...this.layers.values()].sort((a, b) => (a.layer < b.layer ? -1 : 1));
  }

  get(layer: string): ForecastLayerState | undefined {
    return this.layers.get(layer);
  }

  /** Whether an order has taken effect before, by its digest. */
  knows(order: string): boolean {
    return this.orders.has(order);
  }

  /** True when some layer that is on forecasts exactly this. */
  permits({ category, resolution, horizon, top }: Readonly<Record<string, unknown>>): boolean {
    return [...this.layers.values()].some(
      ({ isOn, definition }) =>
        isOn &&
        definition.category === category &&
        definition.resolution === resolution &&
        definition.horizon === horizon &&
        definition.top === top,
    );
  }

  private enable({ layer, actor, purpose, definition, at, order }: EntryOf<'forecast.enabled'>) {
    this.orders.add(order);
    this.set({
      layer,
      isOn: true,
      owner: actor,
      purpose,
      definition: definition as ForecastDefinition,
      enabledAt: at,
      disabledAt: null,
      disabledBy: null,
      reason: null,
      alarms: [],
    });
  }

  private disable({ layer, actor, reason, at, order }: EntryOf<'forecast.disabled'>): void {
    this.orders.add(order);
    const known = this.layers.get(layer);
    if (!known) return;
    this.set({ ...known, isOn: false, disabledAt: at, disabledBy: actor, reason });
  }

  private set(state: ForecastLayerState): void {
    this.layers.set(state.layer, state);
  }
}
