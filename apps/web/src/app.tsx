import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { cellCentre, cellFromText, cellToText } from '#libs/grid';
import { type Basemap, loadBasemap } from './basemap.js';
import { type CellRow, CellTable } from './cell-table.js';
import { Controls } from './controls.js';
import { DomainCells } from './domain-cells.js';
import { EmptyState } from './empty-state.js';
import { cannotTellFromZero, countText } from './interval.js';
import { LayerStore, type LayerView } from './layer-store.js';
import { Legend } from './legend.js';
import { MapView } from './map-view.js';
import { cellReading, popupContent } from './reading.js';
import { fetchDomain, fetchReleases, type Release } from './release-client.js';
import { formatViewState, parseViewState, type ViewState } from './url-state.js';
import { type Bounds, parentsInView, resolutionFor } from './viewport.js';
import { layerText, missingAgencies, periodText } from './words.js';

interface AppProps {
  readonly workerUrl: string;
  readonly basemapUrl: string;
}

/** What the last drawn view holds. */
interface Shown {
  readonly view: LayerView;
  readonly rows: readonly CellRow[];
  readonly unclear: number;
}

const TABLE_ROWS = 50;
const LOOK_AGAIN_MS = 5000;
const ATTRIBUTION =
  'Contains public sector information licensed under the Open Government Licence v3.0 (data.police.uk); ' +
  'Source: Office for National Statistics licensed under the OGL v3.0; ' +
  'contains OS data © Crown copyright and database right.';

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'unknown reason';
const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'AbortError';

export function App({ workerUrl, basemapUrl }: AppProps) {
  const [state, setState] = useState<ViewState>(() => parseViewState(location.hash));
  const [releases, setReleases] = useState<readonly Release[]>();
  const [basemap, setBasemap] = useState<Basemap>();
  const [store, setStore] = useState<LayerStore>();
  const [bounds, setBounds] = useState<Bounds>();
  const [shown, setShown] = useState<Shown>();
  const [loading, setLoading] = useState(true);
  const [problem, setProblem] = useState<string>();
  const container = useRef<HTMLDivElement>(null);
  const map = useRef<MapView>(undefined);
  const pick = useRef<(longitude: number, latitude: number) => void>(() => {});

  const patch = useCallback(
    (change: Partial<ViewState>) => setState((old) => ({ ...old, ...change })),
    [],
  );
  const release = useMemo(
    () => releases?.find(({ id }) => id === state.release) ?? releases?.[0],
    [releases, state.release],
  );
  const layer = release?.query.categories.includes(state.layer) ? state.layer : 'all';
  const period = release?.query.periods.includes(state.period) ? state.period : 'all';
  const resolution =
    bounds && release ? resolutionFor(state.zoom, bounds, release.query.resolution) : undefined;

  useEffect(() => {
    loadBasemap(basemapUrl).then(setBasemap, (error) => setProblem(messageOf(error)));
  }, [basemapUrl]);

  // Releases, again and again while there is none: the first one appears without a reload.
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const found = await fetchReleases(abort.signal);
        setReleases(found);
        setProblem(undefined);
        if (found.length === 0) timer = setTimeout(look, LOOK_AGAIN_MS);
      } catch (error) {
        if (isAbort(error)) return;
        setProblem(`The coordinator does not answer: ${messageOf(error)}`);
        timer = setTimeout(look, LOOK_AGAIN_MS);
      }
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);

  useEffect(() => {
    if (!release) return;
    const abort = new AbortController();
    fetchDomain(release.gridHash, abort.signal)
      .then((text) => setStore(new LayerStore(DomainCells.parse(text))))
      .catch((error) => isAbort(error) || setProblem(`The grid did not load: ${messageOf(error)}`));
    return () => abort.abort();
  }, [release?.gridHash]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the camera is read once; later the map tells us.
  useEffect(() => {
    if (!basemap || !container.current) return;
    const view = MapView.open(container.current, workerUrl, basemap, state, {
      onMove: (camera, box) => {
        patch(camera);
        setBounds(box);
      },
      onPick: (longitude, latitude) => pick.current(longitude, latitude),
      onClose: () => patch({ cell: undefined }),
    });
    map.current = view;
    return () => view.close();
  }, [basemap, workerUrl, patch]);

  useEffect(() => {
    history.replaceState(null, '', formatViewState(state));
  }, [state]);

  useEffect(() => {
    const onHashChange = () => {
      const next = parseViewState(location.hash);
      setState(next);
      map.current?.jumpTo(next);
    };
    addEventListener('hashchange', onHashChange);
    return () => removeEventListener('hashchange', onHashChange);
  }, []);

  useEffect(() => {
    if (!release || !store || !basemap || !bounds || resolution === undefined) return;
    const abort = new AbortController();
    setLoading(true);
    const parents = parentsInView(store.domain, resolution, bounds);
    store
      .load({ release: release.id, layer, period, resolution }, parents, abort.signal)
      .then((view) => {
        if (abort.signal.aborted) return;
        map.current?.draw(view.cells(bounds), view.summary.breaks, resolution);
        setShown({ view, ...tableOf(view, bounds, basemap) });
        setProblem(undefined);
        setLoading(false);
      })
      .catch((error) => {
        if (isAbort(error) || abort.signal.aborted) return;
        setLoading(false);
        setProblem(`This part of the map did not load: ${messageOf(error)}`);
      });
    return () => abort.abort();
  }, [release, store, basemap, layer, period, resolution, bounds]);

  pick.current = (longitude, latitude) => {
    if (!map.current || !shown) return;
    const cell = map.current.cellAt(longitude, latitude, shown.view.address.resolution);
    patch({ cell: cellToText(cell) });
  };

  const reading = useMemo(() => {
    if (!shown || !basemap || state.cell === undefined) return undefined;
    return cellReading(state.cell, shown.view, basemap);
  }, [shown, basemap, state.cell]);

  useEffect(() => {
    if (!shown) return;
    if (!reading) {
      map.current?.clearSelection();
      return;
    }
    map.current?.select(reading.cell, reading.at, popupContent(reading));
  }, [reading, shown]);

  const total = shown?.view.summary.total;
  return (
    <div class="page">
      <button type="button" class="skip" onClick={skipToTable}>
        Skip to the table
      </button>
      <header>
        <h1>Concordat</h1>
        <p>Crime concentrations from noisy counts. The records stay where they are.</p>
      </header>
      <div class="panel">
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {releases?.length === 0 && <EmptyState />}
        {release && releases && (
          <>
            <Controls
              releases={releases}
              release={release}
              layer={layer}
              period={period}
              places={basemap?.names ?? []}
              onRelease={(id) => patch({ release: id, cell: undefined })}
              onLayer={(name) => patch({ layer: name })}
              onPeriod={(name) => patch({ period: name })}
              onPlace={(name) => {
                const box = basemap?.boundsOfName(name);
                if (box) map.current?.show(box);
              }}
            />
            {total && (
              <section class="total" aria-label="Total">
                <p>{countText(total.estimate, total.standardError)}</p>
                <p class="note">
                  {layerText(layer, release.query.categories)},{' '}
                  {periodText(period, release.query.periods)}, over all places that are covered.
                  {total.partial && ' Some categories are not reported everywhere.'}
                </p>
              </section>
            )}
            {missingAgencies(release).length > 0 && (
              <p class="missing">
                Not in this release:{' '}
                {missingAgencies(release)
                  .map(({ name, code }) => (code ? `${name} (${code.replaceAll('-', ' ')})` : name))
                  .join(', ')}
                . Their area is missing, not zero.
              </p>
            )}
            {shown && (
              <CellTable
                rows={shown.rows}
                unclear={shown.unclear}
                selected={state.cell}
                onSelect={(cell) => {
                  const { latitude, longitude } = cellCentre(cellFromText(cell));
                  map.current?.centreOn(longitude, latitude);
                  patch({ cell });
                }}
              />
            )}
          </>
        )}
      </div>
      <main>
        <div class="map" ref={container} />
        {release && (
          <Legend
            release={release}
            layer={layer}
            period={period}
            resolution={resolution}
            breaks={shown?.view.summary.breaks ?? []}
          />
        )}
        <p class={reading ? 'hidden' : 'status'} role="status">
          {reading ? `${reading.place}: ${reading.text}` : loading && release ? 'Loading…' : ''}
        </p>
      </main>
      <footer>{ATTRIBUTION}</footer>
    </div>
  );
}

function skipToTable(): void {
  document.getElementById('cells')?.focus();
}

/** Highest cells of the view that can be told from zero, and how many cannot. */
function tableOf(view: LayerView, bounds: Bounds, basemap: Basemap): Omit<Shown, 'view'> {
  const inside = view.cells(bounds);
  const clear = inside.filter((c) => !cannotTellFromZero(c.estimate, c.standardError));
  const rows = clear
    .sort((a, b) => b.estimate - a.estimate)
    .slice(0, TABLE_ROWS)
    .map(({ cell, estimate, standardError }) => {
      const { latitude, longitude } = cellCentre(cell);
      const place = basemap.nameAt(longitude, latitude) ?? 'Off the coast';
      return { cell: cellToText(cell), place, estimate, standardError };
    });
  return { rows, unclear: inside.length - clear.length };
}
