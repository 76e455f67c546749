/** Counts of incident files for benches: one counter a category, and one for all incidents. */
import { categorySelection, IncidentCounter } from '../../apps/cli/src/analyse/incident-counts.js';
import { readIncidents } from '../../apps/cli/src/analyse/incident-files.js';

/** The shipped year of two forces: patterns of police.uk files, one set of files each. */
export const SHIPPED =
  'samples/agencies/avon-and-somerset-police/*.csv.gz,samples/agencies/city-of-london-police/*.csv.gz';
export const RESOLUTION = 9;

/** Labels of the category column and one counter for each, and for all incidents. */
export async function countersOf(pattern: string): Promise<Map<string, IncidentCounter>> {
  const labels = new Set<string>();
  await readIncidents([pattern], ({ row }) => labels.add(row['Crime type'] ?? ''));
  const counters = new Map(
    ['all', ...[...labels].sort()].map((label) => {
      const selection = categorySelection(label);
      return [label, new IncidentCounter(RESOLUTION, selection ? [selection] : [])];
    }),
  );
  await readIncidents([pattern], (incident) => {
    for (const counter of counters.values()) counter.add(incident);
  });
  return counters;
}
