import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { cellFromText, cellToText, resolutionOf } from '#libs/grid';
import type { AreaRole } from './area.js';
import { areaShade } from './area-looks.js';
import type { Basemap } from './basemap.js';
import { type CellRows, countRows, foundRows } from './cell-rows.js';
import { type ComparedArea, rolesOf } from './evaluation.js';
import { countRecords, type ExportRow, foundRecords } from './export-data.js';
import { type FoundCell, foundCells, foundIn } from './found-cells.js';
import type { LayerDocument } from './layer-client.js';
import { areasLegend, countsLegend, type LegendModel, statisticLegend } from './legend-model.js';
import { QUIET } from './map-style.js';
import type { DrawnCell, DrawnFind } from './map-view.js';
import { shadeOf } from './palette.js';
import { areaReading, countReading, foundReading, type Reading } from './reading.js';
import type { Release } from './release-client.js';
import type { Selection } from './selection.js';
import { foundShade } from './statistics.js';
import type { Theme } from './theme.js';
import type { TotalsProps } from './totals.js';
import type { ViewState } from './url-state.js';
import { type AreaStates, stateOf } from './use-areas.js';
import type { Computation } from './use-computation.js';
import type { CountView } from './use-layer-view.js';
import type { Bounds } from './viewport.js';

const TABLE_ROWS = 50;
const MOST_MARKS = 200;

interface Inputs {
  readonly state: ViewState;
  readonly selection: Selection | undefined;
  readonly releases: readonly Release[];
  /** Undefined in a month without counts, and before the first answer. */
  readonly counts: CountView | undefined;
  readonly computed: Computation;
  /** Areas of an evaluation, and what is known of them. */
  readonly compared: readonly ComparedArea[];
  readonly areas: AreaStates;
  readonly bounds: Bounds | undefined;
  readonly basemap: Basemap | undefined;
  readonly theme: Theme;
}

/** What is on screen, in every form: drawn, listed, explained, read. All forms come from the same cells. */
export interface Shown {
  /** Of the cells that a click chooses. */
  readonly resolution: number;
  /** Covered cells in view; undefined while counts are not known, and with them what is covered. */
  readonly cells: readonly DrawnCell[] | undefined;
  /** Of `cells`. */
  readonly cellResolution: number;
  readonly finds: readonly DrawnFind[];
  /** The finest of `finds`. */
  readonly findResolution: number;
  /** Findings everywhere, in view or not. */
  readonly found: number;
  readonly legend: LegendModel;
  readonly table: CellRows | undefined;
  readonly showMore: () => void;
  readonly totals: TotalsProps | undefined;
  readonly reading: Reading | undefined;
  /** The cells in view as records, and what they were computed from. */
  readonly records: () => readonly ExportRow[];
  readonly sources: readonly Release[];
  readonly result: string | undefined;
}

const NOTHING: ReadonlyMap<string, FoundCell> = new Map();

export function useShown(inputs: Inputs): Shown | undefined {
  const { state, selection, releases, counts, computed, compared, areas, bounds, basemap, theme } =
    inputs;
  const [most, setMost] = useState(TABLE_ROWS);
  const showMore = useCallback(() => setMost((rows) => rows + TABLE_ROWS), []);
  const statistic = selection?.statistic;
  const isEvaluation = selection?.report?.id === 'evaluation';
  const document =
    (statistic || isEvaluation) && computed.step === 'done' ? computed.document : undefined;
  useEffect(() => setMost(TABLE_ROWS), [statistic, document, counts?.view.address]);

  const cells = useMemo<readonly DrawnCell[] | undefined>(() => {
    if (!counts || !bounds) return undefined;
    return counts.view.cells(bounds).map(({ ring, estimate, standardError }) => ({
      ring,
      shade: statistic || isEvaluation ? QUIET : shadeOf(estimate, standardError, counts.breaks),
    }));
  }, [counts, bounds, statistic, isEvaluation]);
  const finds = useMemo(
    () => (statistic && document ? foundCells(statistic, document) : NOTHING),
    [statistic, document],
  );
  const drawnAreas = useMemo(() => areaFinds(compared, areas), [compared, areas]);
  const drawnFinds = useMemo<readonly DrawnFind[]>(
    () =>
      [...finds]
        .map(([cell, { ring, found }]) => ({
          cell,
          ring,
          shade: statistic ? foundShade(statistic.id, found) : '',
          rank: found,
          isMarked: true,
        }))
        .sort((a, b) => a.rank - b.rank),
    [finds, statistic],
  );
  const table = useMemo(() => {
    if (!bounds || !basemap) return undefined;
    if (isEvaluation) return undefined;
    if (!statistic) return counts && countRows(counts.view, bounds, basemap, most);
    return document && foundRows(statistic, document, foundIn(finds, bounds), basemap, most);
  }, [statistic, isEvaluation, document, finds, counts, bounds, basemap, most]);
  const { cell } = state;
  const reading = useMemo(() => {
    if (!basemap || cell === undefined) return undefined;
    if (isEvaluation) {
      return areaReading(
        cell,
        drawnAreas.roles.get(cell),
        counts?.view.at(BigInt(`0x${cell}`)),
        basemap,
      );
    }
    if (!statistic) return counts && countReading(cell, counts.view, basemap);
    const counted =
      counts?.view.address.resolution === Number(document?.parameters.resolution)
        ? counts?.view.at(BigInt(`0x${cell}`))
        : undefined;
    return document && foundReading(cell, statistic, document, finds.get(cell), counted, basemap);
  }, [statistic, isEvaluation, drawnAreas, document, finds, counts, basemap, cell]);

  // Key and totals speak of what is drawn, also while something else is on its way.
  const drawn = releases.find(({ id }) => id === counts?.view.address.release);
  const legend = useMemo(() => {
    if (!selection) return undefined;
    const { release, series, category, period, resolution } = selection;
    if (statistic) {
      const present = new Set([...finds.values()].map(({ found }) => found));
      const used = usedBy(document, series);
      const shown = { statistic, releases: used, category, resolution, document, present };
      return statisticLegend(shown, theme);
    }
    if (isEvaluation) {
      const used = usedBy(document, series);
      const roles = [
        ...rolesOf(state),
        ...(state.method === 'synthetic' ? ['donor' as const] : []),
      ];
      return areasLegend({ releases: used, category, roles, start: state.start, document }, theme);
    }
    if (!counts || !drawn) {
      // A month that nobody counted has a key too; before the first answer there is nothing to explain.
      if (selection.counts) return undefined;
      return countsLegend({ release, category, period, resolution, breaks: [] }, theme);
    }
    const { address } = counts.view;
    return countsLegend(
      { ...address, release: drawn, category: address.layer, breaks: counts.breaks },
      theme,
    );
  }, [
    selection,
    statistic,
    isEvaluation,
    state.method,
    state.start,
    document,
    finds,
    counts,
    drawn,
    theme,
  ]);
  if (!legend) return undefined;
  const cellResolution = counts?.view.address.resolution ?? 9;
  return {
    resolution: statistic ? (selection?.resolution ?? 9) : cellResolution,
    cells,
    cellResolution,
    finds: isEvaluation ? drawnAreas.finds : drawnFinds,
    findResolution: isEvaluation ? drawnAreas.finest : (selection?.resolution ?? 9),
    found: finds.size,
    legend,
    table,
    showMore,
    totals:
      !statistic && !isEvaluation && counts && drawn
        ? { ...counts.view.address, release: drawn, summary: counts.summary }
        : undefined,
    reading,
    records: () => {
      if (!bounds) return [];
      if (statistic) return foundRecords(foundIn(finds, bounds));
      return counts ? countRecords(counts.view.cells(bounds)) : [];
    },
    sources:
      (statistic || isEvaluation) && selection
        ? usedBy(document, selection.series)
        : drawn
          ? [drawn]
          : [],
    result: document?.key,
  };
}

/** The hexagons of all areas as they are drawn, and which of them is in which. A comparison area may be a control too: it is drawn as that. */
function areaFinds(
  compared: readonly ComparedArea[],
  areas: AreaStates,
): {
  readonly finds: readonly DrawnFind[];
  readonly roles: ReadonlyMap<string, AreaRole>;
  readonly finest: number;
} {
  const roles = new Map<string, AreaRole>();
  const finds = compared.flatMap(({ role, area }, rank) => {
    const state = stateOf(areas, area);
    if (state?.step !== 'found') return [];
    // A whole local authority is seen without marks.
    const isMarked = state.area.cells.length <= MOST_MARKS;
    return state.area.cells.flatMap(({ cell, ring }) => {
      const text = cellToText(cell);
      if (roles.has(text)) return [];
      roles.set(text, role);
      return [{ cell: text, ring, shade: areaShade(role), rank, isMarked }];
    });
  });
  const finest = Math.max(
    0,
    ...new Set([...roles.keys()].map((text) => resolutionOf(cellFromText(text)))),
  );
  return { finds, roles, finest };
}

/** Releases that a result was computed from; those that it will be, while it is not there. */
const usedBy = (
  document: LayerDocument | undefined,
  series: readonly Release[],
): readonly Release[] =>
  document ? series.filter(({ id }) => document.releases.includes(id)) : series;

/** The same object for as long as its key is the same, so that what depends on it rests. */
export function useSteady<T>(value: T, key: string): T {
  const kept = useRef({ value, key });
  if (kept.current.key !== key) kept.current = { value, key };
  return kept.current.value;
}
