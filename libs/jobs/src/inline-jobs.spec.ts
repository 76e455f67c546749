import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { openInlineJobs } from './inline-jobs.js';
import { defineJob } from './job.js';
import { describeJobs } from './jobs-contract.fixture-spec.js';
import { newestDue, nextInstant } from './schedule.js';

const dir = mkdtempSync(join(tmpdir(), 'concordat-jobs-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describeJobs('inline', async (place, options) =>
  openInlineJobs({ ...options, scheduleFile: join(dir, `${place}.json`) }),
);

describe('schedules', () => {
  it('find the newest instant due, that of now included', () => {
    const at = (text: string): number => Date.parse(text);
    const cron = '30 6 15 * *';
    expect(nextInstant(cron, at('2026-03-15T06:30:00Z'))).toBe(at('2026-04-15T06:30:00Z'));
    expect(newestDue(cron, 0, at('2026-03-15T06:30:00Z'))).toBe(at('2026-03-15T06:30:00Z'));
    expect(newestDue(cron, 0, at('2026-03-15T06:29:59.999Z'))).toBe(at('2026-02-15T06:30:00Z'));
    expect(newestDue(cron, at('2026-03-15T06:30:00Z'), at('2026-04-15T06:29:00Z'))).toBeUndefined();
  });

  it('do not fire from a damaged memory', async () => {
    const path = join(dir, 'damaged.json');
    writeFileSync(path, '{"monthly": "yesterday"}');
    const kind = defineJob({ name: 'probe', input: z.strictObject({}), run: async () => null });
    const jobs = openInlineJobs({
      kinds: [kind],
      concurrency: 1,
      nowMs: Date.now,
      scheduleFile: path,
    });
    await expect(
      jobs.schedule({ id: 'monthly', cron: '0 6 15 * *', kind: 'probe', input: {} }),
    ).rejects.toMatchObject({ code: 'schedule-file-damaged' });
    await jobs.close();
  });
});
