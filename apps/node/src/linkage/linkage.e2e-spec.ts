/**
 * A linkage project from set-up to end between real processes on sockets: key making, labelling, one count through policy, ledger, log,
 * receipt and release, a second asking, and the end of the epoch. The people are invented.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, cellToText, disk, domainFromCells } from '#libs/grid';
import { CATEGORIES } from '#libs/query';
import {
  ANALYST,
  AUDITOR,
  COORDINATOR,
  eventually,
  Federation,
  type LinkageOperator,
  linkageOperator,
  streetFile,
} from '#libs/testing';
import {
  BOTH,
  BRISTOL,
  BRISTOL_CELL,
  COUNCIL,
  csvOf,
  expectNear,
  isInBristol,
  linkage,
  lists,
  POLICE,
  QUESTION,
} from './two-places.fixture-spec.js';

const WITHIN_MS = 400_000;

let federation: Federation;
let operator: LinkageOperator;

beforeAll(async () => {
  const cell = cellAt(51.4545, -2.5879, 9);
  const domain = domainFromCells('test/area', disk(cell, 1));
  const files = { 'street.csv': streetFile([{ month: '2024-03', type: 'Robbery', cell }]) };
  federation = await Federation.open({
    agencies: [
      {
        id: COUNCIL,
        domain,
        files,
        people: csvOf(lists.right, 'tenant'),
        categories: CATEGORIES.filter((category) => category !== 'drugs'),
      },
      { id: POLICE, domain, files, people: csvOf(lists.left, 'suspect') },
    ],
    limits: {
      rhoPerQuery: '8',
      rhoPerYear: '33',
      measures: ['incidents', 'linked-people'],
    },
    keyHolders: [AUDITOR, POLICE, COUNCIL],
    roundDeadlineSeconds: 300,
  });
  operator = await linkageOperator(federation, {
    project: 'harm',
    epoch: '2024-1',
    left: POLICE,
    right: COUNCIL,
  });
});
afterAll(() => federation?.close());

const labelsOf = (node: string, epoch: string): string =>
  join(federation.folder(node), 'linkage', 'labels', `harm.${epoch}`);
const expectErased = (node: string, epoch: string): void => {
  for (const name of ['outputs', 'people', 'labelling']) {
    expect([name, existsSync(join(labelsOf(node, epoch), name))]).toEqual([name, false]);
  }
};
/** What the force had of the epoch before it ended. */
let saved: string | undefined;
afterAll(() => {
  if (saved !== undefined) rmSync(saved, { recursive: true });
});

/** How many entries of a kind the log of a process holds up to its newest checkpoint. */
const entriesOf = async (process: string, kind: string): Promise<number> =>
  (await federation.entries(process)).filter((entry) => entry.kind === kind).length;

describe('a linkage project between processes', () => {
  it('is refused before it is set up, and before there is a key', async () => {
    await expect(operator.tell('keygen')).rejects.toMatchObject({ code: 'unknown-project' });
    const { round } = await federation.ask({ ...QUESTION, linkage });
    expect(round.coverage.map(({ code }) => code)).toEqual([
      'linkage-not-labelled',
      'linkage-not-labelled',
    ]);
    await operator.tell('init');
  });

  it(
    'three holders make one key that none of them holds, each logs its share',
    async () => {
      const status = await operator.until('keygen');
      const keys = status.parts.flatMap(({ parts }) => parts.map(({ publicKey }) => publicKey));
      expect(new Set(keys.filter((key) => key !== null)).size).toBe(1);
      for (const holder of [AUDITOR, POLICE, COUNCIL]) {
        const made = () => entriesOf(holder, 'linkage.share-made');
        await eventually(async () => expect(await made()).toBe(1));
        const file = join(federation.folder(holder), 'linkage', 'shares', 'harm.2024-1', 'share');
        // sealed: not even its format can be read
        expect(readFileSync(file).toString('latin1')).not.toContain('linkage-share');
      }
    },
    WITHIN_MS,
  );

  it(
    'both agencies label their people within their quotas, going on after restarts',
    async () => {
      await operator.tell('run');
      for (const process of [POLICE, AUDITOR]) {
        await federation.stop(process);
        if (process === AUDITOR) await federation.startAuditor();
        else await federation.startNode(process);
      }
      await operator.until('run');
      for (const holder of [AUDITOR, POLICE, COUNCIL]) {
        const entries = await federation.entries(holder);
        const declared = entries.filter((entry) => entry.kind === 'linkage.declared');
        for (const { node, quota, people, keys } of declared) {
          expect(people % 50).toBe(0);
          expect(quota).toBe(Math.floor(1.05 * people * keys));
          const used = entries
            .filter((e) => e.kind === 'linkage.batch' && e.node === node && e.code === undefined)
            .map((e) => (e.kind === 'linkage.batch' ? e.used : 0));
          expect(Math.max(0, ...used)).toBeLessThanOrEqual(quota);
        }
      }
    },
    2 * WITHIN_MS,
  );

  let first: string | null = null;

  it(
    'counts once, with an interval around the truth, paid for in both ledgers',
    async () => {
      const { round, header } = await federation.ask({ ...QUESTION, linkage });
      expect(round.coverage.map(({ status, code }) => [status, code])).toEqual([
        ['answered', null],
        ['answered', null],
      ]);
      first = round.release;
      const { linked } = header ?? {};
      if (!linked) throw new Error('a linked release');
      expectNear(linked, BOTH);
      expect(linked.corrected).toBeGreaterThan(linked.naive);
      expect([header?.classes, header?.groups]).toEqual([[], []]);
      for (const agency of [POLICE, COUNCIL]) {
        const entries = await federation.entries(agency);
        const paid = entries.filter((e) => e.kind === 'budget.reserved');
        expect(paid).toMatchObject([{ dataset: 'people', rho: QUESTION.rho, analyst: ANALYST }]);
        expect(entries.filter((e) => e.kind === 'release.made')).toMatchObject([
          { dataset: 'people', mechanism: 'discrete-laplace' },
        ]);
      }
      const { linkedCounts } = await federation.graphql<{ linkedCounts: { id: string }[] }>(
        '{ linkedCounts { id corrected low high } }',
      );
      expect(linkedCounts.map(({ id }) => id)).toEqual([first]);
      expect(await federation.graphql('{ releases { id } }')).toEqual({ releases: [] });
    },
    WITHIN_MS,
  );

  it(
    'gives the same number when it is asked again, at no cost',
    async () => {
      const again = await federation.ask({ ...QUESTION, linkage });
      const before = await federation.graphql<{ linkedCounts: { corrected: number }[] }>(
        '{ linkedCounts { corrected low high naive } }',
      );
      const [newest, oldest] = before.linkedCounts;
      expect(newest).toEqual(oldest);
      expect(again.round.release).not.toBe(first);
      for (const agency of [POLICE, COUNCIL]) {
        const paid = (await federation.entries(agency)).filter((e) => e.kind === 'budget.reserved');
        expect(paid).toHaveLength(1);
      }
    },
    WITHIN_MS,
  );

  it.each([
    ['a local authority', { area: BRISTOL[0], resolution: 5 }],
    ['an H3 cell', { area: BRISTOL_CELL, resolution: 7 }],
  ])(
    'counts the people of %s alone, paid for in both ledgers',
    async (_, { area, resolution }) => {
      const before = await entriesOf(COUNCIL, 'budget.reserved');
      const asked = { ...QUESTION, resolution, linkage: { ...linkage, area } };
      const { round, header } = await federation.ask(asked);
      expect(round.coverage.map(({ code }) => code)).toEqual([null, null]);
      const known = new Set(lists.right.map(({ person }) => person));
      const truth = lists.left.filter(
        ({ person }, i) => isInBristol(i) && known.has(person),
      ).length;
      expect(truth).toBeLessThan(0.8 * BOTH);
      if (!header?.linked) throw new Error('a linked release');
      expectNear(header.linked, truth);
      // some nine in ten agree in forename and date: far fewer than of everybody, whatever the noise
      const agreed = header.linked.counts.find(({ key }) => key === 'FD')?.shared;
      expect(agreed).toBeGreaterThan(0.6 * truth);
      expect(agreed).toBeLessThan(0.8 * BOTH);
      for (const agency of [POLICE, COUNCIL]) {
        expect(await entriesOf(agency, 'budget.reserved')).toBe(before + 1);
      }
    },
    WITHIN_MS,
  );

  it.each([
    ['area-below-floor', cellAt(51.35, -2.5, 7)],
    ['area-not-covered', cellAt(51.4816, -3.1791, 7)],
  ])(
    'asks about no cell with few or unknown residents (%s): nothing is opened, nothing spent',
    async (code, cell) => {
      const asked = { ...QUESTION, resolution: 7, linkage: { ...linkage, area: cellToText(cell) } };
      const rounds = await entriesOf(COORDINATOR, 'round.opened');
      await expect(federation.ask(asked)).rejects.toMatchObject({ code });
      expect(await entriesOf(COORDINATOR, 'round.opened')).toBe(rounds);
    },
  );

  it('leaves folders that an audit finds nothing wrong with', async () => {
    for (const process of [COORDINATOR, AUDITOR, POLICE, COUNCIL]) {
      const report = await federation.audit(process);
      expect({ process, ...report }).toMatchObject({ process, ok: true, faults: [] });
    }
  });

  it.each([
    [
      'on its side',
      { right: { agency: COUNCIL, categories: ['drugs'] as const } },
      ['asb', 'drugs'],
    ],
    ['at all', {}, ['drugs']],
  ] as const)(
    'asks nobody where one agency records nothing of what it is asked for %s: nothing is spent',
    async (_, sides, categories) => {
      const asked = { ...QUESTION, categories, linkage: { ...linkage, ...sides } };
      const rounds = await entriesOf(COORDINATOR, 'round.opened');
      await expect(federation.ask(asked)).rejects.toMatchObject({ code: 'nothing-held' });
      expect(await entriesOf(COORDINATOR, 'round.opened')).toBe(rounds);
    },
  );

  it(
    'refuses sides the wrong way round, and more than is left of the budget',
    async () => {
      const turned = { ...linkage, left: linkage.right, right: linkage.left };
      const wrong = await federation.ask({ ...QUESTION, linkage: turned });
      expect(wrong.round.coverage.map(({ code }) => code)).toEqual([
        'other-project',
        'other-project',
      ]);
      const other = { ...linkage, left: { agency: POLICE, roles: ['suspect'] } };
      await federation.ask({ ...QUESTION, linkage: other });
      const third = { ...linkage, left: { agency: POLICE, roles: ['suspect', 'victim'] } };
      const broke = await federation.ask({ ...QUESTION, linkage: third });
      expect(broke.round.coverage.map(({ code }) => code)).toEqual([
        'rho-per-year',
        'rho-per-year',
      ]);
    },
    WITHIN_MS,
  );

  it('lets no name, date or postcode out of a node: not into another folder, nor any line of a log', async () => {
    const canaries = [...lists.left, ...lists.right]
      .flatMap(({ record }) => [record.surname, record.dateOfBirth, record.postcode])
      .filter((text, i): text is string => i % 10 === 0 && (text ?? '').length > 6)
      .flatMap((text) => [text, text.toLowerCase(), text.toLowerCase().replace(/[^a-z0-9]/g, '')]);
    const words = new Set(canaries);
    const files = [COORDINATOR, AUDITOR].flatMap((process) => federation.filesOf(process));
    const texts = [
      ...files.map((file) => readFileSync(file).toString('latin1')),
      ...federation.lines,
    ];
    for (const text of texts) for (const word of words) expect(text.includes(word)).toBe(false);
  });

  it(
    'gives no number while one agency alone can answer: what it paid stays paid, is not paid again, and counts once the other can',
    async () => {
      const asked = { ...QUESTION, rho: '1', linkage };
      const ask = async () => {
        const { round, header } = await federation.ask(asked);
        const { phase, code } = round;
        return {
          phase,
          code,
          counted: header?.linked !== undefined,
          said: round.coverage.map((c) => c.code),
        };
      };
      const paid = () =>
        Promise.all([COUNCIL, POLICE].map((agency) => entriesOf(agency, 'budget.reserved')));
      const withLabelsIn = async (from: string, to: string) => {
        await federation.stop(COUNCIL);
        renameSync(from, to);
        await federation.startNode(COUNCIL);
        await federation.untilConnected(COUNCIL);
      };
      const [council = 0, police = 0] = await paid();
      const labels = labelsOf(COUNCIL, '2024-1');
      const away = join(federation.folder(COUNCIL), 'linkage', 'elsewhere');
      await withLabelsIn(labels, away);
      for (const _ of ['first', 'again']) {
        expect(await ask()).toEqual({
          phase: 'aborted',
          code: 'other-side-missing',
          counted: false,
          said: ['linkage-not-labelled', null],
        });
        expect(await paid()).toEqual([council, police + 1]);
      }
      await withLabelsIn(away, labels);
      expect(await ask()).toEqual({
        phase: 'released',
        code: null,
        counted: true,
        said: [null, null],
      });
      expect(await paid()).toEqual([council + 1, police + 1]);
    },
    WITHIN_MS,
  );

  it(
    'ends: shares and outputs are gone, logged, and nothing of the epoch is made again',
    async () => {
      saved = mkdtempSync(join(tmpdir(), 'concordat-labels-'));
      cpSync(labelsOf(POLICE, '2024-1'), saved, { recursive: true });
      await operator.tell('destroy');
      for (const holder of [AUDITOR, POLICE, COUNCIL]) {
        const shares = join(federation.folder(holder), 'linkage', 'shares', 'harm.2024-1');
        expect(existsSync(join(shares, 'share'))).toBe(false);
        expect(existsSync(join(shares, 'key-making'))).toBe(false);
      }
      for (const node of [POLICE, COUNCIL]) expectErased(node, '2024-1');
      const status = await operator.tell('keygen');
      expect(status.parts.map(({ code }) => code)).toEqual(Array(3).fill('share-destroyed'));
      const run = await operator.tell('run');
      expect(run.parts.map(({ code }) => code)).toEqual(Array(2).fill('labels-erased'));
      await federation.stop(AUDITOR);
      await federation.startAuditor();
      // as if a kill had come between the log entry and the erasure
      await federation.stop(POLICE);
      cpSync(saved ?? '', labelsOf(POLICE, '2024-1'), { recursive: true, force: true });
      rmSync(join(labelsOf(POLICE, '2024-1'), 'erased'));
      await federation.startNode(POLICE);
      expectErased(POLICE, '2024-1');
      const after = await operator.tell('status');
      const states = after.parts.flatMap(({ parts }) => parts.map(({ state }) => state));
      expect(new Set(states)).toEqual(new Set(['destroyed']));
    },
    WITHIN_MS,
  );

  it(
    'ends in the middle of labelling, a key-holder away: nothing is waited for, nothing is left',
    async () => {
      const named = { project: 'harm', epoch: '2024-2', left: POLICE, right: COUNCIL };
      const next = await linkageOperator(federation, named);
      await next.tell('init');
      await next.until('keygen');
      await federation.stop(AUDITOR);
      /** What both nodes say that they are, once both have answered in time. */
      const bothAre = (action: 'run' | 'destroy', state: string) =>
        eventually(async () => {
          const { parts } = await next.tell(action);
          const nodes = parts.flatMap((part) => part.parts.filter(({ role }) => role === 'node'));
          expect(nodes.map((part) => part.state)).toEqual([state, state]);
        }, WITHIN_MS / 2);
      // both nodes wait for the auditor's word of the key first
      await bothAre('run', 'labelling');
      await bothAre('destroy', 'destroyed');
      for (const node of [POLICE, COUNCIL]) expectErased(node, '2024-2');
      await federation.startAuditor();
      const { parts } = await next.tell('destroy');
      expect(new Set(parts.flatMap((part) => part.parts.map(({ state }) => state)))).toEqual(
        new Set(['destroyed']),
      );
      await eventually(async () =>
        expect(await entriesOf(COUNCIL, 'linkage.labels-erased')).toBe(2),
      );
    },
    WITHIN_MS,
  );
});
