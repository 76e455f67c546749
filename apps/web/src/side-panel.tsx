import { cellCentre, cellFromText } from '#libs/grid';
import { ATTRIBUTION } from './attribution.js';
import { CellInspector } from './cell-inspector.js';
import { CellTable } from './cell-table.js';
import { Controls } from './controls.js';
import { EmptyState } from './empty-state.js';
import { methodOf } from './evaluation.js';
import {
  csvText,
  geoJsonText,
  type Provenance,
  provenanceOf,
  reportProvenance,
} from './export-data.js';
import { picture, pngOf } from './export-picture.js';
import { Exports } from './exports.js';
import { EvaluationForm } from './reports/evaluation-form.js';
import { PlanForm } from './reports/plan-form.js';
import { ReportPanel } from './reports/report-panel.js';
import { budgetOf } from './selection.js';
import { ForecastOwner, NoForecast, StatisticPanel } from './statistic-panel.js';
import { Totals } from './totals.js';
import { boundsOfAreas } from './use-areas.js';
import type { Page } from './use-page.js';
import type { Shown } from './use-shown.js';
import { periodText } from './words.js';

/** What is chosen, what came of it, and the files to take away. */
export function SidePanel({ page }: { readonly page: Page }) {
  const { state, patch, releases, selection, reading, history, shown, map, basemap } = page;
  return (
    <aside class="panel" aria-label="Choose and read">
      <Problem page={page} />
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
      <Missing page={page} />
      <Statistic page={page} />
      <Report page={page} />
      {reading && (
        <CellInspector
          reading={reading}
          history={history}
          period={selection?.period ?? 'all'}
          onClose={() => patch({ cell: undefined })}
        />
      )}
      {shown?.totals && <Totals {...shown.totals} />}
      {shown?.table && <Files page={page} shown={shown} />}
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
  );
}

function Problem({ page: { releases, basemap, forecasts, view } }: { readonly page: Page }) {
  const problem = releases.problem ?? basemap.problem ?? forecasts.problem ?? view.problem;
  if (!problem) return null;
  return (
    <p class="problem" role="alert">
      {problem}
    </p>
  );
}

/** What the address asks for and no release has. */
function Missing({ page: { state, selection, counts } }: { readonly page: Page }) {
  if (!selection) return null;
  const isLost = state.release !== undefined && selection.release.id !== state.release;
  return (
    <>
      {isLost && (
        <p class="missing" role="status">
          The release that this link names is not published here. The newest one is shown instead.
        </p>
      )}
      {counts === undefined && (
        <p class="missing">
          No release counts this in {periodText(selection.period, [])}. That month is missing, not
          zero.
        </p>
      )}
    </>
  );
}

function Statistic({
  page: { selection, forecasts, computation, shown },
}: {
  readonly page: Page;
}) {
  if (!selection?.statistic) return null;
  return (
    <>
      {selection.statistic.id === 'forecast' && forecasts.value && !selection.forecast && (
        <NoForecast layers={forecasts.value} />
      )}
      {selection.forecast && <ForecastOwner layer={selection.forecast} result={shown?.result} />}
      <StatisticPanel
        statistic={selection.statistic}
        state={computation.state}
        forecast={selection.forecast?.layer}
        found={shown?.found ?? 0}
        onRetry={computation.retry}
        onCancel={computation.cancel}
      />
    </>
  );
}

function Report({ page }: { readonly page: Page }) {
  const { state, patch, selection, report, picking, setPicking, map, computation } = page;
  if (!selection?.report) return null;
  return (
    <>
      {selection.report.id === 'evaluation' && (
        <EvaluationForm
          selection={selection}
          state={state}
          areas={report.areas}
          picking={picking}
          onPicking={setPicking}
          onChange={patch}
          onShowAreas={() => {
            const box = boundsOfAreas(report.areas);
            if (box) map.current?.show(box);
          }}
        />
      )}
      {selection.report.id === 'plan' && (
        <PlanForm {...budgetOf(state, selection.release)} onChange={patch} />
      )}
      <ReportPanel
        report={selection.report}
        state={computation.state}
        problem={report.problem}
        releases={selection.series}
        method={methodOf(state)}
        provenance={(document) =>
          reportProvenance(document, selection.series, location.href, ATTRIBUTION)
        }
        onRetry={computation.retry}
        onCancel={computation.cancel}
      />
    </>
  );
}

const provenance = ({ legend, sources, result }: Shown): Provenance =>
  provenanceOf(legend, sources, result, location.href, ATTRIBUTION);

const recordsOf = (shown: Shown) => shown.records().map(({ properties }) => properties);

function Files({
  page: { state, map, theme },
  shown,
}: {
  readonly page: Page;
  readonly shown: Shown;
}) {
  return (
    <Exports
      stem={`concordat-${state.show}-${shown.sources[0]?.id.slice(0, 8) ?? 'none'}`}
      onCsv={() => csvText(recordsOf(shown), provenance(shown))}
      onGeoJson={() => geoJsonText(shown.records(), provenance(shown))}
      onPicture={async () => {
        const canvas = await map.current?.picture();
        if (!canvas) throw new Error('the map is not drawn');
        return pngOf(picture(canvas, devicePixelRatio, shown.legend, provenance(shown), theme));
      }}
    />
  );
}
