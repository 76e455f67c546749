import { useEffect, useState } from 'preact/hooks';
import type { CellValue, LayerView } from './layer-store.js';
import { fetchSummary, type LayerAddress, type Summary } from './release-client.js';
import type { ReleaseStores } from './release-stores.js';
import type { Moment } from './series.js';
import { type Fetched, failed } from './use-releases.js';
import { type Bounds, parentsInView } from './viewport.js';

/** What is to be drawn: `scale` gives the limits of the colour classes, `next` are likely to be asked for soon. */
export interface ViewQuestion {
  readonly address: LayerAddress;
  readonly scale: LayerAddress;
  readonly next: readonly LayerAddress[];
}

export interface CountView {
  readonly view: LayerView;
  readonly summary: Summary;
  /** Limits of the colour classes: the same for every month of a series. */
  readonly breaks: readonly number[];
}

/** Counts of the cells in view, asked for again with each `attempt`. The last view stays until the next one is complete. */
export function useLayerView(
  stores: ReleaseStores,
  question: ViewQuestion | undefined,
  bounds: Bounds | undefined,
  attempt: number,
): Fetched<CountView> {
  const [state, setState] = useState<Fetched<CountView>>({ loading: true });
  useEffect(() => {
    if (!question || !bounds) return;
    const { address, scale, next } = question;
    const abort = new AbortController();
    const { signal } = abort;
    setState(({ value }) => ({ ...(value && { value }), loading: true }));
    const load = async (): Promise<CountView> => {
      const store = await stores.of(address.release, signal);
      const parents = parentsInView(store.domain, address.resolution, bounds);
      const [view, summary, { breaks }] = await Promise.all([
        store.load(address, parents, signal),
        fetchSummary(address, signal),
        fetchSummary(scale, signal),
      ]);
      return { view, summary, breaks };
    };
    const prefetch = async (): Promise<void> => {
      for (const soon of next) {
        const store = await stores.of(soon.release, signal);
        await store.load(soon, parentsInView(store.domain, soon.resolution, bounds), signal);
      }
    };
    load().then(
      (value) => {
        if (signal.aborted) return;
        setState({ value, loading: false });
        // Whatever is wrong with it is said when it is asked for.
        prefetch().catch(() => undefined);
      },
      (error) => {
        if (signal.aborted) return;
        const problem = failed('This part of the map did not load', error);
        setState(({ value }) => ({ ...(value && { value }), loading: false, problem }));
      },
    );
    return () => abort.abort();
  }, [stores, question, bounds, attempt]);
  return state;
}

/** One month of one hexagon: a value, nobody's (`uncovered`), or not counted at all (`missing`). */
export interface HistoryMonth {
  readonly period: string;
  readonly value: CellValue | 'uncovered' | 'missing';
}

/** A hexagon over every period of a series; undefined while it is not complete. */
export function useCellHistory(
  stores: ReleaseStores,
  moments: readonly Moment[],
  category: string,
  cell: { readonly cell: bigint; readonly resolution: number } | undefined,
): readonly HistoryMonth[] | undefined {
  const [history, setHistory] = useState<readonly HistoryMonth[]>();
  const id = cell?.cell;
  const resolution = cell?.resolution;
  useEffect(() => {
    setHistory(undefined);
    if (id === undefined || resolution === undefined) return;
    const abort = new AbortController();
    const { signal } = abort;
    const months = moments.map(async ({ period, release }): Promise<HistoryMonth> => {
      if (!release) return { period, value: 'missing' };
      const store = await stores.of(release.id, signal);
      const address = { release: release.id, layer: category, period, resolution };
      return { period, value: await store.value(address, id, signal) };
    });
    Promise.all(months).then(setHistory, () => undefined);
    return () => abort.abort();
  }, [stores, moments, category, id, resolution]);
  return history;
}
