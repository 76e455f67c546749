import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** From a cache hit to a long poll, in seconds. */
const REQUEST_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 30];
/** From a small round to a national one, in seconds. */
const JOB_BUCKETS = [0.1, 0.5, 2, 10, 60, 300, 1_800];

/**
 * The Prometheus metrics of one process. Names begin with `concordat_` and end with their unit; labels are phases, codes, routes and
 * names of the manifest, never an id of a round, a value or anything of a record.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly requests: Histogram<'method' | 'route' | 'status'>;

  constructor(process: string) {
    this.registry.setDefaultLabels({ process });
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Histogram({
      name: 'concordat_http_request_duration_seconds',
      help: 'Requests answered, by route pattern',
      labelNames: ['method', 'route', 'status'],
      buckets: REQUEST_BUCKETS,
      registers: [this.registry],
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The text that Prometheus scrapes. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Counts one request. */
  answered(method: string, route: string, status: number, seconds: number): void {
    this.requests.observe({ method, route, status: String(status) }, seconds);
  }

  /** Something that is read when it is asked for. What cannot be read is left out. */
  gauge(name: string, help: string, read: () => number | undefined): void {
    this.gaugeBy(name, help, [], async () => {
      const value = read();
      return value === undefined ? [] : [{ labels: {}, value }];
    });
  }

  /** The same for each of several labels. */
  gaugeBy<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: () => Promise<
      readonly { readonly labels: Readonly<Record<Label, string>>; readonly value: number }[]
    >,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      async collect() {
        this.reset();
        const samples = await read().catch(() => []);
        if (samples.length === 0) this.remove();
        for (const { labels, value } of samples) this.set({ ...labels }, value);
      },
    });
  }

  /** A counter by labels; call what comes back to count. */
  counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): (labels: Readonly<Record<Label, string>>) => void {
    const counter = new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
    });
    return (labels) => counter.inc({ ...labels });
  }

  /** Durations of work, in seconds. */
  durations<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): (labels: Readonly<Record<Label, string>>, seconds: number) => void {
    const histogram = new Histogram({
      name,
      help,
      labelNames: [...labelNames],
      buckets: JOB_BUCKETS,
      registers: [this.registry],
    });
    return (labels, seconds) => histogram.observe({ ...labels }, seconds);
  }
}
