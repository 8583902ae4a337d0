/** What a vendor would send a bill for, and what it was asked, whether it accepted or not. */
export class SubmitLedger<Plan, Attempt, Charge> {
  readonly #plans: Plan[] = [];
  readonly attempts: Attempt[] = [];
  readonly charges: Charge[] = [];

  /** Queues plans for the next submits, one each. */
  plan(...plans: Plan[]): void {
    this.#plans.push(...plans);
  }

  next(): Plan | undefined {
    return this.#plans.shift();
  }
}
