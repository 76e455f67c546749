/** What a node refuses, and that it says why; nothing that is not granted, signed and addressed to it gets an answer. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { seal, type Task } from '#libs/protocol';
import { fingerprint } from '#libs/query';
import { Federation, streetFile } from '#libs/testing';
import { answerQuery } from './answer-query.js';
import { nodePaths } from './config.js';
import type { Node } from './node.js';
import { openNode } from './open-node.js';

const AGENCY = 'alpha-police';
const bristol = cellAt(51.4545, -2.5879, 9);
const question = { categories: ['robbery'], periods: ['2024-01'] } as const;

let federation: Federation;
let node: Node;
const open = () => openNode(federation.folder(AGENCY), { nowMs: () => federation.nowMs });
beforeAll(async () => {
  federation = await Federation.open({
    agencies: ['alpha-police', 'beta-police'].map((id) => ({
      id,
      domain: domainFromCells('test/alpha', disk(bristol, 2)),
      files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell: bristol }]) },
    })),
    serve: false,
  });
  node = await open();
});
afterAll(async () => {
  await node?.close();
  await federation?.close();
});

const task = (change: Partial<Task> = {}): Task => ({
  ...federation.taskFor(AGENCY, question),
  ...change,
});
const asserted = (change: object): Task => {
  const plain = task();
  const payload = { ...plain.assertion.payload, ...change };
  return { ...plain, assertion: seal('assertion', payload, federation.analystKey) };
};
const asked = (query: Parameters<Federation['taskFor']>[1]): Task =>
  federation.taskFor(AGENCY, query);
const WRONG = 'f'.repeat(64);

describe('a node refuses', () => {
  it.each<[string, () => Task]>([
    ['wrong-agency', () => task({ agency: 'beta-police' })],
    ['wrong-manifest', () => task({ manifest: WRONG })],
    ['wrong-fingerprint', () => task({ fingerprint: WRONG })],
    [
      'wrong-grid',
      () => {
        const query = { ...task().query, gridHash: WRONG };
        return task({ query, fingerprint: fingerprint(query) });
      },
    ],
    ['not-asked', () => asked({ ...question, agencies: ['beta-police'] })],
    ['unknown-analyst', () => asserted({ analyst: 'somebody-else' })],
    ['wrong-assertion', () => asserted({ fingerprint: WRONG })],
    ['wrong-assertion', () => asserted({ manifest: WRONG })],
    [
      'bad-signature',
      () => {
        const { assertion, ...rest } = task();
        const payload = { ...assertion.payload, nonce: '0'.repeat(32) };
        return { ...rest, assertion: { ...assertion, payload } };
      },
    ],
    [
      'wrong-signer',
      () => {
        const { assertion, ...rest } = task();
        return { ...rest, assertion: seal('assertion', assertion.payload, node.key) };
      },
    ],
    ['period-not-held', () => asked({ ...question, periods: ['2024-02'] })],
    ['purposes', () => asked({ ...question, purpose: 'staff-appraisal' })],
    ['rho-per-query', () => asked({ ...question, rho: '1/4' })],
  ])('with %s', async (code, make) => {
    const outcome = await answerQuery(make(), node);
    expect(outcome).toMatchObject({ status: 'refused', refused: { code } });
  });

  it('and logs question and refusal, spending nothing', async () => {
    await node.journal.checkpoint();
    const entries = await federation.entries(AGENCY);
    const kinds = entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'query.received')).toHaveLength(13);
    expect(kinds.filter((kind) => kind === 'query.refused')).toHaveLength(13);
    expect(kinds).not.toContain('budget.reserved');
    expect(kinds).not.toContain('release.made');
  });

  it('but answers what is granted', async () => {
    expect(await answerQuery(task(), node)).toMatchObject({ status: 'answered' });
  });
});

describe('a node does not start', () => {
  beforeAll(() => node.close());

  it.each<[string, (paths: ReturnType<typeof nodePaths>) => () => void]>([
    [
      'policy-unsigned',
      ({ policySignature }) => {
        renameSync(policySignature, `${policySignature}.away`);
        return () => renameSync(`${policySignature}.away`, policySignature);
      },
    ],
    [
      'manifest-missing',
      ({ manifest }) => {
        renameSync(manifest, `${manifest}.away`);
        return () => renameSync(`${manifest}.away`, manifest);
      },
    ],
    [
      'key-missing',
      ({ signingKey }) => {
        renameSync(signingKey, `${signingKey}.away`);
        return () => renameSync(`${signingKey}.away`, signingKey);
      },
    ],
    [
      'policy-unsigned',
      ({ policy }) => {
        const signed = readFileSync(policy, 'utf8');
        writeFileSync(policy, signed.replace('minLagDays: 7', 'minLagDays: 8'));
        return () => writeFileSync(policy, signed);
      },
    ],
  ])('with %s', async (code, spoil) => {
    const mend = spoil(nodePaths(federation.folder(AGENCY)));
    await expect(open()).rejects.toMatchObject({ code });
    mend();
  });
});
