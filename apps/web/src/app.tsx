import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { cellCentre, cellFromText, cellToText } from '#libs/grid';
import { type Basemap, loadBasemap } from './basemap.js';
import { cellRows } from './cell-rows.js';
import { CellTable } from './cell-table.js';
import { Controls } from './controls.js';
import { EmptyState } from './empty-state.js';
import { Legend } from './legend.js';
import { MapView } from './map-view.js';
import { cellReading, popupContent } from './reading.js';
import { Totals } from './totals.js';
import { formatViewState, parseViewState, type ViewState } from './url-state.js';
import { useLayerStore, useLayerView, useReleases } from './use-releases.js';
import { type Bounds, resolutionFor } from './viewport.js';

interface AppProps {
  readonly workerUrl: string;
  readonly basemapUrl: string;
}

const TABLE_ROWS = 50;
const ATTRIBUTION =
  'Contains public sector information licensed under the Open Government Licence v3.0 (data.police.uk); ' +
  'Source: Office for National Statistics licensed under the OGL v3.0; ' +
  'contains OS data © Crown copyright and database right.';

/** The page: the view state decides everything; the map and the table show the same cells. */
export function App({ workerUrl, basemapUrl }: AppProps) {
  const [state, setState] = useState<ViewState>(() => parseViewState(location.hash));
  const [bounds, setBounds] = useState<Bounds>();
  const [basemap, setBasemap] = useState<Basemap>();
  const [basemapProblem, setBasemapProblem] = useState<string>();
  const container = useRef<HTMLDivElement>(null);
  const map = useRef<MapView>(undefined);
  const patch = useCallback(
    (change: Partial<ViewState>) => setState((old) => ({ ...old, ...change })),
    [],
  );

  const releases = useReleases();
  const release = releases.value?.find(({ id }) => id === state.release) ?? releases.value?.[0];
  const layer = release?.query.categories.includes(state.layer) ? state.layer : 'all';
  const period = release?.query.periods.includes(state.period) ? state.period : 'all';
  const resolution =
    bounds && release ? resolutionFor(state.zoom, bounds, release.query.resolution) : undefined;
  const address = useMemo(
    () =>
      release && resolution !== undefined
        ? { release: release.id, layer, period, resolution }
        : undefined,
    [release, layer, period, resolution],
  );
  const store = useLayerStore(release?.id);
  const view = useLayerView(store.value, address, bounds);
  // Key, totals and table speak of what is drawn, also while something else is on its way.
  const shown = view.value;
  const drawn = releases.value?.find(({ id }) => id === shown?.address.release);

  useEffect(() => {
    loadBasemap(basemapUrl).then(setBasemap, () =>
      setBasemapProblem('The background map did not load. Reload the page.'),
    );
  }, [basemapUrl]);

  const onPick = useRef<(longitude: number, latitude: number) => void>(() => {});
  onPick.current = (longitude, latitude) => {
    if (!map.current || !shown) return;
    const cell = map.current.cellAt(longitude, latitude, shown.address.resolution);
    patch({ cell: cellToText(cell) });
  };
  const start = useRef(state);
  useEffect(() => {
    if (!basemap || !container.current) return;
    const opened = MapView.open(container.current, workerUrl, basemap, start.current, {
      onMove: (camera, box) => {
        patch(camera);
        setBounds(box);
      },
      onPick: (longitude, latitude) => onPick.current(longitude, latitude),
      onClose: () => patch({ cell: undefined }),
    });
    map.current = opened;
    return () => opened.close();
  }, [basemap, workerUrl, patch]);

  useEffect(() => history.replaceState(null, '', formatViewState(state)), [state]);
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
    if (!shown || !bounds) return;
    map.current?.draw(shown.cells(bounds), shown.summary.breaks, shown.address.resolution);
  }, [shown, bounds]);

  const table = useMemo(
    () => (shown && bounds && basemap ? cellRows(shown, bounds, basemap, TABLE_ROWS) : undefined),
    [shown, bounds, basemap],
  );
  const reading = useMemo(
    () =>
      shown && basemap && state.cell !== undefined
        ? cellReading(state.cell, shown, basemap)
        : undefined,
    [shown, basemap, state.cell],
  );
  useEffect(() => {
    if (reading) map.current?.select(reading.cell, reading.at, popupContent(reading));
    else if (shown) map.current?.clearSelection();
  }, [reading, shown]);

  const problem = releases.problem ?? basemapProblem ?? store.problem ?? view.problem;
  const status = release && view.loading ? 'Loading…' : '';
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
        {releases.value?.length === 0 && <EmptyState />}
        {release && (
          <Controls
            releases={releases.value ?? []}
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
        )}
        {drawn && shown && <Totals {...shown.address} release={drawn} summary={shown.summary} />}
        {table && (
          <CellTable
            {...table}
            selected={state.cell}
            onSelect={(cell) => {
              const { latitude, longitude } = cellCentre(cellFromText(cell));
              map.current?.centreOn(longitude, latitude);
              patch({ cell });
            }}
          />
        )}
      </div>
      <main>
        <div class="map" ref={container} />
        {drawn && shown && (
          <Legend {...shown.address} release={drawn} breaks={shown.summary.breaks} />
        )}
        <p class={reading ? 'hidden' : 'status'} role="status">
          {reading ? `${reading.place}: ${reading.text}` : status}
        </p>
      </main>
      <footer>{ATTRIBUTION}</footer>
    </div>
  );
}

const skipToTable = (): void => document.getElementById('cells')?.focus();
