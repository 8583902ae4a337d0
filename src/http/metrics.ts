import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the logs look like at the moment of a scrape. */
export interface LogFigures {
  readonly pendingEntries: number;
  readonly logsWithUnmetPolicy: number;
  readonly logsInConflict: number;
  readonly parties: readonly {
    readonly kind: string;
    readonly name: string;
    readonly failingLogs: number;
    readonly lastSuccessAt: Date | undefined;
  }[];
}

/** Prometheus metrics. No label ever holds an organization, a person or a prompt. */
export class Metrics {
  private readonly registry = new Registry();

  readonly requestSeconds = new Histogram({
    name: 'colophon_http_request_seconds',
    help: 'Time to answer an HTTP request, by route pattern',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });

  readonly refusals = new Counter({
    name: 'colophon_http_refusals_total',
    help: 'Refused requests, by status',
    labelNames: ['status'] as const,
    registers: [this.registry],
  });

  private beforeScrape: () => Promise<void> = () => Promise.resolve();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Signatures by our key that no log of ours knows, found by verification. Anything above zero is an alarm. */
  watchKeyMisuse(count: () => number): void {
    new Gauge({
      name: 'colophon_key_misuse_found',
      help: 'Verified files with a signature by our claim key that our logs do not know, since the start',
      registers: [this.registry],
      collect() {
        this.set(count());
      },
    });
  }

  /** Figures of the logs, asked for at each scrape. While they cannot be had they are absent, not zero. */
  watchLogs(read: () => Promise<LogFigures>): void {
    const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
      new Gauge({ name, help, labelNames, registers: [this.registry] });
    const pending = gauge('colophon_log_pending_entries', 'Committed entries that wait for their index');
    const unmet = gauge('colophon_log_policy_unmet', 'Logs whose witness policy is not met');
    const conflicts = gauge('colophon_log_conflicts', 'Logs that a witness knows another history of');
    const failing = gauge('colophon_anchor_failing_logs', 'Logs for which this party failed last', [
      'kind',
      'name',
    ]);
    const success = gauge(
      'colophon_anchor_last_success_timestamp_seconds',
      'When this party last confirmed a log',
      ['kind', 'name'],
    );
    this.beforeScrape = async () => {
      for (const each of [pending, unmet, conflicts, failing, success]) each.reset();
      const figures = await read().catch(() => undefined);
      if (figures === undefined) {
        for (const each of [pending, unmet, conflicts]) each.remove();
        return;
      }
      pending.set(figures.pendingEntries);
      unmet.set(figures.logsWithUnmetPolicy);
      conflicts.set(figures.logsInConflict);
      for (const { kind, name, failingLogs, lastSuccessAt } of figures.parties) {
        failing.set({ kind, name }, failingLogs);
        if (lastSuccessAt) success.set({ kind, name }, lastSuccessAt.getTime() / 1000);
      }
    };
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    await this.beforeScrape();
    return this.registry.metrics();
  }
}
