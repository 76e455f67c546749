/** `concordat analyse`: statistics that know the noise, and the back-test of the forecast. */
import type { Command } from 'commander';
import { addBackTest } from '../analyse/back-test-command.js';
import { addStatistics } from '../analyse/statistics-command.js';
import { addLayers } from '../layers/layer-command.js';

export function registerAnalyse(program: Command): void {
  const analyse = program
    .command('analyse')
    .description('detect, track, predict and evaluate on noisy counts');
  addBackTest(analyse);
  addStatistics(analyse);
  addLayers(analyse);
}
