import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isConcordatError } from '#libs/bytes';
import { CATEGORIES } from '#libs/query';
import {
  decide,
  explainPolicy,
  floorFaults,
  lintPolicy,
  parseFederation,
  parsePolicy,
  policySchema,
  policyTable,
  requestOf,
  runCases,
} from './index.js';

const root = new URL('../../../policies/', import.meta.url);
const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const federation = parseFederation(readText('federation.yaml'));
const agencies = readdirSync(new URL('agencies/', root)).sort();
const testdata = readdirSync(new URL('testdata/', root)).sort();

describe('the shipped policies', () => {
  it('cover the sample agencies', () => {
    expect(agencies).toEqual([
      'avon-and-somerset-police.yaml',
      'bristol-council.yaml',
      'city-of-london-police.yaml',
      'lancashire-council.yaml',
      'somerset-council.yaml',
    ]);
  });

  it.each(agencies)('%s proves itself', (file) => {
    const agency = parsePolicy(readText(`agencies/${file}`));
    expect(file).toBe(`${agency.agency}.yaml`);
    expect(runCases({ federation, agency }).filter(({ ok }) => !ok)).toEqual([]);
    expect(lintPolicy(agency)).toEqual([]);
    expect(floorFaults({ federation, agency })).toEqual([]);
  });

  it.each(agencies)('%s permits the national question over every category', (file) => {
    const agency = parsePolicy(readText(`agencies/${file}`));
    const months = ['07', '08', '09', '10', '11', '12'].map((month) => `2023-${month}`);
    const later = ['01', '02', '03', '04', '05', '06'].map((month) => `2024-${month}`);
    for (const periods of [['2023-07/2024-06'], [...months, ...later]]) {
      const request = requestOf(agency, { query: { categories: CATEGORIES, periods } });
      for (const now of ['2024-09-02T09:00:00Z', '2026-11-21T22:00:00Z', '2034-12-31T23:59:59Z']) {
        expect(decide({ policies: { federation, agency }, ...request, now })).toEqual({
          decision: 'permit',
          grant: 'hotspot-policing',
        });
      }
    }
  });

  it('have the committed JSON schema', () => {
    expect(JSON.parse(readText('schema.json'))).toEqual(JSON.parse(JSON.stringify(policySchema())));
  });

  it('explain every grant in one sentence and one column', () => {
    const agency = parsePolicy(readText('agencies/avon-and-somerset-police.yaml'));
    const [first, second] = explainPolicy(agency);
    expect(first).toMatch(
      /^Under "hotspot-policing", from 2024-01-01 to 2034-12-31, analysts with/,
    );
    expect(first).toContain('answered without asking a person');
    expect(second).toContain('held up to 72 hours until two different people agree');
    for (const row of policyTable(agency)) expect(row).toHaveLength(1 + agency.grants.length);
  });
});

describe('testdata', () => {
  /** The fault a busted document is named for: a parse code, a floor place, a lint place or a failing case. */
  const faultOf = (text: string): string => {
    try {
      const agency = parsePolicy(text);
      const [floor] = floorFaults({ federation, agency });
      if (floor) return `floor ${floor.at}`;
      const failed = runCases({ federation, agency }).find(({ ok }) => !ok);
      if (failed) return `case ${failed.name}`;
      const [lint] = lintPolicy(agency);
      return lint ? `lint ${lint.at}` : 'none';
    } catch (error) {
      if (!isConcordatError(error)) throw error;
      return error.code;
    }
  };

  it.each(testdata)('%s does what its name and first line say', (file) => {
    const text = readText(`testdata/${file}`);
    const expected = /^# fault: (.+)$/m.exec(text)?.[1];
    expect(file).toMatch(/^(?:working|busted)_[a-z0-9-]+\.yaml$/);
    expect(file.startsWith('working_')).toBe(expected === undefined);
    expect(faultOf(text)).toBe(expected ?? 'none');
  });

  it('has a document for every code of parsing', () => {
    const codes = testdata.map(
      (file) => /^# fault: (\S+)/m.exec(readText(`testdata/${file}`))?.[1],
    );
    expect(codes).toEqual(
      expect.arrayContaining([
        'duplicate-key',
        'forbidden-key',
        'document-alias',
        'document-tag',
        'document-not-nfc',
        'malformed-document',
        'unknown-field',
        'bad-policy',
        'floor',
        'case',
        'lint',
      ]),
    );
  });
});
