/** The cells of the view as files for other programs, with everything needed to say where they come from. */
import { cellToText } from '#libs/grid';
import type { Ring } from './domain-cells.js';
import type { Figures } from './figures.js';
import type { FoundCell } from './found-cells.js';
import type { LayerDocument } from './layer-client.js';
import type { CellValue } from './layer-store.js';
import type { FairnessLine, LegendModel } from './legend-model.js';
import type { Release } from './release-client.js';
import { missingAgencies } from './words.js';

/** One exported cell; every row of an export has the same properties. */
export interface ExportRow {
  readonly ring: Ring;
  readonly properties: Figures;
}

/** Provenance of an export: names as in docs/protocol, values as text. */
export type Provenance = Readonly<Record<string, string | readonly string[]>>;

/** Counts are unbiased estimates: unlike on screen they may be below zero, because sums are right only then. */
export const countRecords = (cells: readonly CellValue[]): ExportRow[] =>
  cells.map(({ cell, ring, estimate, standardError, partial }) => ({
    ring,
    properties: {
      cell: cellToText(cell),
      estimate,
      standard_error: standardError,
      coverage: partial ? 'part' : 'full',
    },
  }));

export const foundRecords = (found: readonly FoundCell[]): ExportRow[] =>
  found.map(({ ring, figures }) => ({ ring, properties: figures }));

/** One deprivation fifth of a forecast in words: no forecast is without. */
export const fairnessText = (line: FairnessLine): string =>
  `Deprivation fifth ${line.quintile}: ${line.patrolShare} of chosen, ${line.populationShare} of residents; hit a month ${line.hits}, missed ${line.misses}, of these by noise ${line.missesByNoise}`;

/** What was asked, paid and published, and where the view can be seen again. */
export function provenanceOf(
  { title, when, unit, note, facts, fairness, record }: LegendModel,
  releases: readonly Release[],
  result: string | undefined,
  address: string,
  attribution: string,
): Provenance {
  return {
    title,
    when,
    unit,
    ...(note && { note }),
    ...(result && { result }),
    ...(record.length > 0 && { record }),
    ...(fairness && { fairness: fairness.map(fairnessText) }),
    ...releaseProvenance(releases),
    missing_agencies: facts.find(([term]) => term === 'Missing agencies')?.[1] ?? '',
    absent_cells: 'A cell that is not listed has no count or no finding: missing is not zero.',
    address,
    attribution,
  };
}

function releaseProvenance(releases: readonly Release[]): Provenance {
  const [first] = releases;
  return {
    releases: releases.map(({ id }) => id),
    queries: releases.map(({ fingerprint }) => fingerprint),
    questions: releases.map(({ sentence }) => sentence),
    ...(first && {
      epsilon_per_release: String(first.privacy.epsilon),
      delta: String(first.privacy.delta),
      rho: first.privacy.rho,
      privacy_unit: first.privacy.unit,
      grid: first.grid,
      grid_hash: first.gridHash,
    }),
  };
}

/** The same of a report: its method and what its uncertainty means stand with it. */
export function reportProvenance(
  document: LayerDocument,
  releases: readonly Release[],
  address: string,
  attribution: string,
): Provenance {
  const used = releases.filter(({ id }) => document.releases.includes(id));
  return {
    question: document.question,
    method: `${document.method}, version ${document.methodVersion}`,
    parameters: JSON.stringify(document.parameters),
    result: document.key,
    uncertainty: document.uncertainty,
    limitations: document.limitations,
    citation: document.citation,
    summary: JSON.stringify(document.summary),
    listed: document.listed,
    ...releaseProvenance(used),
    missing_agencies: [...new Set(used.flatMap(missingAgencies).map(({ name }) => name))],
    address,
    attribution,
  };
}

const field = (value: string | number | null): string => {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** RFC 4180 after comment lines that start with `#` (W3C, "Metadata Vocabulary for Tabular Data", section 5.9, commentPrefix). */
export function csvText(
  rows: readonly Figures[],
  provenance: Provenance,
  columns: readonly string[] = Object.keys(rows[0] ?? { cell: null }),
): string {
  const lines = Object.entries(provenance).flatMap(([name, value]) =>
    [value].flat().map((text) => `# ${name}: ${text.replaceAll(/[\r\n]+/g, ' ')}`),
  );
  lines.push(columns.join());
  for (const row of rows) {
    lines.push(columns.map((name) => field(row[name] ?? null)).join());
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** RFC 7946; the provenance is a foreign member (section 6.1). Figures are numbers where they are numbers. */
export function geoJsonText(rows: readonly ExportRow[], provenance: Provenance): string {
  const plain = (value: string | number | null): string | number | null =>
    typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return `${JSON.stringify({
    type: 'FeatureCollection',
    provenance,
    features: rows.map(({ ring, properties }) => ({
      type: 'Feature',
      id: properties.cell,
      geometry: { type: 'Polygon', coordinates: [ring] },
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [
          name,
          name === 'cell' ? value : plain(value),
        ]),
      ),
    })),
  })}\n`;
}
