export interface HealthCheck {
  readonly name: string;
  /** Resolves with one sentence when all is well; throws with one sentence when not. */
  run(): Promise<string>;
}

export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/** A class, so that it can be injected. The checks are given by the composition root. */
export class Health {
  constructor(private readonly checks: readonly HealthCheck[]) {}

  async check(): Promise<HealthReport> {
    const results = await Promise.all(
      this.checks.map(async (check) => {
        const { name } = check;
        try {
          return { name, ok: true, detail: await check.run() };
        } catch (error) {
          return { name, ok: false, detail: error instanceof Error ? error.message : 'failed' };
        }
      }),
    );
    return { ready: results.every(({ ok }) => ok), checks: results };
  }
}
