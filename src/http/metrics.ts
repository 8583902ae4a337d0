import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TimedQuestion } from './timed-question.js';

/** A scraper waits ten seconds by default, and what can be had is told without what cannot. */
const LIMIT_MS = 5_000;

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

/** What the signing keys look like at the moment of a scrape. */
export interface KeyFigures {
  readonly purpose: string;
  readonly state: string;
  readonly certificate: { readonly notAfter: Date } | undefined;
}

/** Fingerprints by which pictures are found again, at the moment of a scrape. */
export interface FingerprintFigures {
  readonly missing: number;
  readonly filled: number;
  readonly failures: number;
}

/** Money since the start of this process, by level of the budget. */
export interface MoneyFigures {
  readonly refusals: Readonly<Record<string, number>>;
  readonly softLimitCrossings: Readonly<Record<string, number>>;
  readonly overruns: number;
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

  private readonly beforeScrape: (() => Promise<void>)[] = [];

  constructor(private readonly limitMs = LIMIT_MS) {
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
    const asked = new TimedQuestion(read, this.limitMs);
    this.beforeScrape.push(async () => {
      const figures = await asked.answer().catch(() => undefined);
      for (const each of [pending, unmet, conflicts, failing, success]) each.reset();
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
    });
  }

  /** End of validity of the keys that sign, asked for at each scrape. While it cannot be had it is absent. */
  watchKeys(read: () => Promise<readonly KeyFigures[]>): void {
    const end = new Gauge({
      name: 'colophon_signing_certificate_end_timestamp_seconds',
      help: 'When the certificate of the active key ends, by what the key signs',
      labelNames: ['purpose'],
      registers: [this.registry],
    });
    const asked = new TimedQuestion(read, this.limitMs);
    this.beforeScrape.push(async () => {
      const keys = await asked.answer().catch(() => []);
      end.reset();
      for (const { purpose, state, certificate } of keys)
        if (state === 'active' && certificate) end.set({ purpose }, certificate.notAfter.getTime() / 1000);
    });
  }

  /** Figures of this process. */
  watchFingerprints(read: () => FingerprintFigures): void {
    const gauge = (name: string, help: string, figure: (figures: FingerprintFigures) => number): void => {
      const registered: Gauge = new Gauge({
        name,
        help,
        registers: [this.registry],
        collect: () => {
          registered.set(figure(read()));
        },
      });
    };
    gauge(
      'colophon_fingerprints_missing',
      'Assets of before the start that have no fingerprint yet',
      ({ missing }) => missing,
    );
    gauge(
      'colophon_fingerprints_filled',
      'Fingerprints of earlier assets made since the start',
      ({ filled }) => filled,
    );
    gauge(
      'colophon_fingerprint_failures',
      'Pictures since the start of which no fingerprint could be made',
      ({ failures }) => failures,
    );
  }

  /** Figures of this process. */
  watchMoney(read: () => MoneyFigures): void {
    const byLevel = (
      name: string,
      help: string,
      figure: (figures: MoneyFigures) => Record<string, number>,
    ) => {
      const registered: Gauge = new Gauge({
        name,
        help,
        labelNames: ['level'],
        registers: [this.registry],
        collect: () => {
          for (const [level, count] of Object.entries(figure(read()))) registered.set({ level }, count);
        },
      });
    };
    byLevel(
      'colophon_budget_refusals',
      'Runs refused since the start because a hard limit did not hold them',
      ({ refusals }) => refusals,
    );
    byLevel(
      'colophon_budget_soft_limit_crossings',
      'Reservations since the start that went beyond a soft limit',
      ({ softLimitCrossings }) => softLimitCrossings,
    );
    const overruns: Gauge = new Gauge({
      name: 'colophon_settlements_above_reservation',
      help: 'Steps since the start that cost more than was reserved for them',
      registers: [this.registry],
      collect: () => {
        overruns.set(read().overruns);
      },
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    await Promise.all(this.beforeScrape.map((prepare) => prepare()));
    return this.registry.metrics();
  }
}
