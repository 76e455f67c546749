import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CATEGORIES } from '#libs/query';
import { matchesFiles, parseAgency } from './agency.js';
import { parseMapping, recognise } from './mapping.js';
import { declaredCategories } from './row.js';
import { parseTaxonomy } from './taxonomy.js';

const yaml = (folder: string) =>
  readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
const taxonomy = parseTaxonomy(readFileSync('policies/taxonomy/common-v1.yaml', 'utf8'));
const mappings = yaml('policies/mappings').map(parseMapping);
const withCode = (code: string) => expect.objectContaining({ code });

describe('the documents we ship', () => {
  it('have the fourteen common categories', () => {
    expect([...taxonomy.categories].sort()).toEqual([...CATEGORIES].sort());
  });

  it.each([
    'Violence and sexual offences',
    'Anti-social behaviour',
    'Public order',
    'Shoplifting',
    'Criminal damage and arson',
    'Other theft',
    'Vehicle crime',
    'Burglary',
    'Other crime',
    'Drugs',
    'Theft from the person',
    'Robbery',
    'Bicycle theft',
    'Possession of weapons',
    'Violent crime',
    'Public disorder and weapons',
  ])('know the police.uk crime type %p', (label) => {
    expect(taxonomy.labels.has(label.toLowerCase().replace('-', ' '))).toBe(true);
  });

  it('describe agencies whose mappings exist and whose files are there', () => {
    for (const id of readdirSync('samples/agencies')) {
      const folder = join('samples/agencies', id);
      const agency = parseAgency(readFileSync(join(folder, 'agency.yaml'), 'utf8'));
      expect(agency.agency).toBe(id);
      for (const { mapping: name, files, categories } of agency.datasets) {
        const mapping = mappings.find(({ mapping }) => mapping === name);
        if (!mapping) throw new Error(`${id}: no mapping ${name}`);
        expect(declaredCategories(mapping, taxonomy, categories).length).toBeGreaterThan(0);
        const data = readdirSync(folder).filter((file) => file !== 'agency.yaml');
        expect(data.filter((file) => matchesFiles(files, file))).toEqual(data);
      }
    }
  });

  it('recognise police.uk street files and nothing else', () => {
    const street =
      'Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context';
    expect(recognise(street.split(','), mappings)?.mapping).toBe('police-uk-street');
    expect(recognise(['Month', 'Longitude', 'Latitude'], mappings)).toBeUndefined();
  });
});

describe('documents are refused', () => {
  const category = '{ id: a, title: A, labels: [x] }';
  it.each([
    ['not YAML', 'taxonomy: [', 'bad-taxonomy'],
    ['an unknown key', `taxonomy: t\nrules: 1\ncategories: [${category}]`, 'bad-taxonomy'],
    ['a category twice', `taxonomy: t\ncategories: [${category}, ${category}]`, 'bad-taxonomy'],
    [
      'a label of two categories',
      `taxonomy: t\ncategories: [${category}, { id: b, title: B, labels: [X] }]`,
      'bad-taxonomy',
    ],
    ['a hundred thousand levels', '{a: '.repeat(100_000), 'bad-taxonomy'],
    ['aliases', `taxonomy: t\ncategories: [&a ${category}, *a]`, 'bad-taxonomy'],
  ])('taxonomy: %s', (_, text, code) => {
    expect(() => parseTaxonomy(text)).toThrow(withCode(code));
  });

  const mapping = (changes: Record<string, unknown>) =>
    JSON.stringify({
      mapping: 'm',
      title: 'M',
      format: { delimiter: 'comma' },
      category: { constant: 'asb' },
      time: { column: 'When', formats: ['YYYY-MM'] },
      location: { longitude: 'Lon', latitude: 'Lat' },
      ...changes,
    });
  it.each([
    ['an unknown key', { script: 'x' }],
    ['an unknown delimiter', { format: { delimiter: 'space' } }],
    ['a format without a month', { time: { column: 'When', formats: ['YYYY'] } }],
    ['a month in two forms', { time: { column: 'When', formats: ['M/MM/YYYY'] } }],
    ['digits that may run together', { time: { column: 'When', formats: ['DMYYYY'] } }],
    ['a format with other letters', { time: { column: 'When', formats: ['YYYY-MM-DDZ'] } }],
    ['one column for two purposes', { location: { longitude: 'Lon', latitude: 'lon ' } }],
    ['categories beside a constant', { categories: ['asb'] }],
    ['both kinds of category', { category: { column: 'x', constant: 'asb' } }],
  ])('mapping: %s', (_, changes) => {
    expect(() => parseMapping(mapping({}))).not.toThrow();
    expect(() => parseMapping(mapping(changes))).toThrow(withCode('bad-mapping'));
  });

  it.each([
    ['an unknown key', 'secret: x'],
    ['a path in files', 'datasets: [{ name: d, mapping: m, files: ../x.csv }]'],
  ])('agency: %s', (_, line) => {
    const text = 'agency: a\nname: A\nkind: council\narea: { authorities: [E06000023] }\n';
    const datasets = 'datasets: [{ name: d, mapping: m, files: "*.csv" }]\n';
    expect(() => parseAgency(text + datasets)).not.toThrow();
    const bad = line.startsWith('datasets') ? text + line : text + datasets + line;
    expect(() => parseAgency(bad)).toThrow(withCode('bad-agency'));
  });
});
