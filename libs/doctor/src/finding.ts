import { isConcordatError } from '#libs/bytes';

/** One thing that was looked at. `todo` says what to do about anything but `ok`. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly says: string;
  readonly todo: string | null;
}

export interface Report {
  readonly process: string;
  readonly dir: string;
  /** True unless something failed; warnings do not count. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export const ok = (check: string, says: string): Finding => ({
  check,
  status: 'ok',
  says,
  todo: null,
});
export const warn = (check: string, says: string, todo: string): Finding => ({
  check,
  status: 'warn',
  says,
  todo,
});
export const fail = (check: string, says: string, todo: string): Finding => ({
  check,
  status: 'fail',
  says,
  todo,
});

/** Our messages are `what is wrong; what to do`. */
function failureOf(check: string, error: unknown): Finding {
  if (isConcordatError(error)) {
    const [says = '', ...todo] = error.message.split('; ');
    return fail(
      check,
      `${says} [${error.code}]`,
      todo.join('; ') || 'mend this and run doctor again',
    );
  }
  const { code = 'unknown' } = (error ?? {}) as { code?: string };
  return fail(check, `could not be checked (${code})`, 'see that the folder is whole and readable');
}

/** A check by its name, which a finding of what it throws gets. */
export type Check = readonly [
  name: string,
  run: () => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>,
];

/** Runs every check; what one throws is its finding, and the others go on. */
export async function runChecks(
  process: string,
  dir: string,
  checks: readonly Check[],
): Promise<Report> {
  const findings: Finding[] = [];
  for (const [name, run] of checks) {
    try {
      findings.push(...[await run()].flat());
    } catch (error) {
      findings.push(failureOf(name, error));
    }
  }
  return { process, dir, ok: findings.every(({ status }) => status !== 'fail'), findings };
}

const MARK = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

/** A line a finding, and under each that is not well what to do. */
export function formatReport({ process, ok: isWell, findings }: Report): string {
  const lines = findings.map(({ check, status, says, todo }) => {
    const line = `${MARK[status]}  ${check.padEnd(9)} ${says}\n`;
    return todo === null ? line : `${line}                -> ${todo}\n`;
  });
  const failed = findings.filter(({ status }) => status === 'fail').length;
  return `${lines.join('')}${isWell ? `The ${process} is fit to run.` : `${failed} of ${findings.length} checks failed.`}\n`;
}
