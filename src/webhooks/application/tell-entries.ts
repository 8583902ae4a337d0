import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { newId } from '../../shared/ids.js';

/** Entries that one transaction makes deliveries of. */
const MAX_DELIVERIES = 200;
/** Entries that one transaction looks at: an endpoint that was paused for long has many to go through. */
const MAX_ENTRIES = 5_000;
/** With so many deliveries that are due, an endpoint is given no further ones: they wait in the log. */
const MAX_DUE = 1_000;

interface EndpointRow {
  id: string;
  events: string[];
  next_index: string;
}

/**
 * Makes deliveries of what the log says, up to the last checkpoint. The log is the outbox: an endpoint remembers where it
 * stands, in the transaction that makes its deliveries, so a crash at any line tells nothing twice and leaves nothing out.
 */
export class TellEntries {
  constructor(private readonly clock: Clock) {}

  /** @returns whether there may be more */
  async tell(tx: Tx): Promise<boolean> {
    const [log] = await tx.query<{ size: string | null }>(
      'SELECT max(size) AS size FROM audit_checkpoint WHERE organization_id = $1',
      [tx.organizationId],
    );
    const size = Number(log?.size ?? 0);
    // What another worker is at, it will finish.
    const endpoints = await tx.query<EndpointRow>(
      `SELECT id, events, next_index FROM webhook_endpoint e
        WHERE organization_id = $1 AND state = 'active' AND next_index < $2
          AND (SELECT count(*) FROM (SELECT FROM webhook_delivery d WHERE d.organization_id = $1
                  AND d.endpoint_id = e.id AND d.state = 'due' LIMIT $3) due) < $3
        ORDER BY id FOR UPDATE OF e SKIP LOCKED`,
      [tx.organizationId, size, MAX_DUE],
    );
    let more = false;
    for (const endpoint of endpoints) {
      const next = await this.tellOne(tx, endpoint, size);
      more ||= next < size;
    }
    return more;
  }

  private async tellOne(tx: Tx, { id, events, next_index }: EndpointRow, size: number): Promise<number> {
    const from = Number(next_index);
    const end = Math.min(size, from + MAX_ENTRIES);
    const entries = await tx.query<{ index: string; entry_type: string }>(
      `SELECT index, entry_type FROM audit_entry
        WHERE organization_id = $1 AND index >= $2 AND index < $3
          AND ('*' = ANY($4) OR entry_type = ANY($4) OR split_part(entry_type, '.', 1) || '.*' = ANY($4))
        ORDER BY index LIMIT $5`,
      [tx.organizationId, from, end, events, MAX_DELIVERIES],
    );
    const now = this.clock.now();
    for (const { index, entry_type } of entries) {
      await tx.query(
        `INSERT INTO webhook_delivery
           (organization_id, id, endpoint_id, entry_index, event, state, attempts, next_attempt_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'due', 0, $6, $6)`,
        [tx.organizationId, newId(), id, index, entry_type, now],
      );
    }
    const last = entries.at(-1);
    const next = entries.length < MAX_DELIVERIES || last === undefined ? end : Number(last.index) + 1;
    await tx.query(
      'UPDATE webhook_endpoint SET next_index = $3 WHERE organization_id = $1 AND id = $2 RETURNING id',
      [tx.organizationId, id, next],
    );
    return next;
  }
}
