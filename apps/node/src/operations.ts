/** What a node tells whoever runs it. It listens on loopback: nothing of this leaves the machine. */
import { remaining } from '#libs/ledger';
import { Metrics, type Operations } from '#libs/nest-kit';
import type { Node } from './node.js';
import type { Contact } from './status.controller.js';

/** A poll of the inbox comes back within 25 seconds; three that do not are an outage. */
const OUTAGE_MS = 90_000;
/** Years whose budget is shown: the present one and those before it that questions are mostly about. */
const YEARS_SHOWN = 3;

export function nodeOperations(node: Node, contact: Contact): Operations {
  const metrics = new Metrics(node.agency.id);
  const sinceContactMs = (): number | undefined => {
    const last = contact.lastContactMs();
    return last === undefined ? undefined : node.nowMs() - last;
  };
  metrics.gauge('concordat_log_entries', 'Size of the own log', () => Number(node.journal.size));
  metrics.gauge('concordat_seconds_since_contact', 'Since the coordinator last answered', () => {
    const ms = sinceContactMs();
    return ms === undefined ? undefined : ms / 1000;
  });
  metrics.gauge('concordat_clock_skew_seconds', "The coordinator's clock minus this one", () =>
    contact.clockSkewSeconds(),
  );
  metrics.gaugeBy(
    'concordat_budget_left_rho',
    'Privacy budget left, by dataset and year of the records',
    ['dataset', 'year'],
    async () => {
      const dataset = node.config.dataset.name;
      const thisYear = new Date(node.nowMs()).getUTCFullYear();
      return Array.from({ length: YEARS_SHOWN }, (_, i) => thisYear - i).flatMap((year) => {
        const left = remaining(node.ledger, dataset, String(year));
        return left
          ? [
              {
                labels: { dataset, year: String(year) },
                value: Number(left.num) / Number(left.den),
              },
            ]
          : [];
      });
    },
  );
  return {
    metrics,
    health: () => ({ clockSkewSeconds: contact.clockSkewSeconds() ?? null }),
    ready: {
      // opened and verified at the start, or there would be no process; a witness may close it later
      log: () => contact.logRefusal() ?? (node.journal.size > 0n ? undefined : 'log-unavailable'),
      manifest: () => (node.manifestHash === '' ? 'manifest-missing' : undefined),
      coordinator: () => ((sinceContactMs() ?? Infinity) < OUTAGE_MS ? undefined : 'unreachable'),
    },
  };
}
