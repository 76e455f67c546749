/** Every agency of the demo reads its files, all at once, each in a process of its own. */
import { join } from 'node:path';
import { z } from 'zod';
import { ConcordatError } from '#libs/bytes';
import type { DemoAgency } from './agencies.js';
import { type Children, eachAtOnce } from './children.js';
import type { Progress } from './progress.js';

const Summary = z.object({
  rows: z.int(),
  located: z.int(),
  noLocation: z.int(),
  outside: z.int(),
  duplicates: z.int(),
  rejected: z.record(z.string(), z.int()),
  categories: z.array(z.string()),
});
const IngestResult = z.object({
  files: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      code: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
  totals: Summary.omit({ categories: true }),
  months: z.array(z.string()),
  held: Summary.nullable(),
});
export type IngestResult = z.infer<typeof IngestResult>;

export const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

/** What each agency holds afterwards. */
export async function ingestAll(
  dir: string,
  agencies: readonly DemoAgency[],
  children: Children,
  progress: Progress,
): Promise<Map<string, IngestResult>> {
  const results = new Map<string, IngestResult>();
  await eachAtOnce(agencies, async (agency) => {
    results.set(agency.id, await ingestOne(dir, agency, children, progress));
  });
  progress.ingested();
  for (const { id } of agencies) {
    const { files = [], held } = results.get(id) ?? {};
    progress.say(
      `${id} holds ${counted(held?.rows ?? 0, 'row', 'rows')} from ${counted(files.length, 'file', 'files')}, at home`,
    );
    for (const { name, status, code, message } of files) {
      if (status === 'refused') progress.say(`${id}: ${name} was refused (${code}): ${message}`);
    }
  }
  return results;
}

async function ingestOne(
  dir: string,
  agency: DemoAgency,
  children: Children,
  progress: Progress,
): Promise<IngestResult> {
  let report: unknown;
  await children.run(
    agency.id,
    'node',
    [
      'ingest',
      '--dir',
      join(dir, agency.id),
      '--refused-ok',
      '--categories',
      agency.categories.join(),
      ...agency.files,
    ],
    (message) => {
      if (message.type === 'ingested') report = message.report;
      if (message.type === 'progress') {
        const [rows, file, fileCount] = [message.rows, message.file, message.fileCount].map(Number);
        progress.ingest(agency.id, file ?? 0, fileCount ?? 0, rows ?? 0);
      }
    },
  );
  const parsed = IngestResult.safeParse(report);
  if (!parsed.success)
    throw new ConcordatError('child-failed', `${agency.id} did not report its ingest`);
  return parsed.data;
}
