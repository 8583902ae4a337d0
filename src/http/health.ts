import { TimedQuestion } from './timed-question.js';

export interface HealthCheck {
  readonly name: string;
  /** Resolves with one sentence when all is well; throws with one sentence when not. */
  run(): Promise<string>;
}

export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/** Longer than the proof of a signature waits for its key, shorter than anybody who asks whether to send us requests. */
const LIMIT_MS = 5_000;

/** A class, so that it can be injected. The checks are given by the composition root. */
export class Health {
  private readonly checks: readonly (readonly [string, TimedQuestion<string>])[];

  constructor(checks: readonly HealthCheck[], limitMs = LIMIT_MS) {
    this.checks = checks.map((check) => [check.name, new TimedQuestion(() => check.run(), limitMs)]);
  }

  async check(): Promise<HealthReport> {
    const results = await Promise.all(
      this.checks.map(async ([name, question]) => {
        try {
          return { name, ok: true, detail: await question.answer() };
        } catch (error) {
          return { name, ok: false, detail: error instanceof Error ? error.message : 'failed' };
        }
      }),
    );
    return { ready: results.every(({ ok }) => ok), checks: results };
  }
}
