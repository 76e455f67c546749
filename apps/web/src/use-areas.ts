import { useEffect, useMemo, useState } from 'preact/hooks';
import { cellBoundary, cellCentre, cellFromText, cellToText, compact } from '#libs/grid';
import { type Area, formatArea } from './area.js';
import type { Basemap } from './basemap.js';
import type { Ring } from './domain-cells.js';
import type { LayerAddress } from './release-client.js';
import type { ReleaseStores } from './release-stores.js';
import { failed } from './use-releases.js';
import { type Bounds, parentsInView } from './viewport.js';

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

/** By what the address of the page calls an area. */
export type AreaStates = ReadonlyMap<string, AreaState>;

const LOADING: AreaState = { step: 'loading' };
const NOTHING: AreaStates = new Map();

export const stateOf = (areas: AreaStates, area: Area): AreaState | undefined =>
  areas.get(formatArea(area));

/** The hexagons of the areas of an evaluation. `address` says whose counts: a place that nobody counts belongs to no area. */
export function useAreas(
  stores: ReleaseStores,
  address: Omit<LayerAddress, 'resolution'> | undefined,
  finest: number,
  wanted: readonly Area[],
  basemap: Basemap | undefined,
): AreaStates {
  const [states, setStates] = useState<AreaStates>(NOTHING);
  const whose = address && Object.values(address).join();
  const find = useMemo(
    () => address && basemap && finderOf(stores, { ...address, resolution: finest }, basemap),
    [stores, whose, finest, basemap],
  );
  const names = [...new Set(wanted.map(formatArea))];
  useEffect(() => {
    if (!find || wanted.length === 0) {
      setStates(NOTHING);
      return;
    }
    const abort = new AbortController();
    const searches = new Map(wanted.map((area) => [formatArea(area), find(area)]));
    setStates(new Map([...searches].map(([name, { known }]) => [name, known ?? LOADING])));
    for (const [name, { known, coming }] of searches) {
      if (known) continue;
      void coming.then((state) => {
        if (!abort.signal.aborted) setStates((old) => new Map(old).set(name, state));
      });
    }
    return () => abort.abort();
  }, [find, names.join('\n')]);
  return states;
}

/** The search for the hexagons of an area: on its way, or done. */
interface Search {
  known?: AreaState;
  readonly coming: Promise<AreaState>;
}

/** Looks for each area of a release once. A search that failed is begun anew when the area is asked for again. */
function finderOf(
  stores: ReleaseStores,
  address: LayerAddress,
  basemap: Basemap,
): (area: Area) => Search {
  const searches = new Map<string, Search>();
  return (area) => {
    const name = formatArea(area);
    const begun = searches.get(name);
    if (begun) return begun;
    if (area.cells) {
      const known = asGiven(area.cells);
      const search = { known, coming: Promise.resolve(known) };
      searches.set(name, search);
      return search;
    }
    const search: Search = {
      coming: cellsOf(area.authority, stores, address, basemap).then(
        (state) => {
          search.known = state;
          return state;
        },
        (error: unknown) => {
          searches.delete(name);
          return { step: 'failed', problem: failed('The hexagons did not load', error) };
        },
      ),
    };
    searches.set(name, search);
    return search;
  };
}

const asGiven = (texts: readonly string[]): AreaState => ({
  step: 'found',
  area: {
    cells: texts.map(cellFromText).map((cell) => ({ cell, ring: cellBoundary(cell) })),
    named: texts,
  },
});

/** Counted hexagons whose centre lies in a local authority: of the finest resolution at which a question can name them. */
async function cellsOf(
  authority: string,
  stores: ReleaseStores,
  address: LayerAddress,
  basemap: Basemap,
): Promise<AreaState> {
  const bounds = basemap.boundsOfName(authority);
  if (!bounds) {
    return { step: 'failed', problem: 'No local authority is called so. Choose one of the list.' };
  }
  const { signal } = new AbortController();
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

/** The box that holds all areas that are known; undefined while none is. */
export function boundsOfAreas(areas: AreaStates): Bounds | undefined {
  const corners = [...areas.values()].flatMap((state) =>
    state.step === 'found' ? state.area.cells.flatMap(({ ring }) => ring) : [],
  );
  if (corners.length === 0) return undefined;
  const ends = (axis: 0 | 1): readonly [number, number] =>
    corners.reduce<readonly [number, number]>(
      ([low, high], corner) => [Math.min(low, corner[axis]), Math.max(high, corner[axis])],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
  const [west, east] = ends(0);
  const [south, north] = ends(1);
  return { west, south, east, north };
}
