/** Sealed rounds through a whole federation: the sum comes out exactly, and nothing else comes out at all. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromUtf8, parseCanonicalJson, sha256Hex } from '#libs/bytes';
import { buildTree, cellAt, disk, domainFromCells, indexOf, parseDomainFile } from '#libs/grid';
import { type ReleaseHeader, SignedUnmasked } from '#libs/protocol';
import {
  type Asked,
  AUDITOR,
  COORDINATOR,
  Federation,
  type StreetRow,
  streetFile,
} from '#libs/testing';
import type { EntryOf } from '#libs/tlog';

const RINGS = 5;
const centre = cellAt(51.4545, -2.5879, 9);
/** Some 1.4 km to the north: in the first area, far from the middle of it. */
const border = cellAt(51.467, -2.5879, 9);
const far = cellAt(51.5155, -0.0922, 9);
/** The first shares cells with the second and the fourth, and nobody with the third. */
const domains = {
  'alpha-police': domainFromCells('test/alpha', disk(centre, RINGS)),
  'beta-police': domainFromCells('test/beta', disk(border, 2)),
  'gamma-police': domainFromCells('test/gamma', disk(far, RINGS)),
  'delta-council': domainFromCells('test/delta', disk(centre, 1)),
};
type AgencyId = keyof typeof domains;
const ids = Object.keys(domains) as AgencyId[];
const periods = ['2024-01', '2024-02'];
/** So much budget that there is no noise, but for a chance below e^-20000. */
const NO_NOISE = '1000000';

const incidents: readonly { agency: AgencyId; month: string; cell: bigint; count: number }[] = [
  { agency: 'alpha-police', month: '2024-01', cell: centre, count: 9 },
  { agency: 'alpha-police', month: '2024-02', cell: border, count: 4 },
  { agency: 'beta-police', month: '2024-01', cell: border, count: 6 },
  { agency: 'beta-police', month: '2024-02', cell: border, count: 1 },
  { agency: 'gamma-police', month: '2024-01', cell: far, count: 3 },
  { agency: 'delta-council', month: '2024-01', cell: centre, count: 2 },
];
const rowsOf = (agency: AgencyId): StreetRow[] =>
  incidents
    .filter((group) => group.agency === agency)
    .flatMap(({ month, cell, count }) =>
      Array.from({ length: count }, () => ({ month, type: 'Robbery', cell })),
    )
    // A month that it holds without an incident inside its area.
    .concat(periods.map((month) => ({ month, type: 'Robbery', cell: cellAt(55, -3, 9) })));

const open = (options: Partial<Parameters<typeof Federation.open>[0]> = {}): Promise<Federation> =>
  Federation.open({
    agencies: ids.map((id) => ({
      id,
      domain: domains[id],
      files: { 'street.csv': streetFile(rowsOf(id)) },
    })),
    limits: { rhoPerQuery: NO_NOISE, rhoPerYear: '20000000' },
    ...options,
  });

const headerOf = ({ header, round }: Asked): ReleaseHeader => {
  if (!header) throw new Error(`the round has no release: ${round.code}`);
  return header;
};
const int32 = (bytes: Uint8Array) => new Int32Array(bytes.slice().buffer);

/** Kinds of a log's entries, once it holds `last`: entries are read up to the newest checkpoint, which comes a little later. */
async function kinds(federation: Federation, process: string, last: string): Promise<string[]> {
  for (;;) {
    const all = (await federation.entries(process)).map(({ kind }) => kind);
    if (all.includes(last as (typeof all)[number])) return all;
    await pause(50);
  }
}

describe('a sealed round', () => {
  let federation: Federation;
  let asked: Asked;
  beforeAll(async () => {
    federation = await open();
    asked = await federation.ask({ categories: ['robbery'], periods, rho: NO_NOISE });
  });
  afterAll(() => federation?.close());

  it('is what overlapping areas make of a question that does not say so', async () => {
    expect(asked.round.coverage.map(({ status }) => status)).toEqual(ids.map(() => 'answered'));
    expect(headerOf(asked).sealed?.contributors).toEqual(ids);
    const log = await kinds(federation, COORDINATOR, 'round.released');
    const opened = (await federation.entries(COORDINATOR)).find(
      ({ kind }) => kind === 'round.opened',
    ) as EntryOf<'round.opened'>;
    expect(opened.sealed).toBe(true);
    expect(log.filter((kind) => /^round/.test(kind))).toEqual([
      ...['round.opened', 'round.offered', 'round.closed'],
      ...['round.unmasking', 'round.composing', 'round.released'],
    ]);
  });

  it('gives the sum of the answers exactly, at every node of the union', async () => {
    const header = headerOf(asked);
    expect(header.groups).toHaveLength(periods.length);
    for (const group of header.groups) {
      const coverage = header.classes[group.coverageClass];
      const text = fromUtf8(await federation.blob(coverage?.domain ?? ''));
      const tree = buildTree(parseDomainFile('union', text), { finest: 9 });
      const expected = new Array<number>(tree.nodeCount).fill(0);
      for (const { month, cell, count } of incidents) {
        if (month !== group.period) continue;
        let node = indexOf(tree, cell);
        for (; node > 0; node = tree.parent[node] as number)
          expected[node] = (expected[node] ?? 0) + count;
        expected[0] = (expected[0] ?? 0) + count;
      }
      expect([...int32(await federation.blob(group.raw))]).toEqual(expected);
    }
  });

  it('equals, value by value, the sum of the very answers that the nodes keep', async () => {
    const header = headerOf(asked);
    const group = header.groups[0];
    const coverage = header.classes[group?.coverageClass ?? 0];
    const text = fromUtf8(await federation.blob(coverage?.domain ?? ''));
    const union = buildTree(parseDomainFile('union', text), { finest: 9 });
    const total = new Int32Array(union.nodeCount);
    for (const id of ids) {
      const tree = buildTree(domains[id], { finest: 9 });
      const { entry, vector } = await answerOf(federation, id);
      expect(entry.sealed).toBe(true);
      for (let node = 0; node < tree.nodeCount; node++) {
        const at = node === 0 ? 0 : indexOf(union, tree.cells[node] as bigint);
        total[at] = (total[at] ?? 0) + (vector[node] as number);
      }
    }
    expect(int32(await federation.blob(group?.raw ?? ''))).toEqual(total);
  });

  it('leaves no answer, and no digest of one, anywhere outside its node', async () => {
    const kept = [...federation.filesOf(COORDINATOR), ...federation.filesOf(AUDITOR)].map((path) =>
      readFileSync(path),
    );
    const raw = await Promise.all(headerOf(asked).groups.map(({ raw }) => federation.blob(raw)));
    for (const id of ids) {
      const { vector } = await answerOf(federation, id);
      const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
      const digest = sha256Hex(bytes);
      // A stretch of the vector around its largest value: long enough to be found by no chance.
      const words = new Int32Array(vector);
      const at = Math.max(0, words.indexOf(Math.max(...words)) - 8);
      const stretch = bytes.subarray(4 * at, 4 * at + 256);
      for (const file of kept) {
        expect(file.includes(digest)).toBe(false);
        const isPublished = raw.some((sum) => Buffer.from(sum).equals(file));
        if (!isPublished) expect(file.includes(stretch)).toBe(false);
      }
      expect(federation.lines.join('\n')).not.toContain(digest);
    }
  });

  it("has the auditor's signed word beside the release, and no seed left with the auditor", async () => {
    const { sealed } = headerOf(asked);
    const blob = await federation.blob(sealed?.unmasked ?? '');
    expect(sha256Hex(blob)).toBe(sealed?.unmasked);
    const { payload, publicKey } = SignedUnmasked.parse(parseCanonicalJson(blob));
    expect(publicKey).toBe(federation.manifest.auditor.publicKey);
    expect(payload.contributors.map(({ agency }) => agency)).toEqual(ids);
    expect(await kinds(federation, AUDITOR, 'seeds.destroyed')).toEqual([
      'started',
      ...ids.map(() => 'seed.received'),
      'round.unmasked',
      'seeds.destroyed',
    ]);
    expect(federation.filesOf(AUDITOR).filter((path) => path.includes('/seeds/'))).toEqual([]);
  });

  it('gives the same answers under the same masks to nobody twice: a second round has other masks and the same sum', async () => {
    const again = await federation.ask({ categories: ['robbery'], periods, rho: NO_NOISE });
    expect(headerOf(again).groups.map(({ raw }) => raw)).toEqual(
      headerOf(asked).groups.map(({ raw }) => raw),
    );
    const [first, second] = await Promise.all(
      [asked, again].map(async (one) =>
        SignedUnmasked.parse(
          parseCanonicalJson(await federation.blob(headerOf(one).sealed?.unmasked ?? '')),
        ),
      ),
    );
    for (const [i, contributor] of (first?.payload.contributors ?? []).entries()) {
      const other = second?.payload.contributors[i];
      expect(other?.answer).toBe(contributor.answer);
      expect(other?.masked).not.toBe(contributor.masked);
    }
  });

  it('is refused before anyone spends when fewer than three agencies are asked', async () => {
    const before = await kinds(federation, 'alpha-police', 'release.made');
    await expect(
      federation.ask({
        categories: ['robbery'],
        periods,
        rho: '1',
        sealed: true,
        agencies: ['alpha-police', 'beta-police'],
      }),
    ).rejects.toMatchObject({ code: 'too-few-contributors' });
    expect(await kinds(federation, 'alpha-police', 'release.made')).toEqual(before);
  });

  it('may be asked for where no areas overlap', async () => {
    const question = { categories: ['robbery'] as const, periods, rho: '1' };
    const agencies = ['beta-police', 'delta-council', 'gamma-police'];
    const unsealed = await federation.ask({ ...question, agencies });
    expect(headerOf(unsealed).sealed).toBeUndefined();
    const sealed = await federation.ask({ ...question, agencies, sealed: true });
    expect(headerOf(sealed).sealed?.contributors).toEqual([
      'beta-police',
      'gamma-police',
      'delta-council',
    ]);
  });

  it('does not let an agency that comes late be told from two sums of one question', async () => {
    const question = { categories: ['robbery'] as const, periods, rho: '2', sealed: true } as const;
    const { auditorUrl } = federation;
    await federation.stop('gamma-police');
    federation.auditorUrl = '';
    await federation.startNode('gamma-police');
    federation.auditorUrl = auditorUrl;
    const without = await federation.ask(question);
    expect(without.header?.sealed?.contributors).toEqual([
      'alpha-police',
      'beta-police',
      'delta-council',
    ]);
    expect(without.round.coverage.map(({ code }) => code)).toContain('no-auditor-address');
    await federation.stop('gamma-police');
    await federation.startNode('gamma-police');
    const withIt = await federation.ask(question);
    expect(withIt.header).toBeUndefined();
    expect(withIt.round.code).toBe('answer-unmasked-before');
    await kinds(federation, AUDITOR, 'unmask.refused');
  });
});

/** The newest answer in the log of a node, and its vector without the blind. */
async function answerOf(
  federation: Federation,
  id: string,
): Promise<{ entry: EntryOf<'release.made'>; vector: Int32Array }> {
  const entry = (await federation.entries(id)).find(
    ({ kind }) => kind === 'release.made',
  ) as EntryOf<'release.made'>;
  const path = federation.filesOf(id).find((file) => file.endsWith(entry.blob)) ?? '';
  const bytes = Uint8Array.from(readFileSync(path));
  return { entry, vector: new Int32Array(bytes.buffer, 32) };
}
