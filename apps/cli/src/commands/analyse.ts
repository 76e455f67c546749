/** `concordat analyse`: statistics that know the noise, and the back-test of the forecast. */
import type { Command } from 'commander';
import { addStatistics } from '../analyse/statistics-command.js';

export function registerAnalyse(program: Command): void {
  const analyse = program
    .command('analyse')
    .description('detect, track, predict and evaluate on noisy counts');
  addStatistics(analyse);
}
