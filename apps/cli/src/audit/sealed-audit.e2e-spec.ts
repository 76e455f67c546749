/** The audit of folders after a sealed round: whole they pass, and what the auditor said about the masks cannot be left out. */
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { AUDITOR, COORDINATOR, Federation, streetFile } from '#libs/testing';
import { auditFolder } from './audit-folder.js';

const AGENCIES = ['alpha-police', 'beta-police', 'gamma-council'];
const centre = cellAt(51.4545, -2.5879, 9);

let federation: Federation;
let unmasked = '';
beforeAll(async () => {
  federation = await Federation.open({
    agencies: AGENCIES.map((id, i) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(centre, i + 1)),
      files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: centre }]) },
    })),
  });
  const { header } = await federation.ask({ categories: ['robbery'], periods: ['2024-01'] });
  unmasked = header?.sealed?.unmasked ?? '';
  for (const id of [...AGENCIES, AUDITOR, COORDINATOR]) await federation.stop(id);
});
afterAll(() => federation?.close());

it.each([...AGENCIES, AUDITOR, COORDINATOR])('passes the folder of %s', async (process) => {
  expect((await auditFolder(federation.folder(process))).faults).toEqual([]);
});

it("misses the auditor's word when it is gone", async () => {
  const path = federation.filesOf(COORDINATOR).find((file) => file.endsWith(`/${unmasked}`)) ?? '';
  expect(readFileSync(path).length).toBeGreaterThan(0);
  rmSync(path);
  const { faults } = await auditFolder(federation.folder(COORDINATOR));
  expect(faults.map(({ kind }) => kind)).toEqual(['blob-missing']);
});
