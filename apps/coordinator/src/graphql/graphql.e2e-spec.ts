import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildClientSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  printSchema,
} from 'graphql';
import { cellAt, cellToText, disk, domainFromCells } from '#libs/grid';
import { Federation, streetFile } from '#libs/testing';

const SCHEMA = fileURLToPath(new URL('../../schema.graphql', import.meta.url));
const SCHEMA_HEADER =
  '# Generated from the resolvers. After a change: UPDATE_SCHEMA=1 npm run jest -- graphql.e2e\n\n';

const bristol = cellAt(51.4545, -2.5879, 9);
/** 5,419 cells: one more page than a page may hold. */
const domain = domainFromCells('test/wide', disk(bristol, 42));

let federation: Federation;
let release: string;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      {
        id: 'alpha-police',
        domain,
        files: {
          'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]),
        },
      },
    ],
  });
  const { round } = await federation.ask({ categories: ['robbery'], periods: ['2024-01'] });
  release = String(round.release);
});
afterAll(() => federation?.close());

const post = async (body: string | object, headers: Record<string, string> = {}) => {
  const response = await fetch(new URL('/graphql', federation.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text };
};

describe('the schema', () => {
  it('is the one that is committed', async () => {
    const served = await federation.graphql<IntrospectionQuery>(getIntrospectionQuery());
    const printed = `${SCHEMA_HEADER}${printSchema(buildClientSchema(served))}\n`;
    if (process.env.UPDATE_SCHEMA) writeFileSync(SCHEMA, printed);
    expect(readFileSync(SCHEMA, 'utf8')).toBe(printed);
  });
});

interface Page {
  readonly cells: {
    readonly nodes: readonly { readonly id: string; readonly estimate: number }[];
    readonly endCursor: string | null;
    readonly totalCount: number;
  };
}
const PAGE = `query ($release: ID!, $first: Int!, $after: String, $orderBy: String!) {
  cells(release: $release, resolution: 9, first: $first, after: $after, orderBy: $orderBy) {
    nodes { id estimate } endCursor totalCount
  }
}`;

describe('pages of cells', () => {
  it.each(['cell', 'estimate'])('walk every cell once, by %s', async (orderBy) => {
    const seen: { id: string; estimate: number }[] = [];
    let after: string | null = null;
    do {
      const { cells }: Page = await federation.graphql<Page>(PAGE, {
        release,
        first: 1_999,
        after,
        orderBy,
      });
      expect(cells.totalCount).toBe(domain.cells.length);
      seen.push(...cells.nodes);
      after = cells.endCursor;
    } while (after !== null);
    expect(seen).toHaveLength(domain.cells.length);
    expect(seen.map(({ id }) => id).sort()).toEqual(Array.from(domain.cells, cellToText).sort());
    if (orderBy === 'estimate') {
      expect(
        seen.every(({ estimate }, i) => i === 0 || estimate <= (seen[i - 1]?.estimate ?? 0)),
      ).toBe(true);
    }
  });

  it('hold at most 5,000 cells', async () => {
    const full = await federation.graphql<Page>(PAGE, {
      release,
      first: 5_000,
      after: null,
      orderBy: 'cell',
    });
    expect([full.cells.nodes.length, full.cells.endCursor]).toEqual([5_000, '5000']);
  });

  it.each([
    ['bad-page', { first: 5_001 }],
    ['bad-page', { first: 0 }],
    ['bad-cursor', { after: '-1' }],
    ['bad-cursor', { after: '1e3' }],
    ['bad-order', { orderBy: 'name' }],
    ['not-found', { release: 'f'.repeat(64) }],
  ])('are refused with %s: %j', async (code, change) => {
    const variables = { release, first: 10, after: null, orderBy: 'cell', ...change };
    const { text } = await post({ query: PAGE, variables });
    expect(
      JSON.parse(text).errors.map((error: { extensions: object }) => error.extensions),
    ).toEqual([{ code }]);
  });
});

const nested = (open: string, levels: number, inner: string): string =>
  `{ ${open.repeat(levels)} ${inner} ${'}'.repeat(levels)} }`;
const page = `cells(release: "${'0'.repeat(64)}", resolution: 9, first: 5000) { nodes { id } }`;

describe('hostile documents', () => {
  it.each([
    ['10,000 levels', nested('federation { ', 10_000, 'name')],
    ['100 levels', nested('federation { ', 100, 'name')],
    [
      'types of fields of types',
      `{ __schema { types { ${'fields { type { '.repeat(12)} name ${'} } '.repeat(12)} } } }`,
    ],
    [
      'fields of a type of fields',
      `{ __type(name: "Query") { ${'fields { type { '.repeat(4)} name ${'} } '.repeat(4)} } }`,
    ],
    ['10,000 aliases', `{ ${Array.from({ length: 10_000 }, (_, i) => `a${i}: ${page}`)} }`],
    ['30 aliases', `{ ${Array.from({ length: 30 }, (_, i) => `a${i}: ${page}`)} }`],
    [
      '20 aliases in fragments',
      `{ ...f ...g } fragment f on Query { ${Array.from({ length: 10 }, (_, i) => `a${i}: ${page}`)} }
       fragment g on Query { ${Array.from({ length: 10 }, (_, i) => `b${i}: ${page}`)} }`,
    ],
    [
      'ten full pages',
      `{ ${Array.from({ length: 10 }, (_, i) => `a${i}: ${page.replace('id', 'id resolution estimate standardError low high integer')}`)} }`,
    ],
    ['fragments in a ring', '{ ...f } fragment f on Query { ...g } fragment g on Query { ...f }'],
    ['1 MB of one name', `{ ${'a'.repeat(1 << 20)} }`],
    ['1 MB of names', `{ ${'a '.repeat(1 << 19)} }`],
    ['1 MB of text', `{ round(id: "${'x'.repeat(1 << 20)}") { id } nothing }`],
    ['an unclosed brace', '{ federation { name }'],
    ['an unclosed text', '{ round(id: "'],
    ['nothing', ''],
    ['a NUL', '{ \0 }'],
    ['two anonymous operations', '{ federation { name } } { federation { name } }'],
    ['an unknown directive', '{ federation @steal { name } }'],
  ])('are refused: %s', async (_what, query) => {
    const startedMs = performance.now();
    const { status, text } = await post({ query });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).not.toMatch(/at .*\.(js|ts):\d+/);
    // Milliseconds on an idle machine; what grows without bound takes minutes.
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });

  it.each([
    ['no JSON', '{"query":'],
    ['a list of 1,000 requests', JSON.stringify(Array(1000).fill({ query: '{ __typename }' }))],
    ['a number', '7'],
    ['a query that is an object', '{"query":{"a":1}}'],
    ['8 MB', JSON.stringify({ query: '{ __typename }', variables: { a: 'x'.repeat(8 << 20) } })],
  ])('are refused before they are read: %s', async (_what, body) => {
    const { status } = await post(body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('leave the endpoint as it was', async () => {
    const { federation: known } = await federation.graphql<{ federation: { name: string } }>(
      '{ federation { name } }',
    );
    expect(known.name).toBe('concordat-test');
  });
});
