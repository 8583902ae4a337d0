import { type OrganizationTx, type Tx } from '../../../database/organization-tx.js';
import { ColophonError } from '../../../shared/errors.js';
import { type LoggedKeyEvent } from '../../domain/key-generation.js';
import { type KeyGenerations } from './key-generations.port.js';

/** Writes one event into the log of the organization of this transaction. @returns UUID of the entry */
export type AppendKeyEntry = (tx: Tx, event: LoggedKeyEvent, signedAssets: number) => Promise<string>;

/**
 * Keys belong to the installation, logs to organizations: every log that exists when a key begins, ends or is given up
 * gets an entry that says so. It is written by whoever comes first: the transaction of the organization's next asset,
 * so that no asset stands in a log before the key that signed it, or {@link tellAll}, which every process runs now and
 * then; a lock lets one of them write at a time. A report key that was active before the log began is named by
 * {@link nameKey}.
 *
 * Crash between the change of a key and this: the next round, or the next asset, makes up for it.
 */
export class TellLogs {
  /** Number of the newest event when the last round found nothing missing anywhere. */
  private toldUntil = 0;

  constructor(
    private readonly generations: KeyGenerations,
    private readonly organizationTx: OrganizationTx,
    private readonly append: AppendKeyEntry,
  ) {}

  /**
   * For RecordAsset. The key may be active, or retiring: what was being signed when it was superseded is finished.
   * @throws ColophonError `signer_unavailable`
   */
  async admit(tx: Tx, certificateSha256: string): Promise<void> {
    const state = await this.generations.stateForRecord(tx, certificateSha256);
    if (state !== 'active' && state !== 'retiring') {
      throw new ColophonError(
        'signer_unavailable',
        'The key that signed this file was given up meanwhile. The file is not used; sign it again.',
      );
    }
    await this.tell(tx);
  }

  /**
   * Before a report is signed with a key that was active when this log began: only an entry of the log shows a stranger
   * that it is a key of this installation.
   */
  async nameKey(organizationId: string, certificateSha256: string): Promise<void> {
    await this.organizationTx.run(organizationId, async (tx) => {
      if ((await this.generations.unloggedActivations(tx, certificateSha256)).length === 0) return;
      await this.generations.lockTelling(tx);
      await this.write(tx, await this.generations.unloggedActivations(tx, certificateSha256));
    });
  }

  /** @returns how many entries were written */
  async tellAll(): Promise<number> {
    const newest = await this.generations.newestLoggedEvent();
    if (newest === undefined || newest.ordinal <= this.toldUntil) return 0;
    let written = 0;
    for (const organizationId of await this.generations.organizationsSince(newest.at))
      written += await this.organizationTx.run(organizationId, (tx) => this.tell(tx));
    this.toldUntil = newest.ordinal;
    return written;
  }

  private async tell(tx: Tx): Promise<number> {
    if ((await this.generations.unloggedEvents(tx)).length === 0) return 0;
    // Two at once would both write it, and one of them would fail of the other: an asset, perhaps.
    await this.generations.lockTelling(tx);
    const events = await this.generations.unloggedEvents(tx);
    await this.write(tx, events);
    return events.length;
  }

  private async write(tx: Tx, events: readonly LoggedKeyEvent[]): Promise<void> {
    for (const event of events) {
      const entryId = await this.append(tx, event, await this.signedWith(tx, event));
      await this.generations.markLogged(tx, event.ordinal, entryId);
    }
  }

  private async signedWith(tx: Tx, { event, key }: LoggedKeyEvent): Promise<number> {
    if (event !== 'compromised') return 0;
    return this.generations.assetsSignedWith(tx, key.certificate?.sha256 ?? '');
  }
}
