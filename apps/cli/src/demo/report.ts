/** What the demo prints: one JSON document for programs, or a short table for people. */

import type { LinkedDemo } from './linkage.js';
import { placeNames } from './places.js';
import type { Held } from './question.js';

export interface DemoReport {
  readonly release: {
    readonly id: string;
    readonly fingerprint: string;
    readonly grid: string;
    readonly gridHash: string;
    readonly resolution: number;
    readonly categories: readonly string[];
    readonly periods: readonly string[];
    /** Only the sum of the answers was seen by anybody. */
    readonly sealed: boolean;
  };
  readonly agencies: readonly AgencyLine[];
  readonly total: Estimated;
  readonly cells: { readonly domain: number; readonly nonZero: number };
  readonly privacy: {
    readonly unit: string;
    readonly rho: string;
    readonly epsilon: number;
    readonly delta: number;
  };
  readonly analytics: DemoAnalytics;
  readonly logs: readonly {
    readonly origin: string;
    readonly size: number;
    readonly root: string;
  }[];
  readonly linkage?: LinkedDemo;
  readonly elapsedMs: number;
}

/** What the released numbers say, and what is not said without an owner. */
export interface DemoAnalytics {
  readonly hotspots: {
    readonly category: string;
    readonly resolution: number;
    /** Content key of the layer; null when it could not be computed. */
    readonly key: string | null;
    readonly cells: number;
    readonly hotCells: number;
    readonly code: string | null;
  };
  /** Code that a forecast is answered with before anybody owns it. */
  readonly forecast: string;
}

interface Estimated {
  readonly estimate: number;
  readonly standardError: number;
  readonly integer: number;
}

/**
 * `rows` to `rejected` are the operator's own local view; no contribution holds them. `rejected` counts rows by reason, and files that
 * were refused whole by theirs, one each.
 */
export interface AgencyLine {
  readonly id: string;
  readonly status: string;
  readonly code: string | null;
  readonly rows: number;
  readonly located: number;
  readonly noLocation: number;
  readonly outside: number;
  readonly duplicates: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly rhoSpent: string;
}

export interface TopCell extends Estimated {
  readonly id: string;
  readonly low: number;
  readonly high: number;
}

const number = (value: number): string => Math.round(value).toLocaleString('en-GB');
/** An interval in words: never negative, ends rounded outward. */
const between = ({ low, high }: { low: number; high: number }): string =>
  `likely ${number(Math.max(0, Math.floor(low)))} to ${number(Math.ceil(high))}`;

const table = (rows: readonly (readonly string[])[], rightFrom: number): string => {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column >= rightFrom && column < row.length - 1
            ? cell.padStart(width)
            : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** The linked count beside the truth, which only the demo knows. */
function linkedLines({ left, right, truth, naive, corrected, low, high }: LinkedDemo): string {
  const found =
    corrected === null
      ? 'too few people agree to tell'
      : `about ${number(corrected)} (likely ${number(Math.max(0, low ?? 0))} to ${number(high ?? 0)})`;
  return `
SYNTHETIC people known to both ${left} and ${right}: ${found}
One strict key finds about ${number(Math.max(0, naive))}. The truth, which only this demo knows: ${number(truth)}
`;
}

const sealing = ({ release, agencies }: DemoReport): string =>
  release.sealed
    ? `Sealed: nobody saw the answer of one agency, only the sum of ${agencies.filter(({ status }) => status === 'answered').length}`
    : 'Not sealed: the coordinator saw the noisy answer of each agency (--sealed asks for the sum alone)';

/** The report as people read it. */
export function formatDemo(
  report: DemoReport,
  sentence: string,
  interval: { readonly low: number; readonly high: number },
  top: readonly TopCell[],
  held: ReadonlyMap<string, Held>,
  /** What a command needs to reach the coordinator, beyond its defaults; undefined when it is about to stop. */
  urlFlag: string | undefined,
): string {
  const placeOf = placeNames();
  const agencies = report.agencies.map((agency) => {
    const months = held.get(agency.id)?.months ?? [];
    const why =
      agency.code === 'period-not-held'
        ? `holds ${months[0]} to ${months.at(-1)} only: a gap, not a zero`
        : (agency.code ?? '');
    const rejected = Object.values(agency.rejected).reduce((sum, count) => sum + count, 0);
    return [agency.id, agency.status, number(agency.rows), number(rejected), agency.rhoSpent, why];
  });
  return `
${sentence}

${table([['agency', 'status', 'rows', 'rejected', 'rho spent', ''], ...agencies], 2)}

National total: about ${number(report.total.estimate)} (${between(interval)})
Privacy: each ${report.privacy.unit === 'person-year' ? 'person and year' : report.privacy.unit} is protected with rho ${report.privacy.rho}, epsilon ${report.privacy.epsilon} at delta ${report.privacy.delta}
${sealing(report)}

${table(
  [
    ['top 10 cells', 'local authority', 'about', ''],
    ...top.map((cell) => [
      cell.id,
      placeOf(cell.id),
      number(Math.max(0, cell.estimate)),
      `(${between(cell)})`,
    ]),
  ],
  2,
)}

${analyticsText(report, urlFlag)}
Release ${report.release.id}
${report.linkage ? linkedLines(report.linkage) : ''}`;
}

function analyticsText(
  { analytics: { hotspots, forecast }, release }: DemoReport,
  urlFlag: string | undefined,
): string {
  const { category, resolution, key, cells, hotCells, code } = hotspots;
  const found =
    key === null
      ? `Hot spots: not computed (${code})`
      : `Hot spots: ${number(hotCells)} of ${number(cells)} cells of resolution ${resolution} have more ${category} than the average, at a false discovery rate of 5 %`;
  const again =
    key === null || urlFlag === undefined
      ? ''
      : `\n  the same bytes from public numbers: npx concordat analyse hotspots --release ${release.id} --category ${category} --resolution ${resolution} --compare${urlFlag}`;
  return `${found}${again}
Forecast: ${forecast}, until a named owner switches one on: npx concordat forecast enable --help
`;
}
