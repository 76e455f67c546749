/** `concordat linkage init | keygen | run | status | destroy`: a project between two agencies, from its set-up to its end. */
import { setTimeout as pause } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { ConcordatError, isConcordatError } from '#libs/bytes';
import { httpAddress } from '#libs/command-line';
import type { LinkageAction, LinkageStatus } from '#libs/protocol';
import {
  assertAccepted,
  instruct,
  isFinished,
  labelsDone,
  makeProject,
  readProject,
  sharesMade,
  statusLines,
} from '../linkage/project.js';
import { DEFAULT_URL } from './default-url.js';

interface ProjectFlags {
  readonly dir: string;
  readonly url: string;
  readonly project: string;
  readonly epoch: string;
  readonly json?: boolean;
}

const POLL_MS = 1_000;
/** A restart of a process in between is waited for. */
const POLLS_UNANSWERED = 60;

const print = (status: LinkageStatus, json: boolean | undefined): void => {
  process.stdout.write(
    json ? `${JSON.stringify(status)}\n` : `${statusLines(status).join('\n')}\n`,
  );
};

/** Asks how far everybody is; undefined while the coordinator is away. */
async function look(
  flags: ProjectFlags,
  project: LinkageStatus['project'],
): Promise<LinkageStatus | undefined> {
  try {
    return await instruct(flags, project, 'status', Date.now());
  } catch (error) {
    if (isConcordatError(error, 'unreachable')) return undefined;
    throw error;
  }
}

/** Gives an instruction and waits, with a progress bar, until every process concerned has done it, over restarts of any of them. */
async function carryOut(
  flags: ProjectFlags,
  action: 'keygen' | 'run',
  waits: boolean,
): Promise<void> {
  const project = readProject(flags.dir, flags.project, flags.epoch);
  let status = await instruct(flags, project, action, Date.now());
  assertAccepted(status);
  const bar = new SingleBar({
    format: `${action === 'run' ? 'labels' : 'shares'} [{bar}] {percentage} % | {value}/{total} | {eta_formatted} left`,
    stream: process.stderr,
    etaBuffer: 50,
  });
  const progress = action === 'run' ? labelsDone : sharesMade;
  // one holder of three may be away while people are labelled
  const needed = action === 'run' ? [project.left, project.right] : project.holders;
  const begun = progress(status);
  if (begun.done > 0) {
    process.stderr.write(`going on where it was: ${begun.done} of ${begun.total}\n`);
  }
  let isShown = false;
  let unanswered = 0;
  try {
    while (waits && !isFinished(status, action)) {
      await pause(POLL_MS);
      const seen = await look(flags, project);
      const silent = seen?.parts.find(
        (part) => part.code !== null && needed.includes(part.process),
      );
      const away = seen ? silent?.process : 'coordinator';
      unanswered = away === undefined ? 0 : unanswered + 1;
      if (unanswered > POLLS_UNANSWERED) {
        throw new ConcordatError('no-answer', `${away} does not answer; start it, and repeat this`);
      }
      if (!seen) continue;
      status = seen;
      const { done, total } = progress(status);
      if (total > 0 && process.stderr.isTTY) {
        if (!isShown) bar.start(total, done);
        isShown = true;
        bar.setTotal(total);
        bar.update(done);
      }
    }
  } finally {
    if (isShown) bar.stop();
  }
  print(status, flags.json);
}

async function once(flags: ProjectFlags, action: LinkageAction): Promise<void> {
  const project = readProject(flags.dir, flags.project, flags.epoch);
  const status = await instruct(flags, project, action, Date.now());
  print(status, flags.json);
  assertAccepted(status);
  const isAway = status.parts.some(({ code }) => code === 'no-answer');
  if (action === 'destroy' && isAway) {
    throw new ConcordatError('no-answer', 'not every process has ended the epoch: run it again');
  }
}

const common = (command: Command): Command =>
  command
    .requiredOption('--dir <folder>', "the coordinator's folder, whose key signs")
    .option('--url <url>', 'address of the coordinator', httpAddress, DEFAULT_URL)
    .requiredOption('--project <name>', 'name of the project')
    .requiredOption('--epoch <name>', 'name of the epoch: its key is destroyed at its end')
    .option('--json', 'one JSON document on standard output');

/** Registers the five verbs on `concordat linkage`. */
export function registerLinkageProject(linkage: Command): void {
  common(linkage.command('init'))
    .description('set up a project between two agencies; asks nobody, makes no key')
    .requiredOption('--left <agency>', 'agency whose people are counted')
    .requiredOption('--right <agency>', 'agency to which they may be known too')
    .addHelpText(
      'after',
      `
Example:
  concordat linkage init --dir coordinator --project harm --epoch 2026-q4 --left my-force --right my-council`,
    )
    .action(async (flags: ProjectFlags & { left: string; right: string }) => {
      const { project, epoch, left, right } = flags;
      const made = makeProject(flags.dir, { project, epoch, left, right });
      const status = await instruct(flags, made, 'init', Date.now());
      if (flags.json) print(status, true);
      else process.stdout.write(`set up; holders: ${made.holders.join(', ')}\n`);
    });

  common(linkage.command('keygen'))
    .description('have the three key-holders make a key that nobody holds')
    .option('--no-wait', 'do not wait until every holder has its share')
    .addHelpText(
      'after',
      '\nExample:\n  concordat linkage keygen --dir coordinator --project harm --epoch 2026-q4',
    )
    .action((flags: ProjectFlags & { wait: boolean }) => carryOut(flags, 'keygen', flags.wait));

  common(linkage.command('run'))
    .description('have both agencies label their people; goes on where it was interrupted')
    .option('--no-wait', 'do not wait until both have finished')
    .addHelpText(
      'after',
      `
Example:
  concordat linkage run --dir coordinator --project harm --epoch 2026-q4
Then ask:
  concordat linkage count --linkage harm/2026-q4 --left my-force --right my-council ...`,
    )
    .action((flags: ProjectFlags & { wait: boolean }) => carryOut(flags, 'run', flags.wait));

  common(linkage.command('status'))
    .description('what every key-holder and both agencies have done so far')
    .addHelpText(
      'after',
      '\nExample:\n  concordat linkage status --dir coordinator --project harm --epoch 2026-q4 --json',
    )
    .action((flags: ProjectFlags) => once(flags, 'status'));

  common(linkage.command('destroy'))
    .description('end the epoch: shares, outputs and copies of people are erased, for good')
    .addHelpText(
      'after',
      `
After two shares are gone no label of the epoch can be made again. Released counts stay.

Example:
  concordat linkage destroy --dir coordinator --project harm --epoch 2026-q4`,
    )
    .action((flags: ProjectFlags) => once(flags, 'destroy'));
}
