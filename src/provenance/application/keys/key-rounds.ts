import { type ChangeKeys } from './change-keys.js';
import { type InstallationTrust } from './installation-trust.js';
import { type TellLogs } from './tell-logs.js';

const INTERVAL_MS = 10_000;

/**
 * What has to be done about keys now and then, in every process: learn of new authorities, put superseded keys away,
 * write what is missing into the logs. A round that fails is made up for by the next one.
 */
export class KeyRounds {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();

  constructor(
    private readonly trust: InstallationTrust,
    private readonly changeKeys: ChangeKeys,
    private readonly tellLogs: TellLogs,
    private readonly onFailure: (error: unknown) => void,
    private readonly intervalMs = INTERVAL_MS,
  ) {}

  start(): void {
    this.again(0);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.round;
  }

  private again(afterMs: number): void {
    this.timer = setTimeout(() => {
      this.round = this.run().catch(this.onFailure);
      void this.round.then(() => {
        if (this.timer !== undefined) this.again(this.intervalMs);
      });
    }, afterMs);
    this.timer.unref();
  }

  private async run(): Promise<void> {
    await this.trust.refresh();
    await this.changeKeys.retireDue();
    await this.tellLogs.tellAll();
  }
}
