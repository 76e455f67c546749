import { ConcordatError } from '#libs/bytes';
import { Problem } from '#libs/protocol';
import { readControl } from './control-file.js';

/** What a command wants of the process that runs over a folder. */
export interface RunningRequest {
  /** Which process, as a person reads it: `node`, `coordinator`, `auditor`. */
  readonly process: string;
  /** Its control file. */
  readonly control: string;
  /** Path of a POST, as `/v1/rotate-key`. */
  readonly path: string;
  readonly body: object;
  readonly timeoutMs: number;
}

/** One that takes longer is alive and busy. */
const ALIVE_MS = 3_000;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Whether a process that serves has written the control file: something answers at its address. Throws what `readControl` throws. */
export async function isServed(control: string): Promise<boolean> {
  const url = readControl(control)?.url;
  if (url === undefined) return false;
  return fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(ALIVE_MS) }).then(
    () => true,
    (error: Error) => error.name === 'TimeoutError',
  );
}

/**
 * Posts to the process that wrote the control file; the object that it answers with, or undefined when none runs: there is no such file, or
 * nothing listens any more, as after a kill. Throws what `readControl` throws, `<process>-unresponsive` after `timeoutMs`, the code of the
 * problem document that it answers with, and `http-<status>` for any other answer.
 */
export async function askRunning(request: RunningRequest): Promise<object | undefined> {
  const { process, path, body, timeoutMs } = request;
  const control = readControl(request.control);
  if (!control) return undefined;
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, control.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${control.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') return undefined;
    throw new ConcordatError(
      `${process}-unresponsive`,
      `the ${process} runs and does not answer; see its log`,
    );
  }
  const answer = parseJson(text);
  if (response.ok && typeof answer === 'object' && answer !== null) return answer;
  const problem = Problem.safeParse(answer);
  throw problem.success
    ? new ConcordatError(problem.data.code, problem.data.title)
    : new ConcordatError(
        `http-${response.status}`,
        `the ${process} did not do what was asked; see its log`,
      );
}
