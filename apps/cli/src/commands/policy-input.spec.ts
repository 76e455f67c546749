/** Everything a policy command may be handed by mistake or on purpose gets a code, whichever file it stands in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { isConcordatError } from '#libs/bytes';
import { createProgram } from '../program.js';

const POLICY = fileURLToPath(
  new URL('../../../../policies/agencies/bristol-council.yaml', import.meta.url),
);
const AT = '2026-05-01T09:00:00Z';
const QUERY = {
  version: 1,
  measure: 'incidents',
  categories: ['asb'],
  periods: ['2023-07/2024-06'],
  resolution: 9,
  grid: 'ew-2026-1',
  gridHash: '0'.repeat(64),
  rho: '1/8',
  purpose: 'hotspot-policing',
};
const folder = mkdtempSync(join(tmpdir(), 'concordat-policy-input-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: unknown): string {
  const path = join(folder, `${files++}.yaml`);
  const isRaw = typeof content === 'string' || content instanceof Uint8Array;
  writeFileSync(path, isRaw ? content : JSON.stringify(content));
  return path;
}

interface Reply {
  readonly code: string | undefined;
  readonly exitCode: number;
  readonly document: Record<string, unknown> | undefined;
}

/** Runs `concordat policy ... --json`; what is thrown must be an error with a code, as `main.ts` prints it. */
async function concordat(...args: string[]): Promise<Reply> {
  let text = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((part) => {
    text += String(part);
    return true;
  });
  process.exitCode = undefined;
  try {
    await createProgram().parseAsync(['node', 'concordat', 'policy', ...args, '--json']);
    const document = JSON.parse(text);
    return { code: document.code, exitCode: Number(process.exitCode ?? 0), document };
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    return { code: error.code, exitCode: 1, document: undefined };
  } finally {
    process.exitCode = undefined;
    write.mockRestore();
  }
}

const decide = (query: unknown, more: Readonly<Record<string, string>> = {}): Promise<Reply> => {
  const options = { policy: POLICY, at: AT, ...more, query: file(query) };
  return concordat(
    'decide',
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  );
};
const asked = (change: object): object => ({ ...QUERY, ...change });
/** The query as text with one member spelled as JSON.stringify never would. */
const spelled = (member: string, text: string): string =>
  JSON.stringify(asked({ [member]: '@@' })).replace('"@@"', text);

it('permits the question that all of these are variations of', async () => {
  expect(await decide(QUERY)).toMatchObject({
    exitCode: 0,
    document: { decision: 'permit', grant: 'hotspot-policing', code: null },
  });
});

describe('policy decide refuses with a code and exit code 1', () => {
  it.each<[string, unknown]>([
    ...Object.keys(QUERY).map((name): [string, unknown] => [
      'missing-field',
      asked({ [name]: undefined }),
    ]),
    ['bad-rho', asked({ rho: null })],
    ...[
      '.nan',
      'NaN',
      '.inf',
      'Infinity',
      '-.inf',
      '1e-320',
      '-0',
      '0.125',
      '9007199254740992',
      '9223372036854775808',
      '["1/8"]',
      '{"num":1,"den":8}',
      'true',
      '""',
      '" 1/8"',
      '"1/8 "',
      '"2/16"',
      '"1/0"',
      '"0x1"',
      '"1e-3"',
      '"1/9007199254740992"',
      '"9223372036854775808"',
    ].map((text): [string, string] => ['bad-rho', spelled('rho', text)]),
    ['rho-not-positive', asked({ rho: '0' })],
    ['rho-not-positive', asked({ rho: '-1/8' })],
    ['bad-rho', asked({ rho: '-0' })],
    ...[
      '.nan',
      '.inf',
      '-0',
      '9.5',
      '1e-320',
      '9007199254740992',
      '9223372036854775808',
      'null',
      '[9]',
      '"9"',
      '3',
      '10',
    ].map((text): [string, string] => ['bad-resolution', spelled('resolution', text)]),
    ...[
      'hotspot-policing ',
      ' hotspot-policing',
      'hotsp\u043et-policing',
      'Hotspot-Policing',
      'hotspot_policing',
      'hotspot\u2011policing',
      'hotspot-policing\u200b',
      '',
      'caf\u00e9',
    ].map((purpose): [string, object] => ['bad-purpose', asked({ purpose })]),
    ['document-not-nfc', asked({ purpose: 'hotspot-poli\u0301cing' })],
    ['bad-purpose', asked({ purpose: ['hotspot-policing'] })],
    ['bad-measure', asked({ measure: ['incidents'] })],
    ['bad-categories', asked({ categories: 'asb' })],
    ['bad-categories', asked({ categories: [] })],
    ['unknown-category', asked({ categories: ['asb '] })],
    ['unknown-category', asked({ categories: [null] })],
    ['bad-periods', asked({ periods: '2024-01' })],
    ['duplicate-item', asked({ categories: ['asb', 'asb'] })],
    ['duplicate-item', asked({ periods: ['2024-01', '2024-01/2024-01'] })],
    ['unknown-field', asked({ cells: [] })],
    ['unknown-field', asked({ RHO: '1/8' })],
    ['duplicate-key', JSON.stringify(QUERY).replace('{', '{"rho":"1/16",')],
    ['duplicate-key', JSON.stringify(QUERY).replace('{', '{"r\\u0068o":"1/16",')],
    ['forbidden-key', JSON.stringify(QUERY).replace('{', '{"__proto__":{"rho":"1/16"},')],
    ['forbidden-key', JSON.stringify(QUERY).replace('{', '{"constructor":{"prototype":{}},')],
    ['forbidden-key', JSON.stringify(asked({ rho: '@@' })).replace('"@@"', '{"__proto__":1}')],
    ['period-order', asked({ periods: ['2024-06/2023-07'] })],
    ['period-overlap', asked({ periods: ['2023-07/2024-01', '2024-01/2024-06'] })],
    ['bad-period', asked({ periods: ['2024-02-29'] })],
    ['bad-period', asked({ periods: ['2024-02-29/2024-03-31'] })],
    ['bad-period', asked({ periods: ['2024-13'] })],
    ['bad-period', asked({ periods: ['\u0662\u0660\u0662\u0664-01'] })],
    ['min-lag-days', asked({ periods: ['2026-05'] })],
    ['min-lag-days', asked({ periods: ['2099-01'] })],
    ['max-days', asked({ periods: ['2023-02/2024-02'] })],
    ['not-addressed', asked({ agencies: ['lancashire-council'] })],
    ['bad-agencies', asked({ agencies: [] })],
    ['bad-grid', asked({ grid: 'ew-2026-2' })],
    ['bad-grid-hash', asked({ gridHash: '0'.repeat(63) })],
    ['bad-version', asked({ version: 2 })],
    ['list-too-long', asked({ categories: Array(10_000).fill('asb') })],
    ['list-too-long', asked({ agencies: Array(10_000).fill('a') })],
    ['document-too-large', asked({ periods: Array(1_000_000).fill('2024-01') })],
  ])('%s (%#)', async (code, query) => {
    expect(await decide(query)).toMatchObject({
      code,
      exitCode: 1,
      document: { decision: 'refuse', grant: null },
    });
  });

  it.each([
    ['a month that ends on a leap day', '2024-02', '2024-03-06T23:59:59Z', '2024-03-07T00:00:00Z'],
    ['summer time begins', '2024-03', '2024-04-06T22:59:59Z', '2024-04-06T23:00:00Z'],
    ['summer time ends', '2024-10', '2024-11-06T23:59:59Z', '2024-11-07T00:00:00Z'],
  ])('counts days as a clock in London does: %s', async (_, period, early, late) => {
    const query = asked({ periods: [period] });
    expect((await decide(query, { at: early })).code).toBe('min-lag-days');
    expect((await decide(query, { at: late })).document).toMatchObject({ decision: 'permit' });
  });

  it('refuses under a grant that expired a second ago', async () => {
    const last = await decide(QUERY, { at: '2034-12-31T23:59:59Z' });
    expect(last.document).toMatchObject({ decision: 'permit' });
    expect((await decide(QUERY, { at: '2035-01-01T00:00:00Z' })).code).toBe('valid-until');
  });

  it.each([
    '',
    'now',
    '2026-05-01',
    '2026-05-01T09:00:00',
    '2026-02-29T00:00:00Z',
    '2026-05-01T24:00:00Z',
    '2026-05-01T09:00:60Z',
    '2026-05-01T09:00:00+01:00',
    '99999-01-01T00:00:00Z',
    'NaN',
  ])('bad-instant for --at %j', async (at) =>
    expect(await decide(QUERY, { at })).toMatchObject({ code: 'bad-instant', exitCode: 1 }),
  );

  it.each<[string, unknown]>([
    ['rho-per-year', { spent: { incidents: { 2024: '2' } } }],
    [
      'analyst-rho-per-year',
      { spent: {}, analysts: { analyst: { rhoThisYear: '2', queriesToday: 0 } } },
    ],
    [
      'queries-per-day',
      { spent: {}, analysts: { analyst: { rhoThisYear: '0', queriesToday: 50 } } },
    ],
    ...[0.5, -1, null, '-1', '1/0', '01', 'NaN', '1e9', '', ['1']].map(
      (amount): [string, object] => ['bad-ledger', { spent: { incidents: { 2024: amount } } }],
    ),
    ['bad-ledger', {}],
    ['bad-ledger', { spent: [] }],
    ['bad-ledger', { spent: {}, refund: '1' }],
    ['bad-ledger', { spent: { incidents: { 24: '1' } } }],
    ['forbidden-key', '{"spent":{"__proto__":{"2024":"0"}}}'],
    ['duplicate-key', '{"spent":{"incidents":{"2024":"2","2024":"0"}}}'],
  ])('%s for a ledger (%#)', async (code, ledger) => {
    expect(await decide(QUERY, { ledger: file(ledger) })).toMatchObject({ code, exitCode: 1 });
  });
});

const minimal = (change: string): string =>
  `version: 1\nagency: x\ngrants: []\nlimits: {datasets: {}, analysts: {rhoPerYear: "1", queriesPerDay: 1}}\ndeny: []\ncases: []\n${change}`;

/** Files that are no policy, whatever command reads them. */
const NO_POLICY: [string, string, string | Uint8Array][] = [
  ['an empty file', 'bad-policy', ''],
  ['null', 'bad-policy', 'null'],
  ['a list', 'bad-policy', '[1, 2]'],
  ['a sentence', 'bad-policy', 'everything is allowed'],
  ['two documents', 'malformed-document', 'a: 1\n---\nb: 2\n'],
  ['bytes', 'malformed-encoding', Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256)],
  ['UTF-16', 'malformed-document', Buffer.from(minimal(''), 'utf16le')],
  ['a megabyte of text', 'document-too-large', 'x'.repeat(1_000_001)],
  ['a longer file than is read', 'document-too-large', new Uint8Array(4_000_001).fill(0x20)],
  ['an anchor', 'document-alias', minimal('baseline: &a {}')],
  ['a billion laughs', 'document-alias', 'a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n'],
  ['a tag', 'document-tag', minimal('baseline: !!js/function "process.exit()"')],
  ['a tag of YAML itself', 'document-tag', minimal('baseline: !!binary aGVsbG8=')],
  ['a set', 'document-tag', minimal('baseline: !!set {x}')],
  ['a merge key', 'unknown-field', minimal('<<: {grants: []}')],
  ['a list as a key', 'malformed-document', minimal('? [1, 2]\n: 3')],
  ['a repeated key', 'duplicate-key', minimal('agency: y')],
  ['a key of the language', 'forbidden-key', minimal('__proto__: {grants: []}')],
  ['an unknown field', 'unknown-field', minimal('allow: everything')],
  ['5,000 brackets', 'malformed-document', '['.repeat(5_000)],
  [
    '5,000 objects in each other',
    'malformed-document',
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  ],
  ['a hundred thousand levels', 'malformed-document', '- '.repeat(100_000)],
  [
    '5,000 keys',
    'bad-policy',
    `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
  ],
  ['a float', 'bad-policy', minimal('').replace('"1"', '0.5')],
  [
    'a number beyond 2^53',
    'bad-policy',
    minimal('').replace('queriesPerDay: 1', 'queriesPerDay: 9007199254740993'),
  ],
  ['infinity', 'bad-policy', minimal('').replace('queriesPerDay: 1', 'queriesPerDay: .inf')],
];

describe.each(NO_POLICY)('%s as a policy', (_, code, content) => {
  const path = file(content);

  it(`is ${code} to every command`, async () => {
    expect(await decide(QUERY, { policy: path })).toMatchObject({ code, exitCode: 1 });
    expect(await decide(QUERY, { federation: path })).toMatchObject({
      exitCode: 1,
      document: {
        decision: 'refuse',
        code: expect.stringMatching(
          /^(?:bad-policy|unknown-field|duplicate-key|forbidden-key|malformed-|document-)/,
        ),
      },
    });
    expect(await concordat('diff', POLICY, path)).toMatchObject({ code, exitCode: 1 });
    expect(await concordat('diff', path, POLICY)).toMatchObject({ code, exitCode: 1 });
    expect(await concordat('explain', path)).toMatchObject({ code, exitCode: 1 });
    expect(await concordat('test', path)).toMatchObject({
      exitCode: 1,
      document: { ok: false, policies: [{ ok: false, faults: [{ kind: 'document', at: code }] }] },
    });
  });
});

it("tells the federation's floor from a policy", async () => {
  const floor = fileURLToPath(new URL('../../../../policies/federation.yaml', import.meta.url));
  for (const command of ['test', 'lint']) {
    expect(await concordat(command, floor)).toMatchObject({
      exitCode: 0,
      document: { ok: true, policies: [{ agency: null, floor: true, faults: [] }] },
    });
  }
  const broken = file('version: 1\nfloor: {}\n');
  expect(await concordat('test', broken)).toMatchObject({
    exitCode: 1,
    document: { ok: false, policies: [{ faults: [{ kind: 'document', at: 'bad-policy' }] }] },
  });
  for (const args of [
    ['explain', floor],
    ['table', floor],
    ['diff', POLICY, floor],
  ]) {
    expect((await concordat(...args)).code).toBe('federation-floor');
  }
  expect((await decide(QUERY, { policy: floor })).code).toBe('federation-floor');
});

it('answers a code for what is no file', async () => {
  for (const [path, code] of [
    [join(folder, 'none.yaml'), 'no-such-file'],
    [folder, 'unreadable-file'],
  ] as const) {
    expect(await decide(QUERY, { policy: path })).toMatchObject({ code, exitCode: 1 });
    expect(await decide(QUERY, { ledger: path })).toMatchObject({ code, exitCode: 1 });
    expect((await concordat('diff', path, POLICY)).code).toBe(code);
  }
  expect((await concordat('test', join(folder, 'none'))).code).toBe('no-such-file');
  expect((await decide(QUERY, { policy: '/dev/zero' })).code).toBe('document-too-large');
});
