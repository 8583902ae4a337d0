import { type DataSource, type EntityManager } from 'typeorm';
import { isDatabaseUnreachable, type Tx } from '../../../database/organization-tx.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';
import { newId } from '../../../shared/ids.js';
import {
  type KeyGenerations,
  type KeyRegister,
  type NewKeyGeneration,
} from '../../application/keys/key-generations.port.js';
import {
  type KeyCertificate,
  type KeyEventKind,
  type KeyGeneration,
  type KeyPurpose,
  type KeyState,
  LOGGED_KEY_EVENTS,
  type LoggedKeyEvent,
  type LoggedKeyEventKind,
} from '../../domain/key-generation.js';
import { type SigningAlgorithm } from '../../domain/signing-algorithm.js';

interface KeyRow {
  id: string;
  purpose: KeyPurpose;
  reference: string;
  algorithm: SigningAlgorithm;
  spki_sha256: string;
  state: KeyState;
  development: boolean;
  chain_pem: string | null;
  certificate_sha256: string | null;
  not_before: Date | null;
  not_after: Date | null;
  created_at: Date;
  changed_at: Date;
}

interface EventRow extends KeyRow {
  ordinal: string;
  event: LoggedKeyEventKind;
  reason: string | null;
}

type Query = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<Row[]>;

/** Asks as the sequencer's role, which alone sees the logs of all organizations. */
export type QueryAllLogs = <Row extends object>(
  sql: string,
  parameters: readonly unknown[],
) => Promise<Row[]>;

/** The tables signing_key, signing_key_event and signing_key_log_entry. */
export class KeyGenerationRepository implements KeyGenerations {
  constructor(
    private readonly dataSource: DataSource,
    private readonly allLogs: QueryAllLogs,
    private readonly clock: Clock,
  ) {}

  async list(purpose?: KeyPurpose): Promise<KeyGeneration[]> {
    const rows = await this.ask<KeyRow>(
      'SELECT * FROM signing_key WHERE $1::text IS NULL OR purpose = $1 ORDER BY created_at, id',
      [purpose ?? null],
    );
    return rows.map(fromRow);
  }

  async active(purpose: KeyPurpose): Promise<KeyGeneration | undefined> {
    const [row] = await this.ask<KeyRow>(
      `SELECT * FROM signing_key WHERE purpose = $1 AND state = 'active'`,
      [purpose],
    );
    return row && fromRow(row);
  }

  change<T>(work: (register: KeyRegister) => Promise<T>): Promise<T> {
    const transaction = this.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtextextended('signing keys', 0))`);
      return work(new Register(queryOf(manager), this.clock));
    });
    return transaction.catch(refuseWithoutDatabase);
  }

  /** Outside an organization's transaction, so what that says of a lost database is said here. */
  private ask<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.dataSource.query<Row[]>(sql, [...parameters]).catch(refuseWithoutDatabase);
  }

  async stateForRecord(tx: Tx, certificateSha256: string): Promise<KeyState | undefined> {
    // A revocation waits for this transaction, or this one sees it.
    const [row] = await tx.query<{ state: KeyState }>(
      'SELECT state FROM signing_key WHERE certificate_sha256 = $1 FOR SHARE',
      [certificateSha256],
    );
    return row?.state;
  }

  async unloggedEvents(tx: Tx): Promise<LoggedKeyEvent[]> {
    const rows = await tx.query<EventRow>(
      `SELECT k.*, e.ordinal, e.event, e.reason
         FROM signing_key_event e JOIN signing_key k ON k.id = e.key_id
         JOIN audit_log l ON l.organization_id = $1 AND e.at >= l.created_at
        WHERE e.event = ANY($2::text[]) AND k.certificate_sha256 IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM signing_key_log_entry t WHERE t.organization_id = $1 AND t.event_ordinal = e.ordinal)
        ORDER BY e.ordinal`,
      [tx.organizationId, LOGGED_KEY_EVENTS],
    );
    return rows.map(toEvent);
  }

  async unloggedActivations(tx: Tx, certificateSha256: string): Promise<LoggedKeyEvent[]> {
    const rows = await tx.query<EventRow>(
      `SELECT k.*, e.ordinal, e.event, e.reason
         FROM signing_key_event e JOIN signing_key k ON k.id = e.key_id
        WHERE e.event = 'activated' AND k.certificate_sha256 = $2 AND NOT EXISTS (
              SELECT 1 FROM signing_key_log_entry t WHERE t.organization_id = $1 AND t.event_ordinal = e.ordinal)
        ORDER BY e.ordinal`,
      [tx.organizationId, certificateSha256],
    );
    return rows.map(toEvent);
  }

  async lockTelling(tx: Tx): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `signing keys ${tx.organizationId}`,
    ]);
  }

  async markLogged(tx: Tx, ordinal: number, entryId: string): Promise<void> {
    await tx.query(
      'INSERT INTO signing_key_log_entry (organization_id, event_ordinal, entry_id) VALUES ($1, $2, $3)',
      [tx.organizationId, ordinal, entryId],
    );
  }

  async assetsSignedWith(tx: Tx, certificateSha256: string): Promise<number> {
    const [row] = await tx.query<{ count: string }>(
      'SELECT count(*) AS count FROM asset WHERE organization_id = $1 AND certificate_sha256 = $2',
      [tx.organizationId, certificateSha256],
    );
    return Number(row?.count ?? 0);
  }

  async newestLoggedEvent(): Promise<{ ordinal: number; at: Date } | undefined> {
    const [row] = await this.ask<{ ordinal: string; at: Date }>(
      `SELECT e.ordinal, e.at FROM signing_key_event e JOIN signing_key k ON k.id = e.key_id
        WHERE e.event = ANY($1::text[]) AND k.certificate_sha256 IS NOT NULL ORDER BY e.ordinal DESC LIMIT 1`,
      [LOGGED_KEY_EVENTS],
    );
    return row && { ordinal: Number(row.ordinal), at: row.at };
  }

  async organizationsSince(at: Date): Promise<string[]> {
    const rows = await this.allLogs<{ organization_id: string }>(
      'SELECT organization_id FROM audit_log WHERE created_at <= $1 ORDER BY organization_id',
      [at],
    );
    return rows.map((row) => row.organization_id);
  }

  async organizations(): Promise<string[]> {
    const rows = await this.allLogs<{ organization_id: string }>(
      'SELECT organization_id FROM audit_log ORDER BY organization_id',
      [],
    );
    return rows.map((row) => row.organization_id);
  }
}

class Register implements KeyRegister {
  constructor(
    private readonly query: Query,
    private readonly clock: Clock,
  ) {}

  async list(): Promise<KeyGeneration[]> {
    return (await this.query<KeyRow>('SELECT * FROM signing_key ORDER BY created_at, id')).map(fromRow);
  }

  async add(key: NewKeyGeneration): Promise<KeyGeneration> {
    const rows = await this.query<KeyRow>(
      `INSERT INTO signing_key (id, purpose, reference, algorithm, spki_sha256, state, development, created_at, changed_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $7) RETURNING *`,
      [newId(), key.purpose, key.reference, key.algorithm, key.spkiSha256, key.development, this.clock.now()],
    );
    return this.recorded(rows, 'created');
  }

  async certify(id: string, certificate: KeyCertificate, development: boolean): Promise<KeyGeneration> {
    const { chainPem, sha256, notBefore, notAfter } = certificate;
    const rows = await this.query<KeyRow>(
      `UPDATE signing_key SET chain_pem = $2, certificate_sha256 = $3, not_before = $4, not_after = $5, development = $6
        WHERE id = $1 RETURNING *`,
      [id, chainPem, sha256, notBefore, notAfter, development],
    );
    return this.recorded(rows, 'certified');
  }

  async move(id: string, to: KeyState, event: KeyEventKind, reason?: string): Promise<KeyGeneration> {
    const rows = await this.query<KeyRow>(
      'UPDATE signing_key SET state = $2, changed_at = $3 WHERE id = $1 RETURNING *',
      [id, to, this.clock.now()],
    );
    return this.recorded(rows, event, reason);
  }

  private async recorded(
    rows: readonly KeyRow[],
    event: KeyEventKind,
    reason?: string,
  ): Promise<KeyGeneration> {
    const [row] = rows;
    if (row === undefined) throw new Error('a signing key has vanished');
    await this.query('INSERT INTO signing_key_event (key_id, event, reason, at) VALUES ($1, $2, $3, $4)', [
      row.id,
      event,
      reason ?? null,
      this.clock.now(),
    ]);
    return fromRow(row);
  }
}

/** Which key signs cannot be known: nothing is signed, and what waits for it is held (promise P3). */
function refuseWithoutDatabase(error: unknown): never {
  if (!isDatabaseUnreachable(error)) throw error;
  throw new ColophonError('audit_unavailable', 'The database cannot be reached or refuses writes.', {
    cause: error,
  });
}

function toEvent(row: EventRow): LoggedKeyEvent {
  return {
    ordinal: Number(row.ordinal),
    event: row.event,
    reason: row.reason ?? undefined,
    key: fromRow(row),
  };
}

/** TypeORM answers `[rows, count]` for UPDATE. */
function queryOf(manager: EntityManager): Query {
  return async <Row>(sql: string, parameters: readonly unknown[] = []) => {
    const answer = await manager.query<unknown>(sql, [...parameters]);
    const isUpdate = Array.isArray(answer) && answer.length === 2 && Array.isArray(answer[0]);
    return (isUpdate ? (answer as [unknown])[0] : answer) as Row[];
  };
}

function fromRow(row: KeyRow): KeyGeneration {
  const { chain_pem: chainPem, certificate_sha256: sha256, not_before: notBefore, not_after: notAfter } = row;
  const certificate =
    chainPem === null || sha256 === null || notBefore === null || notAfter === null
      ? undefined
      : { chainPem, sha256, notBefore, notAfter };
  return {
    id: row.id,
    purpose: row.purpose,
    reference: row.reference,
    algorithm: row.algorithm,
    spkiSha256: row.spki_sha256,
    state: row.state,
    development: row.development,
    certificate,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  };
}
