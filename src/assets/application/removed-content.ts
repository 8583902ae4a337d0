import { type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';

/** Bytes, or sealed words, that were removed. What the record says of them stays. */
export interface ContentRemoval {
  /** UUID; the entries `content.removed` and `content.files_deleted` name it. */
  readonly removalId: string;
  readonly cause: 'retention' | 'erasure';
  readonly removedAt: Date;
}

interface Row {
  thing_id: string;
  removal_id: string;
  cause: ContentRemoval['cause'];
  removed_at: Date;
}

/** What is gone, for whoever meets a thing without its bytes (migration 0035 writes it). */
export class RemovedContent {
  /** By the id of the thing (UUID). */
  async of(tx: Tx, kind: RemovedKind, ids: readonly string[]): Promise<ReadonlyMap<string, ContentRemoval>> {
    if (ids.length === 0) return new Map();
    const rows = await tx.query<Row>(
      `SELECT thing_id, removal_id, cause, removed_at FROM content_removal
        WHERE organization_id = $1 AND kind = $2 AND thing_id = ANY($3::uuid[]) AND revoked_at IS NULL`,
      [tx.organizationId, kind, ids],
    );
    return new Map(rows.map((row) => [row.thing_id, toRemoval(row)]));
  }

  /** @throws ColophonError `content_removed` */
  async requirePresent(tx: Tx, kind: RemovedKind, id: string): Promise<void> {
    const removal = (await this.of(tx, kind, [id])).get(id);
    if (removal) throw contentRemoved(removal);
  }

  /** The latest removal that took a file with these bytes. */
  async ofFile(tx: Tx, sha256: string): Promise<ContentRemoval | undefined> {
    const [row] = await tx.query<Row>(
      `SELECT m.thing_id, m.removal_id, m.cause, m.removed_at FROM removed_file f
         JOIN content_removal m ON m.organization_id = f.organization_id AND m.removal_id = f.removal_id
          AND m.kind = f.kind AND m.thing_id = f.thing_id
        WHERE f.organization_id = $1 AND f.sha256 = $2 AND m.revoked_at IS NULL
        ORDER BY m.removed_at DESC LIMIT 1`,
      [tx.organizationId, sha256],
    );
    return row && toRemoval(row);
  }
}

export function contentRemoved({ removalId, cause, removedAt }: ContentRemoval): ColophonError {
  const why = cause === 'retention' ? 'by a retention rule' : 'with the words of an erased person';
  return new ColophonError('content_removed', `The content was removed ${why}.`, {
    extensions: { removalId: publicId('removal', removalId), removedAt: removedAt.toISOString(), cause },
  });
}

function toRemoval(row: Row): ContentRemoval {
  return { removalId: row.removal_id, cause: row.cause, removedAt: row.removed_at };
}
