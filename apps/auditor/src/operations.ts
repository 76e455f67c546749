import type { Journal, Witness } from '#libs/journal';
import { Metrics, type Operations } from '#libs/nest-kit';
import { logVerifierKeys, type Manifest } from '#libs/protocol';

/** What whoever runs the auditor may ask it: sizes of logs as metrics, and whether it is ready. */
export function auditorOperations(
  id: string,
  journal: Journal,
  witness: Witness,
  pinned: { readonly manifest: Manifest },
): Operations {
  const metrics = new Metrics(id);
  metrics.gauge('concordat_log_entries', 'Size of the own log', () => Number(journal.size));
  metrics.gaugeBy(
    'concordat_witnessed_log_entries',
    'Size of each log at its newest cosigned checkpoint',
    ['origin'],
    async () =>
      [...logVerifierKeys(pinned.manifest).keys()].flatMap((name) => {
        const latest = witness.latest(name);
        return latest ? [{ labels: { origin: name }, value: Number(latest.size) }] : [];
      }),
  );
  return {
    metrics,
    ready: {
      log: () => (journal.size > 0n ? undefined : 'log-unavailable'),
      manifest: () => undefined,
    },
  };
}
