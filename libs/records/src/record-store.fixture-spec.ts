/** A record store in a folder of its own, for each test anew. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { cellAt, domainFromCells, widen } from '#libs/grid';
import { type Mapping, parseMapping, parseTaxonomy } from '#libs/harmonise';
import type { CountRequest } from './count.js';
import type { IngestReport, IngestRequest } from './ingest.js';
import { openRecords, type Records } from './records.js';

export const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
export const readMapping = (name: string): Mapping =>
  parseMapping(readFileSync(`policies/mappings/${name}.yaml`, 'utf8'));
export const street = readMapping('police-uk-street');
export const here = cellAt(51.45, -2.59, 9);
export const domain = domainFromCells('test', widen(BigUint64Array.of(here), 2));
export const nowMs = Date.UTC(2025, 0, 10);
export const secret = new Uint8Array(32).fill(7);

export const HEADER = 'Crime ID,Month,Falls within,Longitude,Latitude,Crime type';
export const row = (
  id: string,
  { month = '2024-03', type = 'Drugs', lat = '51.45' } = {},
): string => `${id},${month},Force,-2.59,${lat},${type}`;
export const csv = (...rows: string[]): string => `${[HEADER, ...rows].join('\n')}\n`;

/** Opens a store before each test of the file, closes and removes it afterwards. */
export class StoreOfEachTest {
  dir = '';
  records!: Records;

  constructor() {
    beforeEach(async () => {
      this.dir = mkdtempSync(join(tmpdir(), 'concordat-records-'));
      await this.open();
    });
    afterEach(async () => {
      await this.records.close();
      rmSync(this.dir, { recursive: true });
    });
  }

  /** Opens what was closed again. */
  async open(): Promise<void> {
    this.records = await openRecords({ dir: join(this.dir, 'store'), secret });
  }

  readonly put = (name: string, bytes: string | Uint8Array): { readonly path: string } => {
    const path = join(this.dir, name);
    writeFileSync(path, bytes);
    return { path };
  };

  readonly ingest = (
    files: IngestRequest['files'],
    options: Partial<IngestRequest> = {},
  ): Promise<IngestReport> =>
    this.records.ingestFiles({
      dataset: 'incidents',
      files,
      mapping: street,
      taxonomy,
      domain,
      nowMs,
      ...options,
    });

  /** Drugs in March 2024 in one cell, unless asked for something else. */
  readonly count = async (request: Partial<CountRequest> = {}): Promise<number[]> =>
    Array.from(
      await this.records.count({
        dataset: 'incidents',
        groups: [{ category: 'drugs', period: '2024-03' }],
        leaves: BigUint64Array.of(here),
        resolution: 9,
        ...request,
      }),
    );
}
