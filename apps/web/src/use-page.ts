import type { RefObject } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { cellFromText, cellToText } from '#libs/grid';
import {
  comparedAreas,
  evaluationOf,
  evaluationProblem,
  type Picked,
  withPicked,
} from './evaluation.js';
import { popupContent } from './reading.js';
import { ReleaseStores } from './release-stores.js';
import { type Selection, selectionOf } from './selection.js';
import { useTheme } from './theme.js';
import { formatViewState, parseViewState, type ViewState } from './url-state.js';
import { type AreaStates, useAreas } from './use-areas.js';
import { useComputation, useForecasts } from './use-computation.js';
import { useCellHistory, useLayerView, type ViewQuestion } from './use-layer-view.js';
import { useBasemap, useMap } from './use-map.js';
import { useReleases } from './use-releases.js';
import { useShown, useSteady } from './use-shown.js';
import { resolutionFor } from './viewport.js';

export interface PageFiles {
  readonly workerUrl: string;
  readonly basemapUrl: string;
}

type Basemap = ReturnType<typeof useBasemap>['value'];
type Bounds = ReturnType<typeof useMap>['bounds'];

/** Everything that the page shows, and what changes it. */
export type Page = ReturnType<typeof usePage>;

/** The page over its map in `container`. The view state, which is its address, decides everything. */
export function usePage(
  container: RefObject<HTMLDivElement | null>,
  { workerUrl, basemapUrl }: PageFiles,
) {
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
  const report = useReport(selection, state, stores, basemap.value);
  const computation = useComputation(report.question);
  const [picking, setPicking] = useState<Picked>();

  const { map, bounds } = useMap(container, workerUrl, basemap.value, theme, state, {
    onMove: (camera) => patch(camera),
    onPick: (longitude, latitude, found) => {
      if (!map.current || !shown) return;
      const cell = found ?? cellToText(map.current.cellAt(longitude, latitude, shown.resolution));
      if (!report.isEvaluation || picking === undefined) patch({ cell });
      else if (view.value?.view.at(cellFromText(cell)) !== 'uncovered')
        patch({ ...withPicked(state, picking, cell), cell: undefined });
    },
    onClose: () => {
      setPicking(undefined);
      patch({ cell: undefined });
    },
  });
  const { counts, view } = useCounts(stores, selection, state.zoom, bounds, computation.attempt);
  const line = selection?.moments ?? [];
  const moments = useSteady(line, line.map((m) => `${m.period}${m.release?.id}`).join());
  const shown = useShown({
    state,
    selection,
    releases: releases.value ?? [],
    counts: counts ? view.value : undefined,
    computed: computation.state,
    compared: report.compared,
    areas: report.areas,
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

  return {
    ...{ state, patch, theme, basemap, releases, forecasts, selection, report, computation },
    ...{ picking, setPicking, map, counts, view, moments, shown, reading, history },
  };
}

const finestOf = (selection: Selection | undefined) => selection?.release.query.resolution ?? 9;

/** What is asked of the coordinator, the areas of an evaluation among it, or why it is not. */
function useReport(
  selection: Selection | undefined,
  state: ViewState,
  stores: ReleaseStores,
  basemap: Basemap,
) {
  const isEvaluation = selection?.report?.id === 'evaluation';
  const compared = useMemo(() => (isEvaluation ? comparedAreas(state) : []), [isEvaluation, state]);
  const areas = useAreas(
    stores,
    isEvaluation ? selection.counts : undefined,
    finestOf(selection),
    compared.map(({ area }) => area),
    basemap,
  );
  const problem = useMemo(
    () => selection && reportProblem(selection, state, areas),
    [selection, state, areas],
  );
  const question = useMemo(
    () =>
      selection && problem === undefined
        ? (selection.question ?? evaluationOf(selection, state, areas))
        : undefined,
    [selection, problem, state, areas],
  );
  return { isEvaluation, compared, areas, problem, question };
}

/** Counts of the cells in view, and what scales their colours. */
function useCounts(
  stores: ReleaseStores,
  selection: Selection | undefined,
  zoom: number,
  bounds: Bounds,
  attempt: number,
) {
  const wanted = {
    counts: selection?.counts,
    scale: selection?.scale,
    next: selection?.next ?? [],
  };
  const { counts, scale, next } = useSteady(wanted, JSON.stringify(wanted));
  const resolution = bounds && resolutionFor(zoom, bounds, finestOf(selection));
  const question = useMemo<ViewQuestion | undefined>(
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
  return { counts, view: useLayerView(stores, question, bounds, attempt) };
}

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
