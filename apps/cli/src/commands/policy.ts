import { basename } from 'node:path';
import type { Command } from 'commander';
import { isConcordatError } from '#libs/bytes';
import {
  type AgencyPolicy,
  decide,
  diffPolicies,
  explainPolicy,
  floorFaults,
  lintPolicy,
  parseDocument,
  parseFederation,
  parsePolicy,
  policyDigest,
  policySchema,
  policyTable,
  requestOf,
  runCases,
} from '#libs/policy';
import { parseInstant } from '#libs/query';
import { isFloor, policyFiles, readFederation, readPolicy, readText } from './policy-files.js';
import { runWhy } from './policy-why.js';

const printJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
};
const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const fail = (): void => {
  process.exitCode = 1;
};

interface DecideOptions {
  policy: string;
  query: string;
  ledger?: string;
  federation?: string;
  at?: string;
  analyst?: string;
  role?: string[];
  json?: boolean;
}

/** Without --role the question is "what if an analyst asked who has the roles this policy names". */
const assumedRoles = (policy: AgencyPolicy): readonly string[] => [
  ...new Set(policy.grants.flatMap(({ roles }) => roles)),
];

/** A document that cannot be read decides nothing, and so refuses; `--at` is a word of the command line, and its fault the caller's. */
function decideFiles(options: DecideOptions) {
  try {
    if (options.at !== undefined) parseInstant(options.at);
    const agency = readPolicy(options.policy);
    const federation = readFederation(options.federation, options.policy);
    const query = parseDocument(readText(options.query));
    const ledger = options.ledger ? parseDocument(readText(options.ledger)) : { spent: {} };
    const { agency: view } = requestOf(agency, {});
    const analyst = {
      id: options.analyst ?? 'analyst',
      roles: options.role ?? assumedRoles(agency),
    };
    const now = options.at ?? new Date(Date.now()).toISOString();
    return decide({ policies: { federation, agency }, query, analyst, agency: view, ledger, now });
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    return { decision: 'refuse', code: error.code, constraint: error.message } as const;
  }
}

function runDecide(options: DecideOptions): void {
  const decision = decideFiles(options);
  const refused = decision.decision === 'refuse';
  if (options.json) {
    printJson({
      decision: decision.decision,
      grant: refused ? null : decision.grant,
      code: refused ? decision.code : null,
      constraint: refused ? decision.constraint : null,
    });
  } else if (refused) tell(`refuse: ${decision.code} (${decision.constraint})`);
  else tell(`${decision.decision}: grant ${decision.grant}`);
  if (decision.decision !== 'permit') fail();
}

interface Fault {
  readonly kind: 'document' | 'floor' | 'case' | 'lint';
  readonly at: string;
  readonly message: string;
}

const NO_CASES = { total: 0, passed: 0, results: [] };

function examine(file: string, federationOption: string | undefined, cases: boolean) {
  try {
    const text = readText(file);
    if (isFloor(text)) {
      parseFederation(text);
      return {
        file,
        agency: null,
        digest: null,
        ok: true,
        floor: true,
        cases: NO_CASES,
        faults: [],
      };
    }
    const agency = parsePolicy(text);
    const set = { agency, federation: readFederation(federationOption, file) };
    const results = cases ? runCases(set) : [];
    const faults: Fault[] = [
      ...floorFaults(set).map(({ at, agency: own, floor }) => ({
        kind: 'floor' as const,
        at,
        message: `allows ${own}; the federation's floor is ${floor}`,
      })),
      ...results
        .filter(({ ok }) => !ok)
        .map(({ name, expected, got }) => ({
          kind: 'case' as const,
          at: name,
          message: `expected ${expected}, got ${got}`,
        })),
      ...lintPolicy(agency).map(({ at, advice }) => ({
        kind: 'lint' as const,
        at,
        message: `no case exercises this bound: ${advice}`,
      })),
    ];
    const passed = results.filter(({ ok }) => ok).length;
    return {
      file,
      agency: agency.agency,
      digest: policyDigest(set),
      ok: faults.length === 0,
      floor: false,
      cases: { total: results.length, passed, results },
      faults,
    };
  } catch (error) {
    if (!isConcordatError(error)) throw error;
    const fault: Fault = { kind: 'document', at: error.code, message: error.message };
    const unread = { file, agency: null, digest: null, ok: false, floor: false };
    return { ...unread, cases: NO_CASES, faults: [fault] };
  }
}

interface CheckOptions {
  federation?: string;
  json?: boolean;
}

function runCheck(path: string, options: CheckOptions, cases: boolean): void {
  const policies = policyFiles(path).map((file) => examine(file, options.federation, cases));
  const ok = policies.every((policy) => policy.ok);
  if (options.json) printJson({ ok, policies });
  else {
    for (const { file, ok: fine, floor, cases: run, faults } of policies) {
      const cased = cases ? `, ${run.passed} of ${run.total} cases` : '';
      const ran = floor
        ? ": the federation's floor, with which policies of agencies are tested"
        : cased;
      tell(`${fine ? 'ok    ' : 'FAULT '} ${basename(file)}${ran}`);
      for (const { kind, at, message } of faults) tell(`       ${kind} ${at}: ${message}`);
    }
  }
  if (!ok) fail();
}

function runDiff(
  from: string,
  to: string,
  options: { json?: boolean; forbidWidening?: boolean },
): void {
  const diff = diffPolicies(readPolicy(from), readPolicy(to));
  if (options.json) printJson(diff);
  else {
    for (const { at, dimension, change, from: old, to: now } of diff.dimensions) {
      if (change !== 'EQUAL')
        tell(`${change.padEnd(8)}${at} ${dimension}: ${old || '-'} -> ${now || '-'}`);
    }
    tell(`verdict: ${diff.verdict}`);
  }
  if (options.forbidWidening && diff.verdict === 'WIDENS') fail();
}

function runExplain(path: string, options: { json?: boolean }): void {
  const sentences = explainPolicy(readPolicy(path));
  if (options.json) printJson({ sentences });
  else for (const sentence of sentences) tell(sentence);
}

function runTable(path: string, options: { json?: boolean }): void {
  const rows = policyTable(readPolicy(path));
  if (options.json) {
    printJson({ rows });
    return;
  }
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows)
    tell(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

const DECIDE_HELP = `
Examples:
  concordat policy decide --policy policies/agencies/bristol-council.yaml --query query.json --json
  concordat policy decide --policy p.yaml --query q.json --ledger ledger.json --at 2026-05-01T09:00:00Z

QUERY is a canonical query; LEDGER is {"spent":{"incidents":{"2024":"15/8"}},"analysts":{"jo":{"rhoThisYear":"1/8","queriesToday":1}}}.
Without --role the analyst is assumed to have every role the policy names. Exit code 0: permit, 1: hold or refuse, also
when a document cannot be read or --at is no instant in UTC; the code says which.`;

/** Adds `concordat policy ...` to the program. */
export function registerPolicy(program: Command): void {
  const policy = program.command('policy').description('read, test and compare policies');
  const collect = (role: string, before: string[] = []): string[] => [...before, role];

  policy
    .command('decide')
    .description('decide a query under a policy, without asking it')
    .requiredOption('--policy <file>', "the agency's policy, YAML or JSON")
    .requiredOption('--query <file>', 'the query, JSON or YAML')
    .option('--ledger <file>', 'what is spent, JSON; nothing when left out')
    .option(
      '--federation <file>',
      "the federation's floor; the federation.yaml near the policy, or the shipped one, when left out",
    )
    .option('--at <instant>', 'ISO 8601 in UTC; now when left out')
    .option('--analyst <id>', 'who asks')
    .option('--role <role>', 'a role of the analyst, repeatable', collect)
    .option('--json', 'print one JSON document')
    .addHelpText('after', DECIDE_HELP)
    .action(runDecide);

  policy
    .command('test')
    .description('check policies: document, floor, cases, lint')
    .argument('<path>', 'a policy file or a folder of them')
    .option(
      '--federation <file>',
      "the federation's floor; the federation.yaml near the policy, or the shipped one, when left out",
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  concordat policy test policies')
    .action((path: string, options: CheckOptions) => runCheck(path, options, true));

  policy
    .command('lint')
    .description('name bounds that no case exercises, and places looser than the floor')
    .argument('<path>', 'a policy file or a folder of them')
    .option(
      '--federation <file>',
      "the federation's floor; the federation.yaml near the policy, or the shipped one, when left out",
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  concordat policy lint policies/agencies/bristol-council.yaml',
    )
    .action((path: string, options: CheckOptions) => runCheck(path, options, false));

  policy
    .command('diff')
    .description('compare two versions of a policy: WIDENS, NARROWS or EQUAL per dimension')
    .argument('<old>', 'the policy in force')
    .argument('<new>', 'the policy proposed')
    .option('--forbid-widening', 'exit 1 when the new policy allows anything more')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  concordat policy diff old.yaml new.yaml --forbid-widening')
    .action(runDiff);

  policy
    .command('explain')
    .description('say in plain English what a policy allows')
    .argument('<file>', 'a policy file')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  concordat policy explain policies/agencies/bristol-council.yaml',
    )
    .action(runExplain);

  policy
    .command('table')
    .description('show the grants of a policy side by side')
    .argument('<file>', 'a policy file')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  concordat policy table policies/agencies/avon-and-somerset-police.yaml',
    )
    .action(runTable);

  policy
    .command('why')
    .description(
      'say what a log holds of one query: refusals, spends, releases and the grants behind them',
    )
    .argument('<fingerprint>', 'the fingerprint of the query')
    .requiredOption(
      '--log <dir>',
      'folder of a process or of its log; verify it first with concordat audit',
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  concordat policy why 98593dd5...adf4f --log node-folder --json',
    )
    .action(runWhy);

  policy
    .command('schema')
    .description('print the JSON Schema of policy documents')
    .addHelpText('after', '\nExample:\n  concordat policy schema > policies/schema.json')
    .action(() => printJson(policySchema()));
}
