/**
 * How long a request to the coordinator waits for its event loop while a round of the national grid (1.5 million cells of resolution 9) is
 * taken in, composed and published. The coordinator has a process of its own, and the node that answers for the whole country shares the
 * machine with it.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { cellAt, parseDomainFile } from '#libs/grid';
import { COORDINATOR, Federation, streetFile } from '#libs/testing';
import type { Emit } from './line.js';
import { MeasuredCoordinator } from './measured-coordinator.js';

const GRID = 'samples/grid/ew-2026-1.txt.gz';
/** The first composes while everything is new to it. */
const RHOS = ['1/8', '1/9'];

export async function run(emit: Emit): Promise<void> {
  const domain = parseDomainFile('ew-2026-1', gunzipSync(readFileSync(GRID)).toString());
  const cell = cellAt(51.4545, -2.5879, 9);
  const files = { 'street.csv': streetFile([{ month: '2024-01', type: 'Robbery', cell }]) };
  const federation = await Federation.open({
    agencies: [{ id: 'national-police', domain, files }],
    roundDeadlineSeconds: 3_600,
    serve: false,
  });
  let coordinator: MeasuredCoordinator | undefined;
  try {
    coordinator = await MeasuredCoordinator.start(federation.folder(COORDINATOR), federation.nowMs);
    federation.url = coordinator.url;
    await federation.startNode('national-police');
    await federation.untilConnected('national-police');
    for (const [at, rho] of RHOS.entries()) {
      const publishing = coordinator.publishAt(federation.nowMs);
      await federation.submit({ categories: ['robbery'], periods: ['2024-01'], rho });
      const { wallMs, cpuMs, delayP99Ms, delayMaxMs } = await publishing;
      const name = `event-loop/national round ${at + 1}`;
      emit({ name: `${name}, from question to release`, figure: wallMs, unit: 'ms' });
      emit({ name: `${name}, processor time of the coordinator`, figure: cpuMs, unit: 'ms' });
      emit({ name: `${name}, p99 of delay`, figure: delayP99Ms, unit: 'ms' });
      emit({ name: `${name}, longest delay`, figure: delayMaxMs, unit: 'ms' });
    }
  } finally {
    // it writes to its folder, which goes with the federation
    await coordinator?.stop();
    await federation.close();
  }
}
