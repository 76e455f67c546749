/** A linkage project of a test federation, run as the coordinator's operator runs it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkageAction, LinkageProject, LinkageStatus } from '#libs/protocol';
import type { Federation } from './federation.js';
import { COORDINATOR } from './found-federation.js';

const POLL_MS = 300;
const WITHIN_MS = 400_000;

export interface LinkageOperator {
  readonly project: LinkageProject;
  /** Signs and gives an instruction; what every process concerned said. */
  tell(action: LinkageAction): Promise<LinkageStatus>;
  /** Gives it and waits until it is done; throws the code of a process that refused or failed. */
  until(action: 'keygen' | 'run'): Promise<LinkageStatus>;
}

export async function linkageOperator(
  federation: Federation,
  named: Readonly<Record<'project' | 'epoch' | 'left' | 'right', string>>,
): Promise<LinkageOperator> {
  const { assertAccepted, instruct, isFinished, makeProject, statusLines } = await import(
    '../../../apps/cli/src/linkage/project.js'
  );
  const dir = federation.folder(COORDINATOR);
  const project = makeProject(dir, named);
  const tell = (action: LinkageAction): Promise<LinkageStatus> =>
    instruct({ dir, url: federation.url }, project, action, federation.nowMs);
  return {
    project,
    tell,
    async until(action) {
      let status = await tell(action);
      assertAccepted(status);
      const end = Date.now() + WITHIN_MS;
      while (!isFinished(status, action)) {
        if (Date.now() > end) throw new Error(statusLines(status).join('\n'));
        await pause(POLL_MS);
        status = await tell('status');
      }
      return status;
    },
  };
}
