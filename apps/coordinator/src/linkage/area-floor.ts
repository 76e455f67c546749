import { join } from 'node:path';
import { loadResidents, type Residents, residentsOfArea } from '#libs/linkage-party';
import { packageRoot } from '#libs/nest-kit';
import type { Query } from '#libs/query';

const TABLE = join(packageRoot(import.meta.url), 'samples', 'population', 'residents-res7.csv.gz');

let table: Residents | undefined;

/** Residents of the cell that a linked count is asked of, undefined for other areas and questions. Throws `area-below-floor`, `area-not-covered`. */
export function residentsAsked({ linkage }: Query): number | undefined {
  if (!linkage || linkage.area === 'total') return undefined;
  table ??= loadResidents(TABLE);
  return residentsOfArea(table, linkage.area);
}
