import { useEffect, useState } from 'preact/hooks';
import { cellBoundary, cellCentre, cellFromText, cellToText, compact } from '#libs/grid';
import { type Area, formatArea, type Role } from './area.js';
import type { Basemap } from './basemap.js';
import type { Ring } from './domain-cells.js';
import type { LayerAddress } from './release-client.js';
import type { ReleaseStores } from './release-stores.js';
import { failed } from './use-releases.js';
import { parentsInView } from './viewport.js';

/** The most hexagons an area may name in a question. */
const MOST_NAMED = 5_000;
const COARSEST = 4;

/** An area as hexagons. */
interface ChosenArea {
  readonly cells: readonly { readonly cell: bigint; readonly ring: Ring }[];
  /** The same places in as few hexagons as hold exactly them. */
  readonly named: readonly string[];
}

/** What is known of an area: its hexagons, or why there are none. */
export type AreaState =
  | { readonly step: 'loading' }
  | { readonly step: 'found'; readonly area: ChosenArea }
  | { readonly step: 'failed'; readonly problem: string };

export type AreaStates = Readonly<Partial<Record<Role, AreaState>>>;

/** The hexagons of both areas of an evaluation. `address` says whose counts: a place that nobody counts belongs to no area. */
export function useAreas(
  stores: ReleaseStores,
  address: Omit<LayerAddress, 'resolution'> | undefined,
  finest: number,
  wanted: Readonly<Partial<Record<Role, Area | undefined>>>,
  basemap: Basemap | undefined,
): AreaStates {
  const treated = useArea(stores, address, finest, wanted.treated, basemap);
  const control = useArea(stores, address, finest, wanted.control, basemap);
  return { ...(treated && { treated }), ...(control && { control }) };
}

function useArea(
  stores: ReleaseStores,
  address: Omit<LayerAddress, 'resolution'> | undefined,
  finest: number,
  wanted: Area | undefined,
  basemap: Basemap | undefined,
): AreaState | undefined {
  const [state, setState] = useState<AreaState>();
  const name = address && wanted && [...Object.values(address), formatArea(wanted)].join();
  useEffect(() => {
    setState(undefined);
    if (!address || !wanted || !basemap) return;
    if (wanted.cells) {
      const cells = wanted.cells.map(cellFromText);
      setState({
        step: 'found',
        area: {
          cells: cells.map((cell) => ({ cell, ring: cellBoundary(cell) })),
          named: wanted.cells,
        },
      });
      return;
    }
    const abort = new AbortController();
    setState({ step: 'loading' });
    cellsOf(
      wanted.authority,
      stores,
      { ...address, resolution: finest },
      basemap,
      abort.signal,
    ).then(
      (next) => !abort.signal.aborted && setState(next),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState({ step: 'failed', problem: failed('The hexagons did not load', error) });
      },
    );
    return () => abort.abort();
  }, [stores, name, finest, basemap]);
  return state;
}

/** Counted hexagons whose centre lies in a local authority: of the finest resolution at which a question can name them. */
async function cellsOf(
  authority: string,
  stores: ReleaseStores,
  address: LayerAddress,
  basemap: Basemap,
  signal: AbortSignal,
): Promise<AreaState> {
  const bounds = basemap.boundsOfName(authority);
  if (!bounds) {
    return { step: 'failed', problem: 'No local authority is called so. Choose one of the list.' };
  }
  const store = await stores.of(address.release, signal);
  for (let resolution = address.resolution; resolution >= COARSEST; resolution--) {
    const parents = parentsInView(store.domain, resolution, bounds);
    const view = await store.load({ ...address, resolution }, parents, signal);
    const cells = view.cells(bounds).filter(({ cell }) => {
      const { longitude, latitude } = cellCentre(cell);
      return basemap.nameAt(longitude, latitude)?.toLowerCase() === authority.toLowerCase();
    });
    if (cells.length === 0) continue;
    const named = compacted(cells.map(({ cell }) => cell));
    if (named.length <= MOST_NAMED) {
      return { step: 'found', area: { cells, named: named.map(cellToText) } };
    }
  }
  return {
    step: 'failed',
    problem: 'No agency counts a hexagon there in this release. Choose another area.',
  };
}

const compacted = (cells: readonly bigint[]): readonly bigint[] =>
  Array.from(compact(BigUint64Array.from(cells).sort()));

/** What a question names an area by; undefined while that is not known. */
export const namedIn = (state: AreaState | undefined): readonly string[] | undefined =>
  state?.step === 'found' ? state.area.named : undefined;
