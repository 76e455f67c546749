import type { FunctionComponent } from 'preact';
import { ComputationPanel } from '../computation-panel.js';
import { csvText, type Provenance } from '../export-data.js';
import type { LayerDocument } from '../layer-client.js';
import { Method } from '../method.js';
import type { Release } from '../release-client.js';
import { save } from '../save-file.js';
import type { Computation } from '../use-computation.js';
import { ConcentrationReport } from './concentration-report.js';
import type { EvaluationMethod } from './evaluation-method.js';
import { EvaluationReport } from './evaluation-report.js';
import { PlanReport } from './plan-report.js';
import type { Report, ReportId } from './reports.js';

interface ReportPanelProps {
  readonly report: Report;
  readonly state: Computation;
  /** Why nothing is asked for, where that is not plain from the form. */
  readonly problem: string | undefined;
  /** What the result may have been computed from. */
  readonly releases: readonly Release[];
  /** What an evaluation is judged by. */
  readonly method: EvaluationMethod;
  readonly provenance: (document: LayerDocument) => Provenance;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

interface ReportView extends Pick<ReportPanelProps, 'releases' | 'method'> {
  readonly document: LayerDocument;
}

const VIEWS: Readonly<Record<ReportId, FunctionComponent<ReportView>>> = {
  concentration: ConcentrationReport,
  evaluation: EvaluationReport,
  plan: PlanReport,
};

/** A report: on its way, or its figures, its method and its files. */
export function ReportPanel(props: ReportPanelProps) {
  const { report, state, problem, releases, method, provenance, onRetry, onCancel } = props;
  if (problem) {
    return (
      <p class="problem" role="alert">
        {problem}
      </p>
    );
  }
  if (state.step !== 'done') {
    return (
      <ComputationPanel name={report.name} state={state} onRetry={onRetry} onCancel={onCancel} />
    );
  }
  const { document } = state;
  // What was asked for before is still here for a moment.
  if (document.method !== report.id) return null;
  const View = VIEWS[report.id];
  const stem = `concordat-${report.id}-${document.key.slice(0, 8)}`;
  return (
    <section class="report" aria-label={report.name}>
      <p class="note">{report.question}</p>
      <View document={document} releases={releases} method={method} />
      <section class="exports" aria-label="Save this result">
        <p>Save this result, with where it comes from</p>
        <button
          type="button"
          aria-label="Result as CSV"
          onClick={() => save(csvOf(document, provenance(document)), 'text/csv', `${stem}.csv`)}
        >
          CSV
        </button>
        <a href={`/v1/layers/${document.key}`} download={`${stem}.json`}>
          JSON<span class="hidden"> of the result</span>
        </a>
      </section>
      <Method document={document} forecast={undefined} />
    </section>
  );
}

/** The listed figures under comments that hold the rest of the result. */
const csvOf = ({ columns, rows }: LayerDocument, provenance: Provenance): string =>
  csvText(
    rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))),
    provenance,
    columns,
  );
