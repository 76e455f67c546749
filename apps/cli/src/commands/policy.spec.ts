import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { Command } from 'commander';
import { openJournal } from '#libs/journal';
import { type Entry, encodeEntry } from '#libs/tlog';
import { registerPolicy } from './policy.js';

const policies = fileURLToPath(new URL('../../../../policies/', import.meta.url));
const bristol = join(policies, 'agencies/bristol-council.yaml');
const folder = mkdtempSync(join(tmpdir(), 'concordat-policy-'));
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const query = {
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
const AT = ['--at', '2026-05-01T09:00:00Z'];

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function concordat(...args: string[]): Promise<number> {
  process.exitCode = 0;
  const program = new Command('concordat').exitOverride();
  registerPolicy(program);
  await program.parseAsync(['policy', ...args], { from: 'user' });
  return Number(process.exitCode);
}
const decide = (queryFile: string, ...more: string[]) =>
  concordat('decide', '--policy', bristol, '--query', queryFile, '--json', ...AT, ...more);

describe('concordat policy decide', () => {
  it('permits with exit code 0', async () => {
    expect(await decide(file('q.json', query))).toBe(0);
    expect(JSON.parse(out)).toEqual({
      decision: 'permit',
      grant: 'hotspot-policing',
      code: null,
      constraint: null,
    });
    expect(err).toBe('');
  });

  it('refuses with exit code 1, code and constraint', async () => {
    expect(await decide(file('q.json', { ...query, rho: '1/4' }))).toBe(1);
    expect(JSON.parse(out)).toEqual({
      decision: 'refuse',
      grant: null,
      code: 'rho-per-query',
      constraint: 'grants.hotspot-policing.rhoPerQuery',
    });
  });

  it('reads ledger, role and time', async () => {
    const q = file('q.json', query);
    const ledger = file('ledger.json', { spent: { incidents: { 2024: '31/16' } } });
    expect(await decide(q, '--ledger', ledger)).toBe(1);
    expect(JSON.parse(out).code).toBe('rho-per-year');
    out = '';
    expect(await decide(q, '--role', 'tile-viewer')).toBe(1);
    expect(JSON.parse(out).code).toBe('roles');
    out = '';
    expect(await decide(q, '--at', '2035-01-01T00:00:00Z')).toBe(1);
    expect(JSON.parse(out).code).toBe('valid-until');
  });

  it('stands on the shipped floor when the policy lies elsewhere', async () => {
    const text =
      '{"version":1,"agency":"x","grants":[],"limits":{"datasets":{},"analysts":{"rhoPerYear":"1","queriesPerDay":1}},"deny":[],"cases":[]}';
    const q = file('q.json', query);
    const args = ['--policy', file('p.json', text), '--query', q, '--json', ...AT];
    expect(await concordat('decide', ...args)).toBe(1);
    expect(JSON.parse(out).code).toBe('roles');
  });

  it.each([
    ['malformed-document', '{'],
    ['duplicate-key', '{"version":1,"version":1}'],
    ['forbidden-key', '{"__proto__":1}'],
    ['query-not-object', '[]'],
    ['query-not-object', ''],
    ['missing-field', '{}'],
    ['bad-rho', JSON.stringify({ ...query, rho: 0.125 })],
    ['bad-rho', JSON.stringify(query).replace('"1/8"', 'NaN')],
    ['bad-rho', JSON.stringify(query).replace('"1/8"', '1e-320')],
  ])('answers %s for a malformed query', async (code, text) => {
    expect(await decide(file('bad.json', text))).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ decision: 'refuse', grant: null, code });
  });

  it('answers a code for files that are missing or not text', async () => {
    expect(await decide(join(folder, 'none.json'))).toBe(1);
    expect(JSON.parse(out).code).toBe('no-such-file');
    out = '';
    writeFileSync(join(folder, 'latin1.json'), Uint8Array.of(0x22, 0xe9, 0x22));
    expect(await decide(join(folder, 'latin1.json'))).toBe(1);
    expect(JSON.parse(out).code).toBe('malformed-encoding');
  });
});

describe('concordat policy', () => {
  it('test passes the shipped policies and fails a busted one', async () => {
    expect(await concordat('test', policies, '--json')).toBe(0);
    const report = JSON.parse(out);
    expect(report.ok).toBe(true);
    expect(report.policies).toHaveLength(5);
    out = '';
    expect(
      await concordat('test', join(policies, 'testdata/busted_wrong-case.yaml'), '--json'),
    ).toBe(1);
    expect(JSON.parse(out).policies[0].faults[0]).toEqual({
      kind: 'case',
      at: 'the national question',
      message: 'expected deny roles, got allow hotspot-policing',
    });
    out = '';
    expect(await concordat('test', join(policies, 'testdata/busted_tag.yaml'), '--json')).toBe(1);
    expect(JSON.parse(out).policies[0].faults[0]).toMatchObject({
      kind: 'document',
      at: 'document-tag',
    });
  });

  it('lint names the bound that no case exercises', async () => {
    const busted = join(policies, 'testdata/busted_unexercised-rho.yaml');
    expect(await concordat('lint', busted)).toBe(1);
    expect(err).toContain('lint grants.hotspot-policing.rhoPerQuery: no case exercises this bound');
  });

  it('diff says WIDENS, and can forbid it', async () => {
    const other = join(policies, 'agencies/lancashire-council.yaml');
    expect(await concordat('diff', bristol, bristol, '--json')).toBe(0);
    expect(JSON.parse(out).verdict).toBe('EQUAL');
    out = '';
    expect(await concordat('diff', bristol, other, '--forbid-widening', '--json')).toBe(0);
    expect(JSON.parse(out).verdict).toBe('NARROWS');
    expect(await concordat('diff', other, bristol, '--forbid-widening')).toBe(1);
    expect(err).toContain('verdict: WIDENS');
  });

  it('explain and table show every grant', async () => {
    expect(await concordat('explain', bristol)).toBe(0);
    expect(err).toContain('may count incidents of anti-social behaviour, for hotspot-policing or');
    expect(await concordat('table', bristol, '--json')).toBe(0);
    expect(JSON.parse(out).rows).toContainEqual(['rho-per-query', '1/8', '1/2']);
  });
});

describe('concordat policy why', () => {
  const fingerprint = 'a'.repeat(64);
  const about = {
    verb: 'consultation',
    at: '2026-05-01T09:00:00.000Z',
    actor: 'bristol-council',
    recipient: 'coordinator',
    purpose: 'hotspot-policing',
    round: 'r1',
  } as const;
  const received: Entry = {
    kind: 'query.received',
    ...about,
    fingerprint,
    analyst: 'analyst-1',
    query: '{}',
  };
  const refused: Entry = {
    kind: 'query.refused',
    ...about,
    fingerprint,
    code: 'rho-per-query',
    constraint: 'grants.hotspot-policing.rhoPerQuery',
    policyDigest: 'b'.repeat(64),
  };

  it('tells what the log says of one query, and of no other', async () => {
    const dir = join(folder, 'node', 'log');
    mkdirSync(dir, { recursive: true });
    const seed = new Uint8Array(32).fill(1);
    const origin = 'node.example/log';
    const journal = await openJournal({
      dir,
      origin,
      signer: {
        name: origin,
        publicKey: ed25519.getPublicKey(seed),
        sign: (message) => ed25519.sign(message, seed),
      },
    });
    for (const entry of [{ ...received, fingerprint: 'c'.repeat(64) }, received, refused]) {
      await journal.append(encodeEntry(entry));
    }
    await journal.checkpoint();
    await journal.close();
    expect(await concordat('why', fingerprint, '--log', join(folder, 'node'), '--json')).toBe(0);
    expect(JSON.parse(out).entries).toEqual([
      {
        index: '1',
        at: about.at,
        kind: 'query.received',
        says: 'asked by analyst-1 for hotspot-policing',
        policyDigest: null,
      },
      {
        index: '2',
        at: about.at,
        kind: 'query.refused',
        says: 'rho-per-query; grants.hotspot-policing.rhoPerQuery',
        policyDigest: 'b'.repeat(64),
      },
    ]);
    expect(await concordat('why', 'd'.repeat(64), '--log', dir)).toBe(1);
    expect(err).toContain('no entry about this query');
    await expect(concordat('why', 'x', '--log', dir)).rejects.toMatchObject({
      code: 'bad-fingerprint',
    });
  });
});
