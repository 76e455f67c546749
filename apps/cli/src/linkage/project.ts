/** Linkage projects as the coordinator's operator runs them: the project file in the coordinator's folder, and signed instructions. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConcordatError, canonicalBytes, canonicalJson } from '#libs/bytes';
import { makeFolders } from '#libs/host';
import { loadSigningKey, verifySignature } from '#libs/keystore';
import {
  type LinkageAction,
  LinkageProject,
  LinkageStatus,
  manifestHash,
  openSignedManifest,
  Problem,
  seal,
} from '#libs/protocol';
import { jsonOf, reach } from '../graphql-client.js';

/** The operator's place: the coordinator's folder and its address. */
export interface Operator {
  readonly dir: string;
  readonly url: string;
}

const keyOf = (dir: string) => loadSigningKey(join(dir, 'keys', 'signing.pem'));
const projectPath = (dir: string, project: string, epoch: string): string =>
  join(dir, 'linkage', `${project}.${epoch}.json`);

const readJson = (path: string, code: string, what: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new ConcordatError(code, `${path} cannot be read; ${what}`);
  }
};

/** The project of an epoch as `init` wrote it. Throws `unknown-project`. */
export function readProject(dir: string, project: string, epoch: string): LinkageProject {
  const path = projectPath(dir, project, epoch);
  const parsed = LinkageProject.safeParse(
    readJson(path, 'unknown-project', 'set the project up first: concordat linkage init'),
  );
  if (parsed.success) return parsed.data;
  throw new ConcordatError('unknown-project', `${path} is not a linkage project`);
}

/** Makes a project between two agencies, for the holders that the manifest names. Throws `no-key-holders`, `bad-project`, `project-exists`. */
export function makeProject(
  dir: string,
  named: Readonly<Record<'project' | 'epoch' | 'left' | 'right', string>>,
): LinkageProject {
  const signed = readJson(
    join(dir, 'manifest.json'),
    'manifest-missing',
    'give the folder of the coordinator with --dir',
  );
  const manifest = openSignedManifest(signed, keyOf(dir).publicKey, verifySignature);
  if (!manifest.keyHolders) {
    throw new ConcordatError('no-key-holders', 'the manifest names no key-holders (keyHolders)');
  }
  const parsed = LinkageProject.safeParse({
    version: 1,
    ...named,
    manifest: manifestHash(manifest),
    holders: manifest.keyHolders,
  });
  const agencies = manifest.agencies.map(({ id }) => id);
  if (!parsed.success || ![named.left, named.right].every((id) => agencies.includes(id))) {
    throw new ConcordatError(
      'bad-project',
      'name project and epoch in lower-case words and hyphens, and two different agencies of the manifest',
    );
  }
  const project = parsed.data;
  const path = projectPath(dir, project.project, project.epoch);
  const text = `${canonicalJson(project)}\n`;
  makeFolders(dirname(path));
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    if (readFileSync(path, 'utf8') !== text) {
      throw new ConcordatError('project-exists', 'this epoch was set up otherwise: name another');
    }
  }
  return project;
}

/** Signs an instruction with the coordinator's key, sends it, and returns what every process concerned said. */
export async function instruct(
  { dir, url }: Operator,
  project: LinkageProject,
  action: LinkageAction,
  nowMs: number,
): Promise<LinkageStatus> {
  const instruction = { action, project, at: new Date(nowMs).toISOString() };
  const signed = seal('linkage', instruction, keyOf(dir));
  const response = await reach(new URL('/v1/linkage/instructions', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(canonicalBytes(signed)),
  });
  const body = await jsonOf(response);
  if (!response.ok) {
    const problem = Problem.safeParse(body);
    throw new ConcordatError(
      problem.success ? problem.data.code : 'not-a-coordinator',
      problem.success ? problem.data.title : `${url} did not answer as a coordinator`,
    );
  }
  const status = LinkageStatus.safeParse(body);
  if (status.success) return status.data;
  throw new ConcordatError('unexpected-answer', 'the coordinator runs another version');
}

type Part = LinkageStatus['parts'][number]['parts'][number];

/** Every process's part of one role. */
const partsOf = (status: LinkageStatus, role: Part['role']) =>
  status.parts.flatMap(({ process, parts }) =>
    parts.filter((part) => part.role === role).map((part) => ({ process, part })),
  );

/** Whether what an action began has come to its end; throws the code of a process that failed or refused. */
export function isFinished(status: LinkageStatus, action: LinkageAction): boolean {
  const [role, goal] =
    action === 'keygen' ? (['holder', 'holds-share'] as const) : (['node', 'labelled'] as const);
  const { holders, left, right } = status.project;
  const parts = partsOf(status, role);
  const failed = parts.find(({ part }) => part.state === 'failed');
  if (failed) {
    const code = failed.part.code ?? 'failed';
    throw new ConcordatError(code, `${failed.process} could not finish: ${code}`);
  }
  const reached = parts.filter(({ part }) => part.state === goal);
  if (action === 'keygen' && reached.length === holders.length) {
    const keys = new Set(reached.map(({ part }) => part.publicKey));
    if (keys.size > 1) {
      throw new ConcordatError(
        'keys-differ',
        'the holders name different keys: begin another epoch',
      );
    }
  }
  return reached.length === (action === 'keygen' ? holders : [left, right]).length;
}

/** Throws the code of the first process that refused an instruction outright; one that is away may still do it. */
export function assertAccepted(status: LinkageStatus): void {
  const refused = status.parts.find(({ code }) => code !== null && code !== 'no-answer');
  if (refused?.code) {
    throw new ConcordatError(refused.code, `${refused.process} refused the instruction`);
  }
}

/** OPRF inputs evaluated and to evaluate, over both nodes. */
export const labelsDone = (status: LinkageStatus): { done: number; total: number } =>
  partsOf(status, 'node').reduce(
    (sum, { part }) => ({ done: sum.done + part.done, total: sum.total + part.total }),
    { done: 0, total: 0 },
  );

/** Holders that have their share, and all. */
export const sharesMade = (status: LinkageStatus): { done: number; total: number } => ({
  done: partsOf(status, 'holder').filter(({ part }) => part.state === 'holds-share').length,
  total: status.project.holders.length,
});

/** One line a process and role. */
export const statusLines = (status: LinkageStatus): string[] =>
  status.parts.flatMap(({ process, parts, code }) =>
    code === null
      ? parts.map(
          (part) =>
            `${process.padEnd(28)} ${part.role.padEnd(7)} ${part.state}` +
            `${part.total > 0 ? ` ${part.done} of ${part.total}` : ''}${part.code ? ` (${part.code})` : ''}`,
        )
      : [`${process.padEnd(28)} ${code}`],
  );
