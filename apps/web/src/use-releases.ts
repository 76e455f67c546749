import { useEffect, useState } from 'preact/hooks';
import { DomainCells } from './domain-cells.js';
import { LayerStore, type LayerView } from './layer-store.js';
import { fetchCells, fetchReleases, type LayerAddress, type Release } from './release-client.js';
import { type Bounds, parentsInView } from './viewport.js';

const LOOK_AGAIN_MS = 5000;

/** A value that is being fetched: the last good one, whether a newer one is on its way, and what went wrong. */
export interface Fetched<T> {
  readonly value?: T;
  readonly loading: boolean;
  readonly problem?: string;
}

const failed = (what: string, error: unknown): string =>
  `${what}: ${error instanceof Error ? error.message : 'unknown reason'}`;

/** Published releases, newest first; asked for again while there are none, so that the first one appears by itself. */
export function useReleases(): Fetched<readonly Release[]> {
  const [state, setState] = useState<Fetched<readonly Release[]>>({ loading: true });
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const value = await fetchReleases(abort.signal);
        setState({ value, loading: false });
        if (value.length > 0) return;
      } catch (error) {
        if (abort.signal.aborted) return;
        setState({ loading: false, problem: failed('The coordinator does not answer', error) });
      }
      timer = setTimeout(look, LOOK_AGAIN_MS);
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);
  return state;
}

/** The store of a release, by its id; a new one for another release. */
export function useLayerStore(release: string | undefined): Fetched<LayerStore> {
  const [state, setState] = useState<Fetched<LayerStore>>({ loading: true });
  useEffect(() => {
    if (release === undefined) return;
    const abort = new AbortController();
    setState({ loading: true });
    fetchCells(release, abort.signal).then(
      (text) => setState({ value: new LayerStore(DomainCells.parse(text)), loading: false }),
      (error) => {
        if (!abort.signal.aborted) {
          setState({
            loading: false,
            problem: failed('The cells of the release did not load', error),
          });
        }
      },
    );
    return () => abort.abort();
  }, [release]);
  return state;
}

/** Values of the cells in view. The last view stays until the next one is complete. */
export function useLayerView(
  store: LayerStore | undefined,
  address: LayerAddress | undefined,
  bounds: Bounds | undefined,
): Fetched<LayerView> {
  const [state, setState] = useState<Fetched<LayerView>>({ loading: true });
  useEffect(() => {
    if (!store || !address || !bounds) return;
    const abort = new AbortController();
    setState(({ value }) => ({ ...(value && { value }), loading: true }));
    const parents = parentsInView(store.domain, address.resolution, bounds);
    store.load(address, parents, abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ value, loading: false });
      },
      (error) => {
        if (abort.signal.aborted) return;
        const problem = failed('This part of the map did not load', error);
        setState(({ value }) => ({ ...(value && { value }), loading: false, problem }));
      },
    );
    return () => abort.abort();
  }, [store, address, bounds]);
  return state;
}
