/** What whoever runs the processes is told over real HTTP, and what they never are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { COORDINATOR, Federation, streetFile } from '#libs/testing';

const AGENCY = 'alpha-police';
const CANARY = 'Canary Lane 4711';
const cell = cellAt(51.4545, -2.5879, 9);
/** As Prometheus' text format has it: a name, labels perhaps, a number. */
const SAMPLE =
  /^[a-z_][a-z0-9_]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (-?[0-9.e+-]+|NaN|\+Inf)$/;

let federation: Federation;
let urls: Record<string, string>;
let round: string;
beforeAll(async () => {
  federation = await Federation.open({
    agencies: [
      {
        id: AGENCY,
        domain: domainFromCells('test/alpha', disk(cell, 2)),
        files: {
          'street.csv': streetFile(
            Array.from({ length: 7 }, () => ({
              month: '2024-01',
              type: 'Robbery',
              cell,
              fields: { Location: CANARY },
            })),
          ),
        },
      },
    ],
  });
  await federation.stop('auditor');
  const auditor = await federation.startAuditor();
  const control = JSON.parse(readFileSync(join(federation.folder(AGENCY), 'control.json'), 'utf8'));
  urls = { coordinator: federation.url, auditor, node: control.url };
  const asked = await federation.ask({ categories: ['robbery'], periods: ['2024-01'] });
  expect(asked.header).toBeDefined();
  round = asked.round.id;
});
afterAll(() => federation?.close());

const get = (process: string, path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, urls[process]), { headers });
const metricsOf = async (process: string): Promise<string> => {
  const response = await get(process, '/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return response.text();
};

describe('every process', () => {
  it.each(['coordinator', 'auditor', 'node'])(
    '%s is alive, ready and measured',
    async (process) => {
      const health = await get(process, '/healthz');
      expect(health.status).toBe(200);
      expect(await health.json()).toMatchObject({ status: 'ok' });
      const ready = await get(process, '/readyz');
      expect(await ready.json()).toMatchObject({
        status: 'ready',
        checks: { log: 'ok', manifest: 'ok' },
      });
      expect(ready.status).toBe(200);
      const text = await metricsOf(process);
      for (const line of text.trim().split('\n')) {
        if (line !== '' && !line.startsWith('#')) expect(line).toMatch(SAMPLE);
      }
      expect(text).toMatch(/concordat_log_entries\{[^}]*\} [1-9]/);
      expect(text).toContain('route="/healthz"');
    },
  );

  it.each(['coordinator', 'auditor', 'node'])(
    '%s tells its metrics to no proxy',
    async (process) => {
      const refused = await get(process, '/metrics', { 'x-forwarded-for': '203.0.113.9' });
      expect(refused.status).toBe(404);
      expect(await refused.json()).toMatchObject({ code: 'not-found' });
    },
  );

  it('says nothing of records, values or single rounds in its metrics, and no value in its log', async () => {
    const released = await Promise.all(['coordinator', 'auditor', 'node'].map(metricsOf));
    const lines = federation.lines.join('\n');
    for (const text of [...released, lines]) {
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(cell.toString(16));
      expect(text).not.toContain('street.csv');
    }
    for (const text of released) expect(text).not.toContain(round);
    // one id goes through the log of every process that has to do with a question
    const of = (name: string) =>
      federation.lines.filter((line) => line.includes(`"name":"${name}"`) && line.includes(round));
    expect(of(COORDINATOR).length).toBeGreaterThan(0);
    expect(of(AGENCY).length).toBeGreaterThan(0);
  });
});

describe('the coordinator', () => {
  it.each(['blobs', 'domains', 'layers', 'log/tile/0'])(
    'lets nobody keep its answer that it has no such file of %s',
    async (place) => {
      const missing = await get('coordinator', `/v1/${place}/${'a'.repeat(64)}`);
      expect(missing.status).toBe(404);
      expect(missing.headers.get('cache-control')).toBe('no-store');
    },
  );

  it('counts rounds, what agencies said, and jobs', async () => {
    const text = await metricsOf('coordinator');
    const has = (name: string, ...labels: string[]) =>
      text
        .split('\n')
        .find((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
        ?.split(' ')
        .at(-1);
    expect(has('concordat_rounds{', 'phase="released"')).toBe('1');
    expect(has('concordat_contributions{', `agency="${AGENCY}"`, 'status="answered"')).toBe('1');
    expect(has('concordat_job_events_total{', 'kind="compose"', 'event="done"')).toBe('1');
    expect(has('concordat_jobs{', 'status="done"')).toBe('1');
    expect(has('concordat_job_workers{')).toBe('1');
    expect(has('concordat_releases{')).toBe('1');
  });
});

describe('the sample alerts', () => {
  it('ask for metrics that there are, and say what to do', async () => {
    const Rules = z.strictObject({
      groups: z.array(
        z.strictObject({
          name: z.string(),
          rules: z.array(
            z.strictObject({
              alert: z.string().regex(/^[A-Z][A-Za-z]+$/),
              expr: z.string(),
              for: z
                .string()
                .regex(/^\d+[smh]$/)
                .optional(),
              labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
              annotations: z.strictObject({ summary: z.string(), action: z.string() }),
            }),
          ),
        }),
      ),
    });
    const path = join(import.meta.dirname, '../../../deploy/prometheus/alerts.yaml');
    const { groups } = Rules.parse(parse(readFileSync(path, 'utf8')));
    const texts = await Promise.all(['coordinator', 'auditor', 'node'].map(metricsOf));
    const known = new Set(texts.join('\n').match(/^# TYPE \S+/gm));
    const asked = groups.flatMap(({ rules }) =>
      rules.flatMap(({ expr }) => expr.match(/concordat_[a-z_]+/g) ?? []),
    );
    expect(asked.length).toBeGreaterThan(5);
    for (const name of asked) expect(known).toContain(`# TYPE ${name}`);
  });
});

describe('a node', () => {
  it('shows what is left of its budget', async () => {
    expect(await metricsOf('node')).toMatch(
      /concordat_budget_left_rho\{dataset="incidents",year="2024",[^}]*\} [0-9.]+/,
    );
  });

  it('is not ready once the coordinator is out of reach', async () => {
    await federation.stop(COORDINATOR);
    federation.nowMs += 120_000;
    const ready = await get('node', '/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      status: 'not-ready',
      checks: { log: 'ok', manifest: 'ok', coordinator: 'unreachable' },
    });
    expect((await get('node', '/healthz')).status).toBe(200);
    await federation.startCoordinator();
  });
});
