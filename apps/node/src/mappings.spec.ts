import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadConfig, nodePaths } from './config.js';
import { initNode } from './init.js';
import { loadMappings } from './mappings.js';

const OWN = `
mapping: our-export
title: What our system writes
format: { delimiter: semicolon, encoding: latin1 }
category: { column: Kind }
time: { column: When, formats: [DD/MM/YYYY] }
location: { longitude: Long, latitude: Lat }
`;

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'concordat-mappings-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(work, name), text);
  return join(work, name);
};
const init = (dir: string, mapping: { readonly name?: string; readonly file?: string }) =>
  initNode(
    dir,
    {
      version: 1,
      agency: 'bristol-council',
      dataset: { name: 'incidents', mapping: mapping.name ?? 'auto' },
      listen: { host: '127.0.0.1', port: 0 },
    },
    {
      policy: 'policies/agencies/bristol-council.yaml',
      federationPolicy: 'policies/federation.yaml',
      domain: { bytes: new Uint8Array() },
      ...(mapping.file === undefined ? {} : { mapping: mapping.file }),
    },
  );

it('a node keeps a mapping of its own, under the name that it gives itself', async () => {
  const dir = join(work, 'own');
  await init(dir, { file: file('any-name.yaml', OWN) });
  const { dataset } = loadConfig(dir);
  expect(dataset.mapping).toBe('our-export');
  const { mappings } = nodePaths(dir);
  expect(readFileSync(join(mappings, 'our-export.yaml'), 'utf8')).toBe(OWN);
  expect(loadMappings(dataset.mapping, mappings)).toMatchObject({
    title: 'What our system writes',
  });
});

it("a node's own mapping goes before the bundled one of its name, and is tried by auto if it recognises files", async () => {
  const dir = join(work, 'first');
  const text = OWN.replace('our-export', 'bristol-asb').concat('recognise: [Kind, When]\n');
  await init(dir, { file: file('same-name.yaml', text) });
  const { mappings } = nodePaths(dir);
  expect(loadMappings('bristol-asb', mappings)).toMatchObject({ title: 'What our system writes' });
  const [tried] = [loadMappings('auto', mappings)].flat();
  expect(tried).toMatchObject({ mapping: 'bristol-asb' });
});

it.each([
  ['unknown-mapping', /no mapping "elsewhere".*police-uk-street.*auto/, { name: 'elsewhere' }],
  ['bad-mapping', /broken\.yaml: /, { file: 'broken.yaml' }],
])('init says %s before it makes anything', async (code, message, mapping) => {
  const dir = join(work, 'never');
  file('broken.yaml', OWN.replace('delimiter', 'separator'));
  const given = 'file' in mapping ? { file: join(work, mapping.file) } : mapping;
  await expect(init(dir, given)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(existsSync(dir)).toBe(false);
});
