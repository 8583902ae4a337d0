import type pg from 'pg';
import { type DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { ColophonError } from '../shared/errors.js';

/** One open transaction inside one organization: row-level security lets it see nothing else. */
export interface Tx {
  readonly organizationId: string;
  readonly manager: EntityManager;
  /** Parameterized SQL; rows as the driver returns them. For UPDATE and DELETE use RETURNING to learn what changed. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /**
   * A statement whose rows nobody needs: it is done before any later statement, and nobody waits for its answer before
   * the commit. When it fails, nothing is committed and `run` throws its error. Not for what is caught and gone on after.
   * @param explain the error to throw in its place
   */
  send(sql: string, parameters?: readonly unknown[], explain?: (error: unknown) => unknown): void;
  /** Sends the last statements of this transaction. */
  beforeCommit(action: () => void): void;
  /** Runs once, after this transaction has committed; never when it rolls back. */
  afterCommit(action: () => void): void;
}

/** serialization_failure, deadlock_detected, feature_not_supported: a prepared statement from before a migration */
const RETRYABLE_STATES: readonly string[] = ['40001', '40P01', '0A000'];
const MAX_ATTEMPTS = 5;
/** in_failed_sql_transaction */
const TRANSACTION_ABORTED = '25P02';

/** Raised by the database for whatever would rest on an asset whose content is gone (migration 0035). */
const CONTENT_REMOVED_STATE = 'CLP08';

/**
 * The only door to tenant tables. The organization is set with SET LOCAL, so it ends with the transaction and
 * never leaks through a pooled connection.
 */
export class OrganizationTx {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction and commits. `work` may be repeated after a deadlock, so it has no effects
   * outside the transaction; what must happen outside goes into `afterCommit`.
   *
   * @throws ColophonError `audit_unavailable` when the database cannot be reached: nothing was done; `content_removed`
   */
  run<T>(organizationId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.untilDone(() => this.attempt(organizationId, work, 'commit after the work'));
  }

  /**
   * The same for statements that need nothing of each other's answers: `work` sends all of them before it waits for the
   * first, and they reach the server with the commit behind them, in one piece. A later one is refused, and so is the
   * manager, which sends later than it is asked. What `work` throws after an answer takes nothing back.
   */
  runAtOnce<T>(organizationId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.untilDone(() => this.attempt(organizationId, work, 'commit at once'));
  }

  private async untilDone<T>(attemptOnce: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce();
      } catch (error) {
        if (attempt < MAX_ATTEMPTS && isRetryable(error)) continue;
        if (sqlState(error) === CONTENT_REMOVED_STATE)
          throw new ColophonError(
            'content_removed',
            'The content of an asset was removed by a retention rule.',
            {
              cause: error,
            },
          );
        throw isDatabaseUnreachable(error)
          ? new ColophonError('audit_unavailable', 'The database cannot be reached or refuses writes.', {
              cause: error,
            })
          : error;
      }
    }
  }

  private async attempt<T>(
    organizationId: string,
    work: (tx: Tx) => Promise<T>,
    end: 'commit at once' | 'commit after the work',
  ): Promise<T> {
    const lastStatements: (() => void)[] = [];
    const actions: (() => void)[] = [];
    let isOver = false;
    const result = await inTransaction(
      this.dataSource,
      organizationId,
      async ({ runner, client, sent, commit }) => {
        // Straight to the driver: TypeORM's own way costs as much again, and there are dozens of statements a step.
        const ask = async <Row>(sql: string, parameters: readonly unknown[]) => {
          // The connection may serve another organization by now.
          if (isOver) throw new Error('a statement came after the end of its transaction');
          const { rows } = await client.query<Row & pg.QueryResultRow>(sql, [...parameters]);
          return rows;
        };
        const tx: Tx = {
          organizationId,
          get manager() {
            if (isOver || end === 'commit at once')
              throw new Error('no entity manager outlives its transaction');
            return runner.manager;
          },
          query: (sql, parameters = []) => ask(sql, parameters),
          send: (sql, parameters = [], explain = (error) => error) =>
            sent.add(ask(sql, parameters).catch((error: unknown) => Promise.reject(explain(error) as Error))),
          beforeCommit: (action) => lastStatements.push(action),
          afterCommit: (action) => actions.push(action),
        };
        try {
          const working = work(tx);
          if (end === 'commit at once') {
            for (const statement of lastStatements.splice(0)) statement();
            isOver = true;
            commit();
          }
          const answer = await working;
          for (const statement of lastStatements) statement();
          return answer;
        } finally {
          isOver = true;
        }
      },
    );
    for (const action of actions) action();
    return result;
  }
}

interface Transaction {
  readonly runner: QueryRunner;
  readonly client: pg.PoolClient;
  readonly sent: SentStatements;
  /** Ends the transaction behind what was sent; done by itself after the work. */
  readonly commit: () => void;
}

/** Statements that are on their way to the server, or answered, in the order in which the server does them. */
class SentStatements {
  private readonly answers: Promise<unknown>[] = [];

  add(answer: Promise<unknown>): void {
    // Looked at in `all` or `causeOf`; until then a failure must not count as one that nobody looks at.
    answer.catch(() => undefined);
    this.answers.push(answer);
  }

  /** @throws the error of the first that failed; what came after it failed because of it */
  async all(): Promise<void> {
    const first = await this.firstFailure();
    if (first !== undefined) throw first.reason;
  }

  /** A statement in a transaction that has failed says only that (25P02): what failed first is why. */
  async causeOf(error: unknown): Promise<unknown> {
    if (!isAborted(error)) return error;
    return (await this.firstFailure())?.reason ?? error;
  }

  private async firstFailure(): Promise<PromiseRejectedResult | undefined> {
    return (await Promise.allSettled(this.answers)).find((answer) => answer.status === 'rejected');
  }
}

async function inTransaction<T>(
  dataSource: DataSource,
  organizationId: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const sent = new SentStatements();
  try {
    const client = (await runner.connect()) as pg.PoolClient;
    sent.add(begin(runner, client, organizationId));
    let isCommitted = false;
    // Goes out behind what was sent: where a statement before it fails, the server does a rollback in its place.
    const commit = (): void => {
      if (isCommitted) return;
      isCommitted = true;
      sent.add(commitOrThrow(runner, client));
    };
    const result = await work({ runner, client, sent, commit });
    commit();
    await sent.all();
    return result;
  } catch (error) {
    // What went wrong first is what counts; a connection that is lost rolls back by itself.
    await runner.rollbackTransaction().catch(() => undefined);
    throw await sent.causeOf(error);
  } finally {
    await runner.release();
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * One statement instead of two, and nobody waits for it: what follows goes out behind it. Were it refused, what follows
 * would find no organization, so that row-level security lets it see and write nothing. TypeORM's own begin is a
 * statement of its own, so it is told that a transaction is open; a nested one of its then becomes a savepoint, and
 * `save` begins none.
 */
function begin(runner: QueryRunner, client: pg.PoolClient, organizationId: string): Promise<unknown> {
  // It stands in the text of the statement: nothing but a UUID gets there.
  if (!UUID.test(organizationId)) throw new Error('the id of an organization is not a UUID');
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
  return client.query(`BEGIN; SELECT set_config('app.organization_id', '${organizationId}', true)`);
}

/**
 * Where a statement has failed, whoever caught its error, the server rolls back and answers the commit with `ROLLBACK`:
 * nothing is there then, and nobody may be told that it is.
 */
async function commitOrThrow(runner: QueryRunner, client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 });
  if (command !== 'COMMIT') throw new Error('the server rolled the transaction back in place of its commit');
}

/** Another transaction was in the way: the same work may succeed when it is done again. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE_STATES.includes(sqlState(error) ?? '');
}

/** A statement before this one has failed; that one's error says why. */
export function isAborted(error: unknown): boolean {
  return sqlState(error) === TRANSACTION_ABORTED;
}

/** The five-character SQLSTATE of a PostgreSQL error, wrapped by TypeORM or not. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  if (driverError !== undefined) return sqlState(driverError);
  return typeof code === 'string' ? code : undefined;
}

/** What a function of ours put into DETAIL of its error. PostgreSQL's own details may hold values: never show those. */
export function sqlErrorDetail(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { detail, driverError } = error as { detail?: unknown; driverError?: unknown };
  if (driverError !== undefined) return sqlErrorDetail(driverError);
  return typeof detail === 'string' ? detail : undefined;
}

/** The violated constraint of a unique (23505) or check (23514) violation. */
export function violatedConstraint(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { constraint, driverError } = error as { constraint?: unknown; driverError?: unknown };
  if (driverError !== undefined) return violatedConstraint(driverError);
  return typeof constraint === 'string' ? constraint : undefined;
}

/** Connection lost or refused, server starting or stopping (57P0x), read-only (25006), disk full (53100), too many connections. */
export function isDatabaseUnreachable(error: unknown): boolean {
  const state = sqlState(error) ?? '';
  return (
    /^(08|57P0|53)/.test(state) ||
    state === '25006' ||
    /^(ECONN|ENOENT|EPIPE|ETIMEDOUT)/.test(state) ||
    isConnectionMessage(error)
  );
}

function isConnectionMessage(error: unknown): boolean {
  return (
    error instanceof Error &&
    // The last one is TypeORM's, in two wordings: it gives a lost connection back while its transaction goes on.
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered|already released/.test(
      error.message,
    )
  );
}
