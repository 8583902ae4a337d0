/** One submission that the fake accepted and would send a bill for. */
export interface LedgerEntry {
  readonly endpoint: string;
  readonly requestId: string;
  readonly atMs: number;
  readonly units: number;
  /** The UUID in the webhook URL, by which a lost answer identifies its step. */
  readonly stepRunId: string | undefined;
  readonly webhookUrl: string | undefined;
}

/** A POST to the queue, whether it was accepted or not. Shows retries that the ledger would not. */
export interface SubmitAttempt {
  readonly endpoint: string;
  readonly atMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly input: unknown;
}

export class BillingLedger {
  readonly #entries: LedgerEntry[] = [];
  readonly #attempts: SubmitAttempt[] = [];

  charge(entry: LedgerEntry): void {
    this.#entries.push(entry);
  }

  attempt(attempt: SubmitAttempt): void {
    this.#attempts.push(attempt);
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#entries];
  }

  attempts(): readonly SubmitAttempt[] {
    return [...this.#attempts];
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

export function stepRunIdOf(webhookUrl: string | undefined): string | undefined {
  return webhookUrl === undefined ? undefined : UUID.exec(webhookUrl)?.[0];
}
