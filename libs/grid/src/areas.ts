/**
 * Public domains of police forces and local authorities, from one shipped file (`samples/grid/areas.json.gz`, made by
 * `tools/make-grid.ts`). An area's domain is the cells with their centre in its boundary, widened by three rings and cut
 * to the national domain: published points are snapped and the boundaries are generalised.
 */
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import { type Domain, parseDomainFile } from './domain.js';

const AREA_KINDS = ['force', 'authority'] as const;
export type AreaKind = (typeof AREA_KINDS)[number];

const AreaRecord = z.strictObject({
  kind: z.enum(AREA_KINDS),
  slug: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  name: z.string().min(1),
  /** Code of the Office for National Statistics; forces have none here. */
  code: z.string().optional(),
  /** Slug of the police force that an authority lies in. */
  force: z.string().optional(),
  cellCount: z.int().positive(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Compacted cells. */
  cells: z.array(z.string()),
});

const AreasFile = z.strictObject({
  grid: z.string(),
  gridHash: z.string().regex(/^[0-9a-f]{64}$/),
  areas: z.array(AreaRecord),
});
export type AreasFile = z.infer<typeof AreasFile>;

export interface Area {
  readonly kind: AreaKind;
  readonly slug: string;
  readonly name: string;
  readonly code: string | undefined;
  readonly force: string | undefined;
  readonly cellCount: number;
  readonly hash: string;
  /** Opens the compacted cells (each call anew) and checks them against `hash`; throws `corrupt-area`. */
  domain(): Domain;
}

/** Areas of one national grid, which `gridHash` pins. */
export interface Areas {
  readonly grid: string;
  readonly gridHash: string;
  readonly all: readonly Area[];
}

/** Name of an area's domain, such as `ew-2026-1/force/avon-and-somerset`. */
export const areaDomainName = (grid: string, kind: AreaKind, slug: string): string =>
  `${grid}/${kind}/${slug}`;

/** Areas from the text of the areas file; throws `malformed-areas`. Domains are opened only when asked for. */
export function parseAreas(text: string): Areas {
  const { grid, gridHash, areas } = readFile(text);
  const all = areas.map(({ cells, ...area }): Area => {
    const open = (): Domain => {
      const domain = parseDomainFile(areaDomainName(grid, area.kind, area.slug), cells.join('\n'));
      if (domain.hash === area.hash && domain.cells.length === area.cellCount) return domain;
      throw new ConcordatError('corrupt-area', `the cells of ${area.slug} do not match their hash`);
    };
    return { ...area, code: area.code, force: area.force, domain: open };
  });
  return { grid, gridHash, all };
}

function readFile(text: string): AreasFile {
  try {
    return AreasFile.parse(JSON.parse(text));
  } catch {
    throw new ConcordatError(
      'malformed-areas',
      'not an areas file: make it with tools/make-grid.ts',
    );
  }
}

/** Area by slug, name (any case) or code; throws `unknown-area`. Wiltshire, Dorset and City of London are both kinds. */
export function findArea(areas: Areas, kind: AreaKind, key: string): Area {
  const wanted = key.toLowerCase();
  const found = areas.all.find(
    (area) =>
      area.kind === kind &&
      (area.slug === wanted ||
        area.name.toLowerCase() === wanted ||
        area.code?.toLowerCase() === wanted),
  );
  if (!found) throw new ConcordatError('unknown-area', `no ${kind} of that slug, name or code`);
  return found;
}
