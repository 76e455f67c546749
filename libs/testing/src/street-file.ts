/** Synthetic police.uk street files: what a test puts into an agency's records. */
import { cellCentre } from '#libs/grid';

export const STREET_COLUMNS = [
  'Crime ID',
  'Month',
  'Reported by',
  'Falls within',
  'Longitude',
  'Latitude',
  'Location',
  'LSOA code',
  'LSOA name',
  'Crime type',
  'Last outcome category',
  'Context',
] as const;
type StreetColumn = (typeof STREET_COLUMNS)[number];

export interface StreetRow {
  /** `YYYY-MM` */
  readonly month: string;
  /** As police.uk names it, such as "Robbery". */
  readonly type: string;
  /** Resolution-9 cell whose centre is the place; no place when left out. */
  readonly cell?: bigint;
  /** Other columns, and what stands in them instead of the above. */
  readonly fields?: Readonly<Partial<Record<StreetColumn, string>>>;
}

/** Text of a street file with these rows. Fields must not hold commas or quotation marks. */
export function streetFile(rows: readonly StreetRow[]): string {
  const lines = rows.map(({ month, type, cell, fields }) => {
    const place = cell === undefined ? undefined : cellCentre(cell);
    const row: Partial<Record<StreetColumn, string>> = {
      Month: month,
      'Falls within': 'Test Police',
      Longitude: place?.longitude.toFixed(6) ?? '',
      Latitude: place?.latitude.toFixed(6) ?? '',
      'Crime type': type,
      ...fields,
    };
    return STREET_COLUMNS.map((column) => row[column] ?? '').join();
  });
  return `${[STREET_COLUMNS.join(), ...lines].join('\n')}\n`;
}
