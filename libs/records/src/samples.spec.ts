import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { findArea, parseAreas, unionDomains } from '#libs/grid';
import { matchesFiles, parseAgency, parseMapping, parseTaxonomy } from '#libs/harmonise';
import { openRecords } from './records.js';

const areas = parseAreas(gunzipSync(readFileSync('samples/grid/areas.json.gz')).toString('utf8'));
const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));

// Counted from the files by other means (awk and Python's csv), not by this library.
it.each([
  ['avon-and-somerset-police', { rows: 156314, noLocation: 10026, duplicates: 656 }],
  ['bristol-council', { rows: 8976, noLocation: 0, duplicates: 0 }],
  ['city-of-london-police', { rows: 9992, noLocation: 914, duplicates: 208 }],
  ['lancashire-council', { rows: 56434, noLocation: 0, duplicates: 0 }],
  ['somerset-council', { rows: 6257, noLocation: 0, duplicates: 0 }],
])('the sample of %s is read whole', async (id, counted) => {
  const folder = join('samples/agencies', id);
  const agency = parseAgency(readFileSync(join(folder, 'agency.yaml'), 'utf8'));
  const domain =
    'force' in agency.area
      ? findArea(areas, 'force', agency.area.force).domain()
      : unionDomains(
          'authorities',
          agency.area.authorities.map((code) => findArea(areas, 'authority', code).domain()),
        );
  const dir = mkdtempSync(join(tmpdir(), 'concordat-samples-'));
  const records = await openRecords({ dir, secret: new Uint8Array(32) });
  try {
    for (const { name, mapping, categories, files } of agency.datasets) {
      const { totals } = await records.ingestFiles({
        dataset: name,
        files: readdirSync(folder)
          .filter((file) => matchesFiles(files, file))
          .map((file) => ({ path: join(folder, file) })),
        mapping: parseMapping(readFileSync(`policies/mappings/${mapping}.yaml`, 'utf8')),
        taxonomy,
        categories,
        domain,
        nowMs: Date.UTC(2026, 0, 1),
      });
      expect(totals).toMatchObject({ ...counted, rejected: {} });
      expect(totals.located + totals.noLocation + totals.duplicates).toBe(totals.rows);
      expect(totals.outside).toBeLessThan(0.01 * totals.rows);
      expect((await records.version(name)).months).toHaveLength(12);
    }
  } finally {
    await records.close();
    rmSync(dir, { recursive: true });
  }
});
