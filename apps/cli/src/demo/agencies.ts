/** Who takes part in the demo: the sample agencies, or every sub-folder of a folder of police.uk downloads. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConcordatError } from '#libs/bytes';
import { type Area, type Areas, type Domain, findArea, parseAreas, unionDomains } from '#libs/grid';
import {
  declaredCategories,
  matchesFiles,
  parseAgency,
  parseMapping,
  parseTaxonomy,
} from '#libs/harmonise';
import { CATEGORIES, type Category } from '#libs/query';
import { ROOT } from './root.js';

export interface DemoAgency {
  readonly id: string;
  readonly name: string;
  readonly kind: 'police' | 'council';
  readonly domain: Domain;
  readonly mapping: string;
  /** What it records at all; told to the federation. */
  readonly categories: readonly Category[];
  readonly files: readonly string[];
  /** Policy document to start from; generated when there is none. */
  readonly policy: string | undefined;
}

const RECORD_FILE = /\.(csv|csv\.gz)$/i;
/** data.police.uk puts these beside street files; they are other data sets. */
const OTHER_DATA = /-(outcomes|stop-and-search)\.csv(\.gz)?$/i;
const STREET_FILE = /^\d{4}-\d{2}-(.+)-street\.csv(?:\.gz)?$/i;
const MONTH_FOLDER = /^\d{4}-\d{2}$/;
const AGENCY_ID = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

/** The areas of the bundled grid. */
export const loadAreas = (): Areas =>
  parseAreas(gunzipSync(readFileSync(join(ROOT, 'samples/grid/areas.json.gz'))).toString('utf8'));

const titleCase = (slug: string): string =>
  slug.replace(
    /(^|-)([a-z])/g,
    (_, dash: string, letter: string) => (dash ? ' ' : '') + letter.toUpperCase(),
  );

const domainOf = (areas: readonly Area[], name: string): Domain =>
  areas.length === 1 && areas[0]
    ? areas[0].domain()
    : unionDomains(
        name,
        areas.map((area) => area.domain()),
      );

/** The agencies under `samples/agencies`, each described by its agency.yaml. */
export function sampleAgencies(areas: Areas): DemoAgency[] {
  const folder = join(ROOT, 'samples/agencies');
  const taxonomy = parseTaxonomy(
    readFileSync(join(ROOT, 'policies/taxonomy/common-v1.yaml'), 'utf8'),
  );
  return readdirSync(folder)
    .sort()
    .map((name): DemoAgency => {
      const agency = parseAgency(readFileSync(join(folder, name, 'agency.yaml'), 'utf8'));
      const dataset = agency.datasets[0];
      if (!dataset) throw new ConcordatError('bad-agency', `${name} has no dataset`);
      const mapping = parseMapping(
        readFileSync(join(ROOT, 'policies/mappings', `${dataset.mapping}.yaml`), 'utf8'),
      );
      const keys = 'force' in agency.area ? [agency.area.force] : agency.area.authorities;
      const kind = 'force' in agency.area ? 'force' : 'authority';
      return {
        id: agency.agency,
        name: agency.name,
        kind: agency.kind,
        domain: domainOf(
          keys.map((key) => findArea(areas, kind, key)),
          agency.agency,
        ),
        mapping: dataset.mapping,
        categories: (dataset.categories ?? declaredCategories(mapping, taxonomy)) as Category[],
        files: readdirSync(join(folder, name))
          .filter((file) => matchesFiles(dataset.files, file))
          .sort()
          .map((file) => join(folder, name, file)),
        policy: join(ROOT, 'policies/agencies', `${agency.agency}.yaml`),
      };
    });
}

const recordFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return recordFiles(path);
      return RECORD_FILE.test(entry.name) && !OTHER_DATA.test(entry.name) ? [path] : [];
    });

const fileName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** Force slug in a street file's name, such as `2024-01-city-of-london-street.csv`. */
const slugIn = (path: string): string | undefined =>
  STREET_FILE.exec(fileName(path))?.[1]?.toLowerCase();

/** First complete value of the "Falls within" column, for files that were renamed; undefined when there is none. */
function fallsWithin(path: string): string | undefined {
  let text: string;
  try {
    const bytes = readFileSync(path);
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
    text = plain.subarray(0, 64 * 1024).toString('utf8');
  } catch {
    return undefined;
  }
  const [header = '', first = ''] = text.split(/\r?\n/, 2);
  const column = header
    .split(',')
    .findIndex((name) => name.trim().toLowerCase() === 'falls within');
  return column < 0 ? undefined : first.split(',')[column];
}

/** The force areas that a folder's files speak of; `agency-area-unknown` when none of them names a force of England and Wales. */
function areasOf(id: string, files: readonly string[], areas: Areas): Area[] {
  const forces = areas.all.filter(({ kind }) => kind === 'force');
  const bySlug = new Set(files.map(slugIn));
  const named = forces.filter(({ slug }) => bySlug.has(slug));
  if (named.length > 0) return named;
  const spoken = new Set(files.slice(0, 3).map((file) => fallsWithin(file)?.toLowerCase() ?? ''));
  const found = forces.filter(({ name, slug }) =>
    [...spoken].some(
      (text) => text.includes(name.toLowerCase()) || text.replaceAll(' ', '-').includes(slug),
    ),
  );
  if (found.length > 0) return found;
  const own = forces.filter(({ slug }) => id === slug || id.startsWith(`${slug}-`));
  if (own.length > 0) return own;
  throw new ConcordatError(
    'agency-area-unknown',
    `${id}: cannot tell which police force area its files are of; name them like 2024-01-FORCE-street.csv, with FORCE as on data.police.uk`,
  );
}

/**
 * Every sub-folder of `dir` as an agency with police.uk street files. An unpacked download from data.police.uk, whose sub-folders are months,
 * is taken force by force. Throws `data-missing`, `agency-name-invalid`, `agency-area-unknown`.
 */
export function agenciesIn(dir: string, areas: Areas): DemoAgency[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new ConcordatError(
      'data-missing',
      `${dir} is not a folder; give one with a sub-folder of police.uk CSV files for each agency`,
    );
  }
  const folders = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
  const byAgency = new Map<string, string[]>();
  if (folders.length > 0 && folders.every((name) => MONTH_FOLDER.test(name))) {
    for (const file of recordFiles(dir)) {
      const slug = slugIn(file);
      if (slug) byAgency.set(slug, [...(byAgency.get(slug) ?? []), file]);
    }
  } else {
    for (const name of folders) byAgency.set(name, recordFiles(join(dir, name)));
  }
  if (byAgency.size === 0) {
    throw new ConcordatError(
      'data-missing',
      `${dir} has no sub-folder; give each agency one, with its police.uk CSV files`,
    );
  }
  return [...byAgency].map(([id, files]): DemoAgency => {
    if (!AGENCY_ID.test(id)) {
      throw new ConcordatError(
        'agency-name-invalid',
        'name agency folders with lower-case letters, digits and hyphens',
      );
    }
    if (files.length === 0) {
      throw new ConcordatError('data-missing', `${id}: its folder has no .csv or .csv.gz file`);
    }
    return {
      id,
      name: titleCase(id),
      kind: 'police',
      domain: domainOf(areasOf(id, files, areas), id),
      mapping: 'police-uk-street',
      categories: CATEGORIES,
      files,
      policy: undefined,
    };
  });
}
