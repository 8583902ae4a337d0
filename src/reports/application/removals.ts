import { type RemovedContent } from '../../assets/application/removed-content.js';
import { type LoggedEntry } from '../../audit/application/read-log.js';
import { type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type DossierRemoval } from '../domain/dossier.js';

/** Of a kind of things, which are gone, each with the entry that says so. */
export class Removals {
  constructor(private readonly removed: RemovedContent) {}

  /**
   * @param entries those that the report cites, collected before
   * @returns by the id of the thing (UUID)
   * @throws ColophonError `audit_unavailable` when something was removed since: the report is made again
   */
  async of(
    tx: Tx,
    kind: RemovedKind,
    ids: readonly string[],
    entries: readonly LoggedEntry[],
  ): Promise<ReadonlyMap<string, DossierRemoval>> {
    const found = await this.removed.of(tx, kind, ids);
    const texts = entries.filter(({ type }) => type === 'content.removed');
    return new Map(
      [...found].map(([id, { removalId, cause, removedAt }]) => {
        const names = [publicId('removal', removalId), id.replaceAll('-', '')];
        const entry = texts.find(({ entry: bytes }) => names.every((name) => bytes.includes(name)));
        if (entry?.index === undefined)
          throw new ColophonError('audit_unavailable', 'Something was removed while the report was made.');
        return [id, { cause, removedAt: removedAt.toISOString(), entryIndex: entry.index }];
      }),
    );
  }
}
