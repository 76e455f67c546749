import type { IngestReport } from '#libs/records';

const reasons = (rejected: Readonly<Record<string, number | undefined>>): string =>
  Object.entries(rejected)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ') || 'none';

/** The ingest report as the operator reads it: a line a file, then the totals. */
export function formatReport({ files, totals }: IngestReport): string {
  const lines = files.map(({ name, status, rows, code, message }) =>
    status === 'refused'
      ? `  ${name}: refused (${code}): ${message}`
      : `  ${name}: ${status}, ${rows} rows`,
  );
  return `${lines.join('\n')}

  rows         ${totals.rows}
  located      ${totals.located} (of these outside the public domain: ${totals.outside})
  no location  ${totals.noLocation}
  duplicates   ${totals.duplicates}
  rejected     ${reasons(totals.rejected)}
`;
}
