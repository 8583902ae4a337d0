import { describeAnchoring } from './audit/application/anchoring-status.js';
import { type HealthCheck } from './http/health.js';
import { isStale } from './provenance/domain/trust-list.js';
import { certificateStanding, type KeyGeneration } from './provenance/domain/key-generation.js';
import { type Services } from './services.js';

/** After this time without a successful round the log counts as not writable. */
const SEQUENCER_SILENCE_MS = 30_000;
/** Of the SHA-256 of a certificate: enough to tell it from others by. */
const SHOWN_DIGITS = 16;

/** What must work before anything may be released. Details name no organization. */
export function healthChecks(services: Services): HealthCheck[] {
  return [
    {
      name: 'database',
      run: async () => {
        const [row] = await services.dataSource
          .query<{ readonly: boolean }[]>('SELECT pg_is_in_recovery() AS readonly')
          .catch(() => Promise.reject(new Error('The database cannot be reached.')));
        if (row?.readonly) throw new Error('The database is read-only.');
        return 'reachable and writable';
      },
    },
    {
      name: 'log',
      run: () => {
        if (!services.sequences) return waitingEntries(services);
        const { lastSuccessAt, lastError } = services.sequencer.status();
        const silentMs = Date.now() - (lastSuccessAt?.getTime() ?? services.startedAt.getTime());
        if (silentMs > SEQUENCER_SILENCE_MS || (lastError !== undefined && lastSuccessAt === undefined)) {
          return Promise.reject(
            new Error('A log cannot be sequenced or published: see the output of the service.'),
          );
        }
        return Promise.resolve(lastError === undefined ? 'sequenced and published' : 'recovering');
      },
    },
    {
      name: 'witnesses',
      run: async () => {
        const overview = await services.anchoringStatus
          .overview()
          .catch(() => Promise.reject(new Error('The database cannot be reached.')));
        if (overview.logsInConflict > 0) {
          const logs = overview.logsInConflict === 1 ? '1 log is' : `${overview.logsInConflict} logs are`;
          throw new Error(`${logs} not signed any more: a witness knows another history.`);
        }
        // A witness that is down never stops the business; it is told here, in the metrics and in reports.
        return describeAnchoring(overview, services.policy);
      },
    },
    {
      name: 'log-guards',
      run: () =>
        Promise.resolve(
          services.logGuarded
            ? 'event triggers guard the tables of the log'
            : 'this PostgreSQL lets no event triggers be made: the owner of the tables could rewrite them unnoticed until fsck',
        ),
    },
    {
      name: 'verification',
      run: async () => {
        const stale = services.trustStore.lists().filter((list) => isStale(list, new Date()));
        const old = stale.length === 0 ? '' : `; out of date: ${stale.map(({ name }) => name).join(', ')}`;
        const problem =
          services.trustStore.problem === undefined ? '' : '; the newest trust lists cannot be read';
        return `${await services.verifier.describeIsolation()}${old}${problem}`;
      },
    },
    {
      name: 'claim-key',
      run: async () => {
        const key = await services.keyGenerations
          .active('claim')
          .catch(() => Promise.reject(new Error('The database cannot be reached.')));
        if (key?.certificate === undefined) throw new Error('No claim key is active.');
        const { notBefore, notAfter } = key.certificate;
        switch (certificateStanding(key.certificate, new Date())) {
          case 'expired':
            throw new Error('The claim-signing certificate has expired.');
          case 'not_yet_valid':
            throw new Error(`The claim-signing certificate is valid only from ${day(notBefore)}.`);
          case 'expires_soon':
            return `${await proved(services, key)}; expires soon: ${day(notAfter)}. Bring a new key: colophon keys`;
          case 'valid':
            return `${await proved(services, key)}; valid until ${day(notAfter)}`;
        }
      },
    },
  ];
}

/**
 * Which key signed a proof, by what everybody finds in our manifests anyway; where exactly it lies is nobody's business.
 * @throws Error in words for operators that name no host and no account
 */
async function proved({ signingProbe }: Services, active: KeyGeneration): Promise<string> {
  const { algorithm, certificate, reference } = await signingProbe.prove(active.id);
  const place = reference.slice(0, reference.indexOf(':'));
  return `can sign: ${algorithm} in ${place}, certificate ${certificate?.sha256.slice(0, SHOWN_DIGITS) ?? ''}`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** In a process that leaves the log to another one: is that one at work? */
async function waitingEntries({ sequencerPool }: Services): Promise<string> {
  const { rows } = await sequencerPool
    .query<{ waiting: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM audit_pending
         WHERE recorded_at < now() - $1 * interval '1 millisecond') AS waiting`,
      [SEQUENCER_SILENCE_MS],
    )
    .catch(() => Promise.reject(new Error('The database cannot be reached.')));
  if (rows[0]?.waiting === true)
    throw new Error('Entries wait for a sequencer: none is at work, or it fails. See its output.');
  return 'no entry waits for a sequencer';
}
