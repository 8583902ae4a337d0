import { hkdfSync } from 'node:crypto';
import { join } from 'node:path';
import { parse } from 'pg-connection-string';
import { type Configuration } from '../config/configuration.js';
import { readOrCreateSecretFile } from '../config/secret-file.js';
import { createDataSource } from '../database/data-source.js';
import { requireDurability } from '../database/durability.js';
import { createJobQueue } from '../database/job-queue.js';
import { OrganizationTx } from '../database/organization-tx.js';
import { type DatabaseAccess } from '../database/prepare-database.js';
import { createSequencerPool } from '../database/sequencer-pool.js';
import { ENTITIES } from '../entities.js';
import { Idempotency } from '../http/idempotency.js';
import { IdempotencyExpiry } from '../http/idempotency-expiry.js';
import { type ServicesOptions, clock } from './services-options.js';

const MASTER_KEY_BYTES = 32;

export async function composeDatabase({ configuration, database, logger }: ServicesOptions) {
  const masterKey = readMasterKey(configuration);
  const dataSource = createDataSource({
    url: database.applicationUrl,
    applicationName: 'colophon',
    poolSize: 16,
    entities: ENTITIES,
  });
  await dataSource.initialize();
  const organizationTx = new OrganizationTx(dataSource);
  const sequencerPool = createSequencerPool(database.sequencerUrl, (error) =>
    logger.warn({ err: error }, 'a connection of the sequencer broke'),
  );
  try {
    await requireDurability(
      (sql, values) => dataSource.query<{ value: string }[]>(sql, values),
      'the application',
    );
    await requireDurability(
      async (sql, values) => (await sequencerPool.query<{ value: string }>(sql, values)).rows,
      'the sequencer',
    );
  } catch (error) {
    await Promise.all([dataSource.destroy(), sequencerPool.end()]);
    throw error;
  }
  const maintenanceSeconds = Math.max(1, Math.ceil(configuration.stepLeaseSeconds / 4));
  const boss = createJobQueue(jobConnection(database), maintenanceSeconds, logger);
  return {
    dataSource,
    organizationTx,
    sequencerPool,
    boss,
    idempotency: new Idempotency(organizationTx, clock, deriveKey(masterKey, 'idempotency')),
    idempotencyExpiry: new IdempotencyExpiry(sequencerPool, logger),
    masterKey,
    gatewayKeys: {
      requests: deriveKey(masterKey, 'gateway requests'),
      links: deriveKey(masterKey, 'gateway links'),
      webhooks: deriveKey(masterKey, 'gateway webhooks'),
    },
    webhookKey: deriveKey(masterKey, 'webhook endpoints'),
    stepWebhookKey: deriveKey(masterKey, 'webhooks of steps'),
    ownServerJobKey: deriveKey(masterKey, 'jobs on own servers'),
    providerKeyEncryptionKey: readProviderKeyEncryptionKey(configuration),
  };
}

function jobConnection({ applicationUrl }: DatabaseAccess) {
  const { host, port, user, password, database } = parse(applicationUrl);
  return {
    host: host ?? 'localhost',
    port: port ? Number(port) : undefined,
    user: user ?? '',
    password: password ?? '',
    database: database ?? '',
  };
}

function readMasterKey({ home }: Configuration): Buffer {
  const file = join(home, 'keys', 'master.key');
  return Buffer.from(readOrCreateSecretFile(file, () => randomHex(MASTER_KEY_BYTES)).trim(), 'hex');
}

/** Seals the organizations' keys for vendors. A file of its own, so that it can be kept and replaced by itself. */
function readProviderKeyEncryptionKey({ home }: Configuration): Buffer {
  const file = join(home, 'keys', 'provider-credentials.key');
  return Buffer.from(readOrCreateSecretFile(file, () => randomHex(MASTER_KEY_BYTES)).trim(), 'hex');
}

/** A key for one purpose, HKDF-SHA256 (RFC 5869): what is learnt of it says nothing about the others. */
function deriveKey(masterKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, '', `colophon ${purpose}`, MASTER_KEY_BYTES));
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
