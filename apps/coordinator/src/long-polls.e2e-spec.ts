/** Long polls over real sockets: of clients that leave nothing stays behind, and a coordinator that stops waits for none and takes none. */
import { afterEach, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { COORDINATOR, eventually, Federation, streetFile } from '#libs/testing';

const WAIT_SECONDS = 25;
const CLIENTS = 300;
/** Far below the time that the polls ask for, far above what it takes to hear that they were given up. */
const WITHIN_MS = (WAIT_SECONDS * 1000) / 2;
const cell = cellAt(51.4545, -2.5879, 9);

let federation: Federation;
afterEach(() => federation?.close());

const open = (): Promise<Federation> =>
  Federation.open({
    agencies: [
      {
        id: 'alpha-police',
        domain: domainFromCells('test/alpha', disk(cell, 1)),
        files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell }]) },
      },
    ],
  });
const poll = (signal?: AbortSignal): Promise<Response> =>
  fetch(
    new URL(`/v1/manifests?after=1000&wait=${WAIT_SECONDS}`, federation.url),
    signal ? { signal } : {},
  );
/** Timers of this process, in which the whole federation runs. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

it('end when their client leaves', async () => {
  federation = await open();
  const before = timers();
  const leave = new AbortController();
  const polls = Array.from({ length: CLIENTS }, () => poll(leave.signal));
  const left = Promise.allSettled(polls);
  await eventually(() => expect(timers()).toBeGreaterThanOrEqual(before + CLIENTS), WITHIN_MS);
  leave.abort();
  for (const { status } of await left) expect(status).toBe('rejected');
  await eventually(() => expect(timers()).toBeLessThan(before + CLIENTS / 2), WITHIN_MS);
});

it('are refused while the coordinator stops, those that wait and those that come', async () => {
  federation = await open();
  const before = timers();
  let served = true;
  const answers: Promise<(number | string | null)[]>[] = Array.from({ length: CLIENTS }, () =>
    poll().then(async (answer) => [
      answer.status,
      answer.headers.get('retry-after'),
      ((await answer.json()) as { code: string }).code,
    ]),
  );
  /** Asks again at once, whatever it is told, until nobody listens. */
  const stubborn = async (): Promise<number[]> => {
    const statuses: number[] = [];
    while (served) {
      const status = await poll().then(
        (answer) => answer.status,
        () => undefined,
      );
      if (status === undefined) break;
      statuses.push(status);
    }
    return statuses;
  };
  const told = stubborn();
  await eventually(() => expect(timers()).toBeGreaterThan(before + CLIENTS), WITHIN_MS);
  const begunMs = performance.now();
  await federation.stop(COORDINATOR);
  served = false;
  for (const answer of await Promise.all(answers)) expect(answer).toEqual([503, '1', 'stopping']);
  expect(new Set(await told)).toEqual(new Set([503]));
  expect(performance.now() - begunMs).toBeLessThan(WITHIN_MS);
});
