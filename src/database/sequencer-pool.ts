import pg from 'pg';
import { PreparingClient } from './preparing-client.js';

/** For a statement of the sequencer, from sending it to the last byte of its answer. */
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * What a session of the sequencer brings with it.
 *
 * A sequencer that stops in the middle of a round (its machine hangs) must not hold the head of a log for ever: the
 * server ends its transaction, and another process goes on. The same for the lock of a publication, which belongs to
 * the session: one that says nothing for two minutes is ended, and one whose machine is gone after one minute, by
 * keep-alive packets. The server gives up a statement before we stop waiting for it.
 *
 * Generic plans, because the statements of the log are the same whatever their arrays hold: planning one anew for each
 * round gains nothing.
 */
const SESSION = {
  search_path: 'colophon',
  plan_cache_mode: 'force_generic_plan',
  idle_in_transaction_session_timeout: '15s',
  idle_session_timeout: '120s',
  lock_timeout: '10s',
  statement_timeout: '45s',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

/**
 * Connections of the sequencer's role.
 *
 * A connection can be half open: the other side is gone and nobody says so. Then a statement has no answer, and after
 * `answerTimeoutMs` it fails and its connection is thrown away. Whether it was committed is unknown, as with every
 * answer that is lost: LogWriter looks.
 */
export function createSequencerPool(
  url: string,
  onBroken: (error: Error) => void,
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    Client: PreparingClient,
    max: 8,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    connectionTimeoutMillis: 30_000,
    query_timeout: answerTimeoutMs,
    options: Object.entries(SESSION)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    application_name: 'colophon sequencer',
  });
  pool.on('error', onBroken);
  return pool;
}
