import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { cellCentre, cellFromText, cellToText } from '#libs/grid';
import { CellInspector } from './cell-inspector.js';
import { CellTable } from './cell-table.js';
import { Controls } from './controls.js';
import { EmptyState } from './empty-state.js';
import {
  comparedAreas,
  evaluationOf,
  evaluationProblem,
  methodOf,
  type Picked,
  withPicked,
} from './evaluation.js';
import {
  csvText,
  geoJsonText,
  type Provenance,
  provenanceOf,
  reportProvenance,
} from './export-data.js';
import { picture, pngOf } from './export-picture.js';
import { Exports } from './exports.js';
import { Legend } from './legend.js';
import { popupContent } from './reading.js';
import { ReleaseStores } from './release-stores.js';
import { EvaluationForm } from './reports/evaluation-form.js';
import { PlanForm } from './reports/plan-form.js';
import { ReportPanel } from './reports/report-panel.js';
import { budgetOf, type Selection, selectionOf } from './selection.js';
import { ForecastOwner, NoForecast, StatisticPanel } from './statistic-panel.js';
import { useTheme } from './theme.js';
import { TimeSlider } from './time-slider.js';
import { Totals } from './totals.js';
import { formatViewState, parseViewState, type ViewState } from './url-state.js';
import { type AreaStates, boundsOfAreas, useAreas } from './use-areas.js';
import { type Computation, useComputation, useForecasts } from './use-computation.js';
import { useCellHistory, useLayerView, type ViewQuestion } from './use-layer-view.js';
import { useBasemap, useMap } from './use-map.js';
import { useReleases } from './use-releases.js';
import { type Shown, useShown, useSteady } from './use-shown.js';
import { resolutionFor } from './viewport.js';
import { periodText } from './words.js';

interface AppProps {
  readonly workerUrl: string;
  readonly basemapUrl: string;
}

const ATTRIBUTION =
  'Contains public sector information licensed under the Open Government Licence v3.0 (data.police.uk); ' +
  'Source: Office for National Statistics licensed under the OGL v3.0; ' +
  'contains OS data © Crown copyright and database right.';

/** The page: the view state decides everything; the map and the table show the same cells. */
export function App({ workerUrl, basemapUrl }: AppProps) {
  const [state, setState] = useState<ViewState>(() => parseViewState(location.hash));
  const patch = useCallback(
    (change: Partial<ViewState>) => setState((old) => ({ ...old, ...change })),
    [],
  );
  const theme = useTheme();
  const basemap = useBasemap(basemapUrl);
  const stores = useMemo(() => new ReleaseStores(), []);
  const releases = useReleases();
  const forecasts = useForecasts(state.show === 'forecast');
  const selection = useMemo(
    () => selectionOf(state, releases.value ?? [], forecasts.value ?? []),
    [state, releases.value, forecasts.value],
  );
  const finest = selection?.release.query.resolution ?? 9;
  const isEvaluation = selection?.report?.id === 'evaluation';
  const compared = useMemo(() => (isEvaluation ? comparedAreas(state) : []), [isEvaluation, state]);
  const areas = useAreas(
    stores,
    isEvaluation ? selection.counts : undefined,
    finest,
    compared.map(({ area }) => area),
    basemap.value,
  );
  const problemOfReport = useMemo(
    () => selection && reportProblem(selection, state, areas),
    [selection, state, areas],
  );
  const question = useMemo(
    () =>
      selection && problemOfReport === undefined
        ? (selection.question ?? evaluationOf(selection, state, areas))
        : undefined,
    [selection, problemOfReport, state, areas],
  );
  const computation = useComputation(question);
  const [picking, setPicking] = useState<Picked>();

  const container = useRef<HTMLDivElement>(null);
  const { map, bounds } = useMap(container, workerUrl, basemap.value, theme, state, {
    onMove: (camera) => patch(camera),
    onPick: (longitude, latitude, found) => {
      if (!map.current || !shown) return;
      const cell = found ?? cellToText(map.current.cellAt(longitude, latitude, shown.resolution));
      if (!isEvaluation || picking === undefined) patch({ cell });
      else if (view.value?.view.at(cellFromText(cell)) !== 'uncovered')
        patch({ ...withPicked(state, picking, cell), cell: undefined });
    },
    onClose: () => {
      setPicking(undefined);
      patch({ cell: undefined });
    },
  });

  const wanted = {
    counts: selection?.counts,
    scale: selection?.scale,
    next: selection?.next ?? [],
  };
  const { counts, scale, next } = useSteady(wanted, JSON.stringify(wanted));
  const resolution = bounds && resolutionFor(state.zoom, bounds, finest);
  const viewQuestion = useMemo<ViewQuestion | undefined>(
    () =>
      counts && scale && resolution !== undefined
        ? {
            address: { ...counts, resolution },
            scale: { ...scale, resolution },
            next: next.map((address) => ({ ...address, resolution })),
          }
        : undefined,
    [counts, scale, next, resolution],
  );
  const view = useLayerView(stores, viewQuestion, bounds);
  const line = selection?.moments ?? [];
  const moments = useSteady(line, line.map((m) => `${m.period}${m.release?.id}`).join());
  const shown = useShown({
    state,
    selection,
    releases: releases.value ?? [],
    counts: counts ? view.value : undefined,
    computed: computation.state,
    compared,
    areas,
    bounds,
    basemap: basemap.value,
    theme,
  });
  const reading = shown?.reading;
  const history = useCellHistory(stores, moments, selection?.category ?? 'all', reading);

  useEffect(() => window.history.replaceState(null, '', formatViewState(state)), [state]);
  useEffect(() => {
    const onHashChange = () => {
      const wanted = parseViewState(location.hash);
      setState(wanted);
      map.current?.jumpTo(wanted);
    };
    addEventListener('hashchange', onHashChange);
    return () => removeEventListener('hashchange', onHashChange);
  }, [map]);
  useEffect(() => {
    if (!shown || !bounds) return;
    map.current?.draw(shown.cells, shown.cellResolution);
    map.current?.drawFound(shown.finds, shown.findResolution);
  }, [map, bounds, shown?.cells, shown?.finds]);
  useEffect(() => {
    if (reading) map.current?.select(reading.cell, reading.at, popupContent(reading));
    else map.current?.clearSelection();
  }, [map, reading]);

  const problem = releases.problem ?? basemap.problem ?? forecasts.problem ?? view.problem;
  const lost =
    selection !== undefined &&
    state.release !== undefined &&
    selection.release.id !== state.release;
  const gap = selection !== undefined && counts === undefined;
  const loading = selection && !gap && view.loading;
  return (
    <div class="page">
      <header>
        <button type="button" class="skip" onClick={skipToTable}>
          Skip to the table
        </button>
        <h1>Concordat</h1>
        <p>Crime concentrations from noisy counts. The records stay where they are.</p>
      </header>
      <aside class="panel" aria-label="Choose and read">
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {releases.value?.length === 0 && <EmptyState />}
        {selection && (
          <Controls
            {...selection}
            releases={releases.value ?? []}
            show={state.show}
            forecast={selection.forecast?.layer}
            places={basemap.value?.names ?? []}
            onChange={patch}
            onPlace={(name) => {
              const box = basemap.value?.boundsOfName(name);
              if (box) map.current?.show(box);
            }}
          />
        )}
        {lost && (
          <p class="missing" role="status">
            The release that this link names is not published here. The newest one is shown instead.
          </p>
        )}
        {gap && (
          <p class="missing">
            No release counts this in {periodText(selection.period, [])}. That month is missing, not
            zero.
          </p>
        )}
        {selection?.statistic?.id === 'forecast' && forecasts.value && !selection.forecast && (
          <NoForecast layers={forecasts.value} />
        )}
        {selection?.forecast && <ForecastOwner layer={selection.forecast} result={shown?.result} />}
        {selection?.statistic && (
          <StatisticPanel
            statistic={selection.statistic}
            state={computation.state}
            forecast={selection.forecast?.layer}
            found={shown?.found ?? 0}
            onRetry={computation.retry}
            onCancel={computation.cancel}
          />
        )}
        {selection?.report?.id === 'evaluation' && (
          <EvaluationForm
            selection={selection}
            state={state}
            areas={areas}
            picking={picking}
            onPicking={setPicking}
            onChange={patch}
            onShowAreas={() => {
              const box = boundsOfAreas(areas);
              if (box) map.current?.show(box);
            }}
          />
        )}
        {selection?.report?.id === 'plan' && (
          <PlanForm {...budgetOf(state, selection.release)} onChange={patch} />
        )}
        {selection?.report && (
          <ReportPanel
            report={selection.report}
            state={computation.state}
            problem={problemOfReport}
            releases={selection.series}
            method={methodOf(state)}
            provenance={(document) =>
              reportProvenance(document, selection.series, location.href, ATTRIBUTION)
            }
            onRetry={computation.retry}
            onCancel={computation.cancel}
          />
        )}
        {reading && (
          <CellInspector
            reading={reading}
            history={history}
            period={selection?.period ?? 'all'}
            onClose={() => patch({ cell: undefined })}
          />
        )}
        {shown?.totals && <Totals {...shown.totals} />}
        {shown?.table && (
          <Exports
            stem={`concordat-${state.show}-${shown.sources[0]?.id.slice(0, 8) ?? 'none'}`}
            onCsv={() => csvText(recordsOf(shown), provenance(shown))}
            onGeoJson={() => geoJsonText(shown.records(), provenance(shown))}
            onPicture={async () => {
              const canvas = await map.current?.picture();
              if (!canvas) throw new Error('the map is not drawn');
              const drawing = picture(
                canvas,
                devicePixelRatio,
                shown.legend,
                provenance(shown),
                theme,
              );
              return pngOf(drawing);
            }}
          />
        )}
        {shown?.table && (
          <CellTable
            {...shown.table}
            selected={state.cell}
            onMore={shown.showMore}
            onSelect={(cell) => {
              const { latitude, longitude } = cellCentre(cellFromText(cell));
              map.current?.centreOn(longitude, latitude);
              patch({ cell });
            }}
          />
        )}
      </aside>
      <main>
        <div class="map" ref={container} />
        {selection && !isEvaluation && (
          <TimeSlider
            moments={moments}
            period={selection.period}
            whole={periodText(
              'all',
              selection.statistic
                ? moments.map(({ period }) => period)
                : selection.release.query.periods,
            )}
            upTo={selection.statistic !== undefined}
            onPeriod={(period) => patch({ period })}
          />
        )}
        {shown && <Legend model={shown.legend} />}
        <p class={reading ? 'hidden' : 'status'} role="status">
          {reading
            ? `${reading.place}: ${reading.text}`
            : loading
              ? 'Loading…'
              : statusText(computation.state)}
        </p>
      </main>
      <footer>{ATTRIBUTION}</footer>
    </div>
  );
}

const provenance = ({ legend, sources, result }: Shown): Provenance =>
  provenanceOf(legend, sources, result, location.href, ATTRIBUTION);

const skipToTable = (): void => document.getElementById('cells')?.focus();

const statusText = (state: Computation): string => {
  if (state.step === 'computing') return `Computing… ${Math.round(100 * state.progress)} %`;
  return state.step === 'failed' ? 'Not computed' : '';
};

/** Why a report is not asked for, where its form does not say so itself. */
function reportProblem(
  { report, question }: Selection,
  state: ViewState,
  areas: AreaStates,
): string | undefined {
  if (report?.id === 'plan' && !question) {
    return 'That is too little for a question as often: raise ε, or ask less often.';
  }
  return report?.id === 'evaluation' ? evaluationProblem(state, areas) : undefined;
}

const recordsOf = (shown: Shown) => shown.records().map(({ properties }) => properties);
