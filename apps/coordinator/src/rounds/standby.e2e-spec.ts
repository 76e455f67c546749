/** A second coordinator on the folder of a first: refused, or waiting to take over. */
import { afterEach, expect, it } from '@jest/globals';
import { cellAt, disk, domainFromCells } from '#libs/grid';
import { AUDITOR, COORDINATOR, Federation, ServedProcess, streetFile } from '#libs/testing';

const AGENCY = 'alpha-police';
const LATE = 'beta-police';

let federation: Federation;
const running: ServedProcess[] = [];
afterEach(async () => {
  for (const process of running) await process.end('SIGKILL');
  await federation?.close();
});
const start = (app: 'node' | 'coordinator' | 'auditor', args: readonly string[]): ServedProcess => {
  const process = new ServedProcess(app, ['serve', '--dir', ...args]);
  running.push(process);
  return process;
};

it('is refused while the first lives, and takes its round over when it is killed', async () => {
  const cell = cellAt(51.4545, -2.5879, 9);
  federation = await Federation.open({
    agencies: [AGENCY, LATE].map((id) => ({
      id,
      domain: domainFromCells(`test/${id}`, disk(cell, 2)),
      files: { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell }]) },
    })),
    roundDeadlineSeconds: 200,
    serve: false,
  });
  federation.nowMs = Date.now();
  const folder = federation.folder(COORDINATOR);
  const first = start('coordinator', [folder, '--port', '0']);
  federation.url = await first.ready;
  const { port } = new URL(federation.url);
  const waiting = start('coordinator', [folder, '--port', port, '--standby']);
  const refused = start('coordinator', [folder, '--port', '0']);
  expect(await refused.ended).toBe(1);
  await expect(refused.ready).rejects.toThrow(/log-locked/);

  const dial = ['--coordinator', federation.url];
  await start('auditor', [federation.folder(AUDITOR), ...dial]).ready;
  await start('node', [federation.folder(AGENCY), ...dial]).ready;
  const id = await federation.submit({ categories: ['robbery'], periods: ['2024-01'] });
  await federation.untilRound(id, ({ coverage }) =>
    coverage.some(({ status }) => status === 'answered'),
  );
  expect(await Promise.race([waiting.ready, waiting.ended, 'still waiting'])).toBe('still waiting');
  await first.end('SIGKILL');
  expect(await waiting.ready).toBe(federation.url);
  await start('node', [federation.folder(LATE), ...dial]).ready;
  const round = await federation.untilOver(id);
  expect(round.phase).toBe('released');
  expect(round.coverage.map(({ status }) => status)).toEqual(['answered', 'answered']);
});
