/** What the coordinator and its workers tell whoever runs them. */
import type { JobEvent, Jobs } from '#libs/jobs';
import type { Metrics, Operations, ReadyCheck } from '#libs/nest-kit';
import type { Coordinator } from './coordinator.js';
import type { ReleaseStore } from './releases/release-store.js';
import type { RoundBook } from './rounds/round-book.js';

/** Metrics of jobs, and what feeds them from the queue's events. */
export function jobMetrics(metrics: Metrics): (event: JobEvent) => void {
  const count = metrics.counter('concordat_job_events_total', 'Jobs by what happened to them', [
    'kind',
    'event',
  ]);
  const measure = metrics.durations('concordat_job_duration_seconds', 'Tries of jobs that ended', [
    'kind',
    'outcome',
  ]);
  return ({ type, kind, durationMs }) => {
    count({ kind, event: type });
    if (type === 'done' || type === 'failed' || type === 'retried') {
      measure({ kind, outcome: type }, durationMs / 1000);
    }
  };
}

/** The queue as it stands now; readable from every process that knows it. */
export function queueMetrics(metrics: Metrics, jobs: Jobs): void {
  metrics.gaugeBy('concordat_jobs', 'Jobs that the queue knows, by status', ['status'], async () =>
    Object.entries(await jobs.counts()).map(([status, value]) => ({ labels: { status }, value })),
  );
  metrics.gaugeBy('concordat_job_workers', 'Processes that take jobs', [], async () => [
    { labels: {}, value: await jobs.workers() },
  ]);
}

/** Ready when some process takes jobs. */
export const workerCheck =
  (jobs: Jobs): ReadyCheck =>
  async () =>
    (await jobs.workers()) > 0 ? undefined : 'no-worker';

const tally = <T extends string>(labels: Iterable<T>): Map<T, number> => {
  const counts = new Map<T, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
};

/** The coordinator's own: rounds and contributions in mind, log, releases, manifest. */
export function coordinatorOperations(
  metrics: Metrics,
  coordinator: Coordinator,
  book: RoundBook,
  releases: ReleaseStore,
  jobs: Jobs,
): Operations {
  const { journal, federation } = coordinator;
  metrics.gaugeBy('concordat_rounds', 'Rounds in mind, by phase', ['phase'], async () =>
    [...tally(book.all().map(({ phase }) => phase))].map(([phase, value]) => ({
      labels: { phase },
      value,
    })),
  );
  metrics.gaugeBy(
    'concordat_contributions',
    'What agencies said in the rounds in mind, by agency and status',
    ['agency', 'status'],
    async () => {
      const said = book
        .all()
        .flatMap(({ standings }) =>
          [...standings].map(([agency, { status }]) => `${agency} ${status}`),
        );
      return [...tally(said)].map(([label, value]) => {
        const [agency = '', status = ''] = label.split(' ');
        return { labels: { agency, status }, value };
      });
    },
  );
  metrics.gauge('concordat_log_entries', 'Size of the own log', () => Number(journal.size));
  metrics.gauge('concordat_releases', 'Releases that the log names', () => releases.all().length);
  metrics.gauge('concordat_manifest_serial', 'Serial of the manifest in force', () =>
    Number(federation.manifest.serial),
  );
  queueMetrics(metrics, jobs);
  return {
    metrics,
    ready: {
      // opened and verified at the start, or there would be no process
      log: () => (journal.size > 0n ? undefined : 'log-unavailable'),
      manifest: () => (federation.hash === '' ? 'manifest-missing' : undefined),
      jobs: workerCheck(jobs),
    },
  };
}
